// SPDX-License-Identifier: Apache-2.0
// Isolation over plain HTTP: administration, remote servers, OAuth, and what watches the host.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { eventually } from "../remote/org.mjs";
import { Upstream } from "../remote/upstream.mjs";
import { expectAbsent } from "./two_orgs.mjs";

// What has been tried: "GET /api/users/:id", and paths of OAuth and of routes as they are.
export const covered = new Set();

const machineScopes = ["--scope", "mcp:read", "--scope", "mcp:write", "--scope", "mcp:admin"];
const form = { "content-type": "application/x-www-form-urlencoded" };
const basic = (id, secret) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
});

// The same things in both organisations: how each is made by its own, and changed. (Whose account's
// id one is given may bring that person in, by POST /api/users: that is what it is handed out for.)
const resources = {
    users: { change: ["PATCH", { role: "admin" }], make: () => ({ login: `new-${randomUUID()}` }) },
    keys: { make: () => ({ name: "main", scopes: ["mcp:read"] }) },
    clients: { make: () => ({ name: "robot", scopes: ["mcp:read"] }) },
    grants: {},
    orgs: { change: ["PATCH", { config: {} }], make: (side) => ({ name: `${side.name}-two` }) },
};

async function tokenOf(side) {
    const { id, secret } = side.client;
    const body = new URLSearchParams({ grant_type: "client_credentials" }).toString();
    const sent = { ...form, ...basic(id, secret) };
    const { status, body: got } = await side.http("POST", "/oauth/token", body, sent);
    assert.equal(status, 200, JSON.stringify(got));
    return got.access_token;
}

// A person, a machine with a token, a key, a remote server: of the same names.
async function furnish(site, side) {
    const at = ["--org", side.name];
    const login = ["users", "add", `ada@${side.mark}.example`, "--name", "Ada", "--role", "owner"];
    side.person = await site.command(...login, "--generate-password", ...at);
    side.client = await site.command("clients", "add", "robot", ...machineScopes, ...at);
    side.token = await tokenOf(side);
    const { status, text } = await side.http("POST", "/api/mcp-servers", {
        name: "up",
        url: side.upstream.url,
    });
    assert.equal(status, 201, text);
    side.ids = { orgs: side.name };
    for (const resource of ["users", "keys", "clients", "grants"]) {
        const { body } = await side.http("GET", `/api/${resource}`);
        const [first] = body[resource];
        assert.ok(first?.id, `${side.name} has ${resource}: ${JSON.stringify(body)}`);
        side.ids[resource] = first.id;
    }
}

const stillThere = async (side) => {
    for (const resource of ["users", "keys", "clients", "grants"]) {
        const { body } = await side.http("GET", `/api/${resource}`);
        const ids = body[resource].map(({ id }) => id);
        assert.ok(ids.includes(side.ids[resource]), `${side.name} lost one of its ${resource}`);
    }
    assert.equal((await side.http("GET", "/api/mcp-servers/up")).status, 200);
    const bearer = { authorization: `Bearer ${side.token}` };
    assert.equal(await side.modern(bearer).tool("vault__mark"), side.mark);
};

async function checkLists({ acme, globex }) {
    for (const [resource, { make }] of Object.entries(resources)) {
        const path = `/api/${resource}`;
        const got = await globex.http("GET", path);
        covered.add(`GET ${path}`);
        assert.equal(got.status, 200, got.text);
        assert.ok(got.text.includes(globex.ids[resource]), `${path} is not globex's`);
        for (const query of ["after=%", "org=%", "id=%", "person=%", "limit=1&after=%"])
            await expectAbsent(`${path}?${query}`, acme.ids[resource], (id) =>
                globex.http("GET", `${path}?${query.replace("%", encodeURIComponent(id))}`),
            );
        if (!make) continue;
        covered.add(`POST ${path}`);
        const before = (await acme.http("GET", path)).text;
        const made = await globex.http("POST", path, make(globex));
        assert.ok([201, 403].includes(made.status), made.text);
        assert.equal((await acme.http("GET", path)).text, before, "it is globex's");
    }
}

