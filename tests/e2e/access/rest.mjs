// SPDX-License-Identifier: Apache-2.0
// Administration over HTTP, of a running host: people, keys, machines, grants, organisations; what
// is made there works at once, and what is made by the command line too.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { run } from "../program.mjs";
import { allow } from "./person.mjs";
import { PASSWORD, Site, eventually } from "./site.mjs";

const report = new Report("access_rest");
const site = new Site({ orgs: { default: {} } });
const admin = await site.key(["mcp:read", "mcp:write", "mcp:admin"]);
const reader = await site.key(["mcp:read"]);
await site.person("ada@example.com", "owner");
await site.start();

// The answer's body, if the status is that.
async function ask(method, path, { status = 200, secret = admin.secret, ...options } = {}) {
    const answer = await site.http(method, path, { secret, ...options });
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    if (status >= 400) assert.equal(typeof answer.body.error, "string");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    return answer.body;
}
const tokens = async (secret, body) => {
    const fields = new URLSearchParams({ grant_type: "client_credentials", ...body });
    const authorization = `Basic ${Buffer.from(secret).toString("base64")}`;
    const answer = await fetch(new URL("/oauth/token", site.host.url), {
        method: "POST",
        headers: { authorization },
        body: fields,
    });
    return { status: answer.status, ...(await answer.json()) };
};

await report.check("nobody without mcp:admin, and nobody without a credential", async () => {
    for (const path of ["users", "keys", "clients", "grants", "audit", "orgs/default"]) {
        const none = await site.http("GET", `/api/${path}`);
        assert.equal(none.status, 401, path);
        assert.match(none.headers.get("www-authenticate"), /resource_metadata=/);
        const few = await site.http("GET", `/api/${path}`, { secret: reader.secret });
        assert.equal(few.status, 403, `${path}: ${few.text}`);
    }
    await ask("GET", "/api/nothing", { status: 404 });
    const headers = { origin: "https://evil.example" };
    await site.http("GET", "/api/users", { secret: admin.secret, headers }).then(({ status }) =>
        assert.equal(status, 403),
    );
});

await report.check("keys: made, shown once, used, revoked", async () => {
    const body = { name: "ci", scopes: ["mcp:read", "action:desk"] };
    const made = await ask("POST", "/api/keys", { body, status: 201 });
    assert.match(made.secret, /^pb_/);
    assert.equal(await site.with(made.secret).tool("desk__version"), "1.0.0");
    const listed = await site.http("GET", "/api/keys", { secret: admin.secret });
    const mine = listed.body.keys.find(({ id }) => id === made.id);
    assert.deepEqual([mine.name, mine.scopes.toSorted()], ["ci", body.scopes.toSorted()]);
    assert.ok(!listed.text.includes(made.secret) && !listed.text.includes(made.secret.slice(8)));
    await ask("DELETE", `/api/keys/${made.id}`);
    assert.equal((await site.with(made.secret).modern("tools/list")).answer.status, 401);
    await ask("DELETE", `/api/keys/${made.id}`, { status: 404 });
    const more = { name: "x", scopes: ["mcp:read"], surprise: 1 };
    await ask("POST", "/api/keys", { body: more, status: 400 });
});

await report.check("nobody makes a key that may do more than they", async () => {
    const few = await site.key(["mcp:admin"]);
    const body = { name: "x", scopes: ["mcp:write"] };
    await ask("POST", "/api/keys", { secret: few.secret, body, status: 403 });
});

await report.check("people: brought in, changed, disabled, removed", async () => {
    const login = "grace@example.com";
    const body = { login, name: "Grace", role: "member" };
    const made = await ask("POST", "/api/users", { body, status: 201 });
    assert.ok(made.password.length >= 12);
    const { access_token } = await allow(site, login, "mcp:read", made);
    const own = { secret: access_token };
    assert.equal((await ask("GET", `/api/users/${made.id}`, own)).login, login);
    await ask("GET", "/api/users", { ...own, status: 403 });
    const { users } = await ask("GET", "/api/users");
    assert.deepEqual(users.map(({ login }) => login).toSorted(), ["ada@example.com", login]);
    await ask("PATCH", `/api/users/${made.id}`, { body: { disabled: true } });
    assert.equal((await site.with(access_token).modern("tools/list")).answer.status, 401);
    await ask("PATCH", `/api/users/${made.id}`, { body: { disabled: false } });
    await ask("DELETE", `/api/users/${made.id}`);
    await ask("GET", `/api/users/${made.id}`, { status: 404 });
    const ada = users.find(({ login }) => login === "ada@example.com");
    // A key has no person's rank: an owner is an owner's to change.
    await ask("DELETE", `/api/users/${ada.id}`, { status: 403 });
});

