// SPDX-License-Identifier: Apache-2.0
// Credentials on the wire: how a request without one, with a wrong one or with several is answered;
// where a key may be; and that one that was taken away is worth nothing at once, open streams
// included.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Report, within } from "../../clients/report.mjs";
import { allow } from "./person.mjs";
import { Site, challenge, eventually } from "./site.mjs";

const report = new Report("access_credentials");
const site = new Site({ orgs: { default: {}, urls: { access: { api_key_in_url: true } } } });
const key = await site.key(["mcp:read", "mcp:write"]);
const admin = await site.key(["mcp:admin"]);
const urls_key = await site.key(["mcp:read"], ["--org", "urls"]);
await site.person("ada@example.com", "owner");
await site.start();
const { origin } = new URL(site.host.url);
const list = async (client) => (await client.modern("tools/list")).answer;
const refused = async (headers, status, error, url) => {
    const answer = await list(site.modern(headers, url));
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.messages[0].jsonrpc, "2.0");
    assert.equal(typeof answer.messages[0].error.message, "string");
    const said = challenge(answer.headers);
    assert.equal(said.error, error);
    return said;
};
const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;

await report.check("without a credential: 401, where to get one, and which scopes", async () => {
    const said = await refused({}, 401, undefined);
    assert.deepEqual(said, { resource_metadata: metadata, scope: "mcp:read mcp:write" });
    const found = await site.http("GET", new URL(metadata).pathname);
    assert.equal(found.body.resource, site.host.url);
    assert.deepEqual(found.body.authorization_servers, [origin]);
    for (const method of ["GET", "DELETE"]) {
        const answer = await site.http(method, "/mcp", { headers: { "mcp-session-id": "x" } });
        assert.equal(answer.status, 401);
    }
});

await report.check("a wrong credential: 401 invalid_token, nothing of it repeated", async () => {
    const long = "x".repeat(20_000);
    for (const wrong of ["pb_nonsense", "pbat_x", "eyJhbGciOiJub25lIn0.e30.", key.id, long]) {
        const said = await refused({ authorization: `Bearer ${wrong}` }, 401, "invalid_token");
        assert.equal(said.resource_metadata, metadata);
        assert.ok(!JSON.stringify(said).includes(wrong));
    }
});

await report.check("what is no bearer token: as without a credential", async () => {
    for (const authorization of ["Basic YTpi", "Bearer", "Negotiate abc"]) {
        const said = await refused({ authorization }, 401, undefined);
        assert.deepEqual(said, { resource_metadata: metadata, scope: "mcp:read mcp:write" });
    }
});

await report.check("a key in either header", async () => {
    const greeting = async (headers) =>
        assert.equal(await site.modern(headers).tool("desk__greeting"), "none");
    await greeting({ authorization: `Bearer ${key.secret}` });
    await greeting({ authorization: `bEaReR ${key.secret}` });
    await greeting({ "x-api-key": key.secret });
});

await report.check("several credentials are refused, also the same one twice", async () => {
    const authorization = `Bearer ${key.secret}`;
    const other = (await site.key()).secret;
    await refused({ authorization, "x-api-key": other }, 400, "invalid_request");
    await refused({ authorization, "x-api-key": key.secret }, 400, "invalid_request");
    const with_key = `${site.host.url}?apiKey=${urls_key.secret}`;
    await refused({ authorization }, 400, "invalid_request", with_key);
    await refused({ "x-api-key": other }, 400, "invalid_request", with_key);
});

await report.check("?apiKey= counts where the organisation says so, and nowhere else", async () => {
    const url = (secret) => `${site.host.url}?apiKey=${secret}`;
    const client = site.modern({}, url(urls_key.secret));
    assert.equal(await client.tool("desk__greeting"), "none");
    await refused({}, 401, "invalid_token", url(key.secret));
    // A header does not become one by having been one before.
    assert.equal((await list(site.with(key.secret))).status, 200);
    await refused({}, 401, "invalid_token", url(key.secret));
    await refused({}, 401, "invalid_token", url("pb_wrong"));
    const twice = `${url(urls_key.secret)}&apiKey=${urls_key.secret}`;
    assert.equal((await list(site.modern({}, twice))).status, 401);
});

await report.check("X-Org-ID has to be the credential's", async () => {
    const authorization = `Bearer ${key.secret}`;
    const ask = (org) => list(site.modern({ authorization, "x-org-id": org }));
    assert.equal((await ask("default")).status, 200);
    for (const org of ["urls", "nowhere", "Default"]) {
        const answer = await ask(org);
        assert.equal(answer.status, 400, org);
        assert.equal(challenge(answer.headers).error, "invalid_request");
        assert.match(answer.messages[0].error.message, /X-Org-ID/);
    }
});

// Streams of both eras, with this credential.
async function streams(secret) {
    const modern = await site.with(secret).listen();
    const client = await site.legacy(secret);
    const legacy = await client.listen();
    return { modern, legacy, client };
}

async function ended({ modern, legacy }) {
    const stream = (each, name) => within(each.ended, `the ${name} stream's end`);
    await Promise.all([stream(modern, "modern"), stream(legacy, "legacy")]);
}