async function checkIds({ acme, globex }) {
    for (const [resource, { change }] of Object.entries(resources)) {
        const requests = [["GET"], ["DELETE"], ...(change ? [change] : [])];
        for (const [method, body] of requests) {
            covered.add(`${method} /api/${resource}/:id`);
            const status = await expectAbsent(
                `${method} /api/${resource}/:id`,
                acme.ids[resource],
                (id) => globex.http(method, `/api/${resource}/${encodeURIComponent(id)}`, body),
            );
            assert.ok([403, 404, 405].includes(status), `${method} ${resource}: ${status}`);
        }
    }
    await stillThere(acme);
    const { body } = await acme.http("GET", `/api/users/${acme.ids.users}`);
    assert.equal(body.role, "owner");
}

async function checkAudit(site) {
    const { acme, globex, witness } = site;
    // Whom globex has never named, and what acme alone has called.
    const other = await site.makeKey(acme, "unheard of");
    witness.keep(other.id);
    const missing = { name: "only__nothing_there", arguments: {} };
    await acme.modern({ authorization: `Bearer ${other.secret}` }).modern("tools/call", missing);
    const theirs = await eventually(async () => {
        const { body } = await acme.http("GET", "/api/audit?limit=1000");
        return body.records?.some((record) => record.principal === other.id) && body;
    }, "acme's records");
    const { body: page } = await acme.http("GET", "/api/audit?limit=3");
    covered.add("GET /api/audit");
    // A place in the trail may be one in both; whose records it shows is what counts.
    const own = await globex.http("GET", `/api/audit?cursor=${encodeURIComponent(page.next)}`);
    assert.ok(own.status === 400 || own.body.records, own.text);
    const { body: all } = await globex.http("GET", "/api/audit?limit=1000");
    for (const records of [all.records, own.body.records ?? []])
        for (const { org } of records) assert.equal(org, globex.name);
    const ids = new Set(theirs.records.map(({ id }) => id));
    assert.ok(all.records.length > 100 && !all.records.some(({ id }) => ids.has(id)));
    for (const [name, value] of Object.entries({
        principal: other.id,
        credential: other.id,
        org: acme.name,
        tool: missing.name,
    })) {
        const path = `/api/audit?${name}=`;
        await expectAbsent(`${path}...`, value, (each) => globex.http("GET", path + each));
    }
}

// Servers that are registered at run time, by HTTP and by the tools for it.
async function checkServers({ acme, globex, witness }) {
    const name = `private-${randomUUID().slice(0, 8)}`;
    witness.keep(name);
    const upstream = await new Upstream(name, { tools: 1 }).start();
    const added = await acme.http("POST", "/api/mcp-servers", { name, url: upstream.url });
    assert.equal(added.status, 201, added.text);
    const at = "/api/mcp-servers";
    const list = await globex.http("GET", at);
    assert.ok(list.text.includes(new URL(globex.upstream.url).port), list.text);
    for (const [method, rest, body] of [
        ["GET", ""],
        ["PATCH", "", { description: "x" }],
        ["DELETE", ""],
        ["POST", "/sync"],
        ["POST", "/test"],
        ["POST", "/approve", {}],
    ])
        await expectAbsent(`${method} ${at}/:name${rest}`, name, (each) =>
            globex.http(method, `${at}/${each}${rest}`, body),
        );
    const { result } = await globex.modern().modern("tools/list");
    const tools = result.tools.filter((tool) => tool.inputSchema.properties?.name);
    const managing = tools.filter((tool) => tool.name.startsWith("remote_mcp__"));
    assert.ok(managing.length > 5);
    for (const tool of managing.filter((each) => each.name !== "remote_mcp__add_server"))
        await expectAbsent(tool.name, name, async (each) => {
            const args = { name: each, settings: {} };
            const params = { name: tool.name, arguments: args };
            return (await globex.modern().modern("tools/call", params)).answer;
        });
    // The same name, taken away in one organisation.
    assert.equal((await globex.http("DELETE", `${at}/up`)).status, 200);
    assert.equal((await acme.http("GET", `${at}/up`)).status, 200);
    assert.equal((await acme.http("GET", `${at}/${name}`)).status, 200);
    for (const path of [at, "/oauth/callback", "/oauth/client"]) covered.add(path);
    for (const [path, rest] of [
        ["/oauth/callback", `/${name}?state=x&code=y`],
        ["/oauth/callback", "/up?state=x&code=y"],
        ["/oauth/client", `/${name}`],
    ])
        await globex.http("GET", `${path}/${acme.name}${rest}`);
}