await report.check("machines sign in as themselves; removed, they are gone", async () => {
    const body = { name: "cron", scopes: ["mcp:read"] };
    const made = await ask("POST", "/api/clients", { body, status: 201 });
    const got = await tokens(`${made.id}:${made.secret}`, { resource: site.host.url });
    assert.equal(got.status, 200, JSON.stringify(got));
    const client = site.with(got.access_token);
    assert.equal(await client.tool("desk__version"), "1.0.0");
    assert.ok(!(await client.tools()).includes("desk__remember"));
    const { clients } = await ask("GET", "/api/clients");
    assert.ok(clients.some(({ id }) => id === made.id));
    await ask("DELETE", `/api/clients/${made.id}`);
    assert.equal((await client.modern("tools/list")).answer.status, 401);
    assert.equal((await tokens(`${made.id}:${made.secret}`, {})).error, "invalid_client");
});

await report.check("grants are listed and revoked", async () => {
    const { access_token } = await allow(site, "ada@example.com", "mcp:read");
    const { grants } = await ask("GET", "/api/grants");
    assert.equal(grants.length, 1);
    await ask("DELETE", `/api/grants/${grants[0].id}`);
    assert.equal((await site.with(access_token).modern("tools/list")).answer.status, 401);
    assert.deepEqual((await ask("GET", "/api/grants")).grants, []);
});

await report.check("an organisation of the command line's serves without a restart", async () => {
    const settings = `${site.place.folder}/lab.json`;
    site.place.write(settings, { capabilities: { desk: { config: { greeting: "lab" } } } });
    await site.done(["orgs", "add", "lab", "--owner", "ada@example.com", "--settings", settings]);
    const { secret } = await site.key(["mcp:read"], ["--org", "lab"]);
    const client = site.with(secret);
    const greeting = async () => (await client.modern("tools/call", {
        name: "desk__greeting",
        arguments: {},
    })).result?.content[0].text;
    await eventually(async () => (await greeting()) === "lab", "the organisation");
    assert.ok((await client.tools()).every((name) => name.startsWith("desk__")));
    await site.done(["orgs", "remove", "lab"]);
    await eventually(
        async () => (await client.modern("tools/list")).answer.status === 401,
        "the organisation's end",
    );
});

await report.check("and one that its owner makes over HTTP", async () => {
    const wide = await allow(site, "ada@example.com", "mcp:read mcp:write mcp:admin");
    const mine = { secret: wide.access_token };
    const config = { capabilities: { desk: { config: { greeting: "annex" } } } };
    const body = { name: "annex", config };
    await ask("POST", "/api/orgs", { ...mine, body, status: 201 });
    await ask("POST", "/api/orgs", { ...mine, body, status: 409 });
    await ask("POST", "/api/orgs", { body: { name: "x", config: {} }, status: 403 });
    const wrong = { name: "wrong", config: { capabilites: {} } };
    await ask("POST", "/api/orgs", { ...mine, body: wrong, status: 400 });
    await ask("GET", "/api/orgs/annex", { ...mine, status: 404 });
    const { secret } = await site.key(["mcp:read", "mcp:admin"], ["--org", "annex"]);
    const client = site.with(secret);
    await eventually(async () => (await client.tools()).length > 0, "its tools");
    assert.equal(await client.tool("desk__greeting"), "annex");
    const changed = { config: { capabilities: { desk: { config: { greeting: "new" } } } } };
    await ask("PATCH", "/api/orgs/annex", { ...mine, body: changed, status: 404 });
    await ask("PATCH", "/api/orgs/annex", { secret, body: changed, status: 403 });
    const there = await allow(site, "ada@example.com", "mcp:read mcp:write mcp:admin", {
        org: "annex",
    });
    await ask("PATCH", "/api/orgs/annex", { secret: there.access_token, body: changed });
    await eventually(async () => (await client.tool("desk__greeting")) === "new", "the change");
});

await report.check("the command line asks with a key from the environment or a file", async () => {
    const url = ["--url", site.host.url];
    const env = { PATCHBAY_API_KEY: reader.secret };
    const listed = await site.command(["keys", "list"]);
    assert.ok(!listed.out.includes(reader.secret));
    const good = await run(["tools", "list", ...url], { env });
    assert.match(good.out, /desk__recall/);
    assert.doesNotMatch(good.out, /desk__remember/);
    const file = `${site.place.folder}/key`;
    site.place.write(file, `${reader.secret}\n`);
    const called = await run(["tools", "call", "desk__version", ...url, "--api-key-file", file]);
    assert.match(called.out, /1\.0\.0/);
    const none = await run(["tools", "list", ...url]);
    assert.notEqual(none.code, 0);
    assert.match(none.err, /credential|API key/i);
    const remote = await run(["remote", "list", ...url], { env });
    assert.ok(!`${remote.out}${remote.err}${none.err}`.includes(reader.secret));
    const wide = await run(["remote", "list", ...url], { env: { PATCHBAY_API_KEY: admin.secret } });
    assert.notEqual(wide.code, 2, wide.err);
});

await report.check("the host ends well, and has said no password", async () => {
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    assert.ok(!site.host.err.includes(PASSWORD));
});
report.finish();