await report.check("a key that has expired is worth nothing, and its streams end", async () => {
    const soon = new Date(Date.now() + 3000).toISOString();
    const { secret } = await site.key(["mcp:read"], ["--expires", soon]);
    const open = await streams(secret);
    for (;;) {
        const { status } = await list(site.with(secret));
        if (status === 401) break;
        assert.ok(Date.now() < Date.parse(soon) + 1000, "still good after its time");
    }
    assert.ok(Date.now() >= Date.parse(soon));
    await ended(open);
    const gone = await site.command(["keys", "create", "k", "--expires", "2020-01-01"]);
    assert.notEqual(gone.code, 0);
});

await report.check("a key that is revoked: refused at once, its streams end", async () => {
    const other = await streams(key.secret);
    const mine = await site.key(["mcp:read"]);
    const open = await streams(mine.secret);
    const removed = await site.http("DELETE", `/api/keys/${mine.id}`, { secret: admin.secret });
    assert.equal(removed.status, 200, removed.text);
    assert.equal((await list(site.with(mine.secret))).status, 401);
    await ended(open);
    const { status } = await open.client.send(open.client.request("tools/list"));
    assert.equal(status, 401);
    // Nobody else's.
    assert.equal(await other.client.tool("desk__greeting"), "none");
    assert.equal(await Promise.race([other.modern.ended, other.legacy.ended, "open"]), "open");
    other.modern.close();
    other.legacy.close();
});

// The running host looks whether somebody else has written.
const noticed = (secret) =>
    eventually(async () => (await list(site.with(secret))).status === 401, "the revocation");

await report.check("a key that the command line revokes", async () => {
    const mine = await site.key(["mcp:read"]);
    const open = await streams(mine.secret);
    await site.done(["keys", "revoke", mine.id]);
    await noticed(mine.secret);
    await ended(open);
});

await report.check("so is an access token whose grant is revoked", async () => {
    const { access_token } = await allow(site, "ada@example.com", "mcp:read mcp:write");
    assert.equal(await site.with(access_token).tool("desk__greeting"), "none");
    const open = await streams(access_token);
    const { body } = await site.http("GET", "/api/grants?mine=true", { secret: access_token });
    assert.equal(body.grants.length, 1);
    const [{ id }] = body.grants;
    const removed = await site.http("DELETE", `/api/grants/${id}`, { secret: access_token });
    assert.equal(removed.status, 200, removed.text);
    assert.equal((await list(site.with(access_token))).status, 401);
    await ended(open);
});

await report.check("an access token that is revoked alone: its grant stays", async () => {
    const tokens = await allow(site, "ada@example.com", "mcp:read");
    const { client_id, client_secret } = tokens;
    const own = { client_id, ...(client_secret && { client_secret }) };
    const post = (path, fields) =>
        fetch(new URL(path, origin), {
            method: "POST",
            body: new URLSearchParams({ ...own, ...fields }),
        });
    const open = await streams(tokens.access_token);
    const revoked = await post("/oauth/revoke", { token: tokens.access_token });
    assert.equal(revoked.status, 200);
    assert.equal((await list(site.with(tokens.access_token))).status, 401);
    await ended(open);
    const { refresh_token } = tokens;
    const next = await post("/oauth/token", { grant_type: "refresh_token", refresh_token });
    assert.equal(next.status, 200);
    const { access_token } = await next.json();
    assert.equal(await site.with(access_token).tool("desk__greeting"), "none");
    // The session was the person's, and goes on.
    open.client.headers.authorization = `Bearer ${access_token}`;
    assert.equal(await open.client.tool("desk__greeting"), "none");
});

await report.check("and one of a person who is disabled", async () => {
    await site.person("bob@example.com", "member");
    const { access_token } = await allow(site, "bob@example.com", "mcp:read");
    const open = await streams(access_token);
    await site.done(["users", "disable", "bob@example.com"]);
    await noticed(access_token);
    await ended(open);
});

await report.check("a person of whom the role changes keeps no more than it may", async () => {
    await site.person("eve@example.com", "admin");
    const { access_token } = await allow(site, "eve@example.com", "mcp:read mcp:admin");
    const users = () => site.http("GET", "/api/users", { secret: access_token });
    assert.equal((await users()).status, 200);
    await site.done(["users", "set-role", "eve@example.com", "member"]);
    await eventually(async () => (await users()).status === 403, "the role's change");
    assert.equal(await site.with(access_token).tool("desk__greeting"), "none");
});

await report.check("a session is its own credential's alone", async () => {
    const mine = await site.legacy(key.secret);
    const { secret } = await site.key(["mcp:read"]);
    const { status } = await mine.send(mine.request("tools/list"), {
        headers: { authorization: `Bearer ${secret}` },
    });
    assert.equal(status, 404);
});

await report.check("no secret is in the log or in any file", async () => {
    await site.host.stop();
    const kept = fs
        .readdirSync(site.place.data, { recursive: true })
        .map((name) => path.join(site.place.data, name))
        .filter((file) => fs.statSync(file).isFile())
        .map((file) => fs.readFileSync(file, "latin1"))
        .join("");
    assert.ok(kept.includes(key.id), "what is kept is found");
    for (const { secret } of [key, urls_key]) {
        const body = secret.slice(3);
        for (const text of [kept, site.host.err, site.host.out]) assert.ok(!text.includes(body));
    }
});
report.finish();