async function checkOAuth({ acme, globex }) {
    const { id, secret } = globex.client;
    const own = { ...form, ...basic(id, secret) };
    const post = (path, params, headers) =>
        globex.http("POST", path, new URLSearchParams(params).toString(), headers);
    const tokenAt = "/oauth/token";
    await expectAbsent("acme's client", acme.client.id, (each) =>
        post(tokenAt, { grant_type: "client_credentials" }, { ...form, ...basic(each, secret) }),
    );
    for (const [grant, name] of [
        ["refresh_token", "refresh_token"],
        ["authorization_code", "code"],
    ])
        await expectAbsent(`acme's token as a ${name}`, acme.token, (each) =>
            post(tokenAt, { grant_type: grant, [name]: each, code_verifier: "v".repeat(43) }, own),
        );
    await expectAbsent("acme's token", acme.token, (token) =>
        post("/oauth/revoke", { token }, own),
    );
    const query = "response_type=code&redirect_uri=https%3A%2F%2Fa.example&client_id=";
    await expectAbsent("acme's client", acme.client.id, (each) =>
        globex.http("GET", `/oauth/authorize?${query}${each}`),
    );
    await expectAbsent("acme's grant", acme.ids.grants, (grant) =>
        post("/oauth/grants/revoke", { grant, id: grant }, form),
    );
    await stillThere(acme);
    const named = await globex.http("GET", "/.well-known/oauth-authorization-server");
    assert.equal(named.status, 200);
    const endpoints = Object.entries(named.body)
        .filter(([key]) => /_(endpoint|uri)$/.test(key))
        .map(([, url]) => new URL(url).pathname);
    assert.ok(endpoints.includes(tokenAt));
    const pages = ["/oauth/sign-in", "/oauth/sign-out", "/oauth/consent", "/oauth/grants"];
    for (const path of [...endpoints, ...pages, "/oauth/grants/revoke"]) {
        covered.add(path);
        for (const method of ["GET", "POST"])
            await globex.http(method, path, method === "POST" ? "" : undefined, form);
    }
}

// Nothing in them is any organisation's.
const hostsOwn = [
    "/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/mcp",
    "/api",
    "/api/",
    "/admin",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/oauth/jwks",
];

export async function checkHttp(report, site) {
    const { acme, globex, witness } = site;
    await report.check("both have people, keys, machines and servers alike", async () => {
        for (const side of site.sides) await furnish(site, side);
        const { users, keys, clients, grants } = acme.ids;
        witness.keep(users, keys, clients, grants, acme.token, acme.client.secret);
        await stillThere(acme);
        await stillThere(globex);
    });
    await report.check("lists of the administration hold one's own", () => checkLists(site));
    await report.check("acme's ids are like nobody's", () => checkIds(site));
    await report.check("the trail is each one's own", () => checkAudit(site));
    await report.check("a remote server is each one's own", () => checkServers(site));
    await report.check("a token works for its own client alone", () => checkOAuth(site));
    await report.check("what the host says of itself names nobody", async () => {
        for (const path of hostsOwn) {
            covered.add(path);
            for (const method of ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
                await globex.http(method, path);
        }
    });
}
