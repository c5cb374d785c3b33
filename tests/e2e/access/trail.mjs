// SPDX-License-Identifier: Apache-2.0
// What is left of what was done: the record of calls, refusals, sign-ins and changes, read over
// HTTP and by the command line; what of arguments and results it has; and the metrics.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { Program, built } from "../program.mjs";
import { Socket } from "../wire.mjs";
import { allow } from "./person.mjs";
import { PASSWORD, Site, eventually } from "./site.mjs";

const report = new Report("access_trail");
const audit = { arguments: true, results: true, redact: ["tag", "/value"] };
const site = new Site({ orgs: { default: {}, full: { audit } } });
const admin = await site.key(["mcp:read", "mcp:write", "mcp:admin"]);
const full = await site.key(["mcp:read", "mcp:write", "mcp:admin"], ["--org", "full"]);
const reader = await site.key(["mcp:read"]);
await site.person("ada@example.com", "owner");
await site.start();
const trace = "0af7651916cd43dd8448eb211c80319c";
const client = site.with(admin.secret);

async function records(query = "", secret = admin.secret) {
    const { status, body, text } = await site.http("GET", `/api/audit${query}`, { secret });
    assert.equal(status, 200, text);
    return body.records;
}

// The first record for which `matches` holds, once it is written.
async function record(matches, what, query = "?limit=1000", secret) {
    let found;
    await eventually(async () => {
        found = (await records(query, secret)).find(matches);
        return found;
    }, what);
    return found;
}

await report.check("a call: who, what, how long, how it went, in which trace", async () => {
    await client.modern(
        "tools/call",
        { name: "desk__recall", arguments: { key: "plain-argument" } },
        { meta: { traceparent: `00-${trace}-b7ad6b7169203331-01` } },
    );
    const found = await record(({ name }) => name === "desk__recall", "the call");
    const wanted = {
        kind: "call",
        method: "tools/call",
        original: "recall",
        capability: "desk",
        principal: admin.id,
        credential: admin.id,
        client: "raw",
        outcome: "ok",
        trace_id: trace,
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(found[name], value, name);
    assert.ok(found.duration_us > 0 && found.request_bytes > 0 && found.response_bytes > 0);
    assert.ok(!JSON.stringify(found).includes("plain-argument"), "nobody turned arguments on");
});

await report.check("a call that failed, one that was refused, and one by a tool", async () => {
    await client.modern("tools/call", { name: "desk__fail", arguments: {} });
    const failed = await record(({ name }) => name === "desk__fail", "the failure");
    assert.deepEqual([failed.outcome, failed.reason], ["tool_error", "closed"]);
    const few = site.with(reader.secret);
    await few.modern("tools/call", { name: "desk__remember", arguments: {} });
    const refused = await record(({ name }) => name === "desk__remember", "the refusal");
    assert.deepEqual([refused.outcome, refused.principal], ["error", reader.id]);
    const params = { name: "desk__greeting", arguments: {} };
    await few.modern("tools/call", {
        name: "agent__look",
        arguments: { method: "tools/call", params },
    });
    const nested = await record(({ name }) => name === "desk__greeting", "the nested call");
    assert.equal(nested.principal, reader.id);
    assert.ok(await record(({ name }) => name === "agent__look", "the call around it"));
});

await report.check("plain HTTP: what was looked at, and who was turned away", async () => {
    const traceparent = `00-${trace.replace("0a", "0b")}-b7ad6b7169203331-01`;
    const headers = { traceparent };
    await site.http("GET", "/api/users", { secret: admin.secret, headers });
    await site.http("GET", "/api/users", { secret: reader.secret });
    await site.http("GET", "/api/nothing-here", { secret: reader.secret, headers });
    const wanted = [
        [({ method, outcome }) => method === "users.list" && outcome === "ok", admin.id],
        [({ method, outcome }) => method === "users.list" && outcome === "denied", reader.id],
        [({ method, code }) => method === "http GET" && code === 404, reader.id],
    ];
    const found = [];
    for (const [matches, who] of wanted) {
        found.push(await record(matches, String(matches)));
        assert.equal(found.at(-1).principal, who);
    }
    for (const { trace_id } of [found[0], found[2]])
        assert.equal(trace_id, trace.replace("0a", "0b"));
});

await report.check("no secret comes in by a name", async () => {
    const uri = `note://x?token=${full.secret}`;
    await client.modern("resources/read", { uri });
    await client.modern("tools/call", { name: reader.secret, arguments: {} });
    await record(({ method }) => method === "resources/read", "the request");
    const text = JSON.stringify(await records("?limit=1000"));
    for (const { secret } of [full, reader]) assert.ok(!text.includes(secret));
});

await report.check("filters, and pages without a gap", async () => {
    for (let i = 0; i < 5; i++) await client.tool("desk__version");
    await eventually(async () => (await records("?tool=desk__version")).length === 5, "all five");
    const errors = await records("?status=tool_error");
    assert.ok(errors.length > 0 && errors.every(({ outcome }) => outcome === "tool_error"));
    assert.ok((await records(`?principal=${reader.id}`)).every((r) => r.principal === reader.id));
    assert.deepEqual((await records(`?trace=${trace}`)).map((r) => r.name), ["desk__recall"]);
    assert.deepEqual(await records("?to=2020-01-01T00:00:00Z"), []);
    const seen = [];
    for (let cursor = ""; cursor !== undefined; ) {
        const query = new URLSearchParams({ tool: "desk__version", limit: 2 });
        if (cursor) query.set("cursor", cursor);
        const { body } = await site.http("GET", `/api/audit?${query}`, { secret: admin.secret });
        seen.push(...body.records);
        cursor = body.next ?? undefined;
    }
    assert.equal(seen.length, 5);
    assert.deepEqual(await records("?status=input_required"), []);
    const wrong = await site.http("GET", "/api/audit?tol=x", { secret: admin.secret });
    assert.equal(wrong.status, 400, wrong.text);
});

await report.check("sign-ins, grants, keys and changes of the configuration", async () => {
    const browser = allow(site, "ada@example.com", "mcp:read", { password: "not this one at all" });
    await assert.rejects(browser);
    await allow(site, "ada@example.com", "mcp:read");
    const login = await record((r) => r.kind === "sign_in" && r.outcome === "ok", "the sign-in");
    assert.match(login.principal, /^usr_/);
    await record((r) => r.kind === "sign_in" && r.outcome !== "ok", "the one that failed");
    await record((r) => r.kind === "grant", "the grant");
    const { body } = await site.http("POST", "/api/keys", {
        secret: admin.secret,
        body: { name: "n", scopes: ["mcp:read"] },
    });
    const made = await record((r) => r.method === "keys.create" && r.credential === admin.id, "it");
    assert.equal(made.kind, "admin");
    assert.ok(JSON.stringify(made).includes(body.id));
    await record((r) => r.method === "keys.create" && r.principal !== admin.id, "the first keys");
    site.place.writeOrg("default", { instructions: "changed" });
    const of = "?method=config.reload";
    const change = await record((r) => r.org === "default", "the change", of);
    assert.deepEqual([change.name, change.arguments], ["default", { change: "changed" }]);
    assert.deepEqual(await records(of, full.secret), [], "which is no other one's");
    const text = JSON.stringify(await records("?limit=1000"));
    for (const secret of [PASSWORD, admin.secret, body.secret, "not this one at all"])
        assert.ok(!text.includes(secret));
});

await report.check("arguments and results where they are on, without what is secret", async () => {
    const other = site.with(full.secret);
    const of = (name) => record((r) => r.name === name, name, "?limit=1000", full.secret);
    await other.tool("desk__remember", { key: "visible-key", value: "hidden-value" });
    const kept = await of("desk__remember");
    assert.match(JSON.stringify(kept.arguments), /visible-key/);
    assert.match(JSON.stringify(kept.arguments), /\[redacted\]/);
    assert.match(JSON.stringify(kept.result), /kept/);
    await other.tool("desk__open", { tag: "hidden-tag" });
    await of("desk__open");
    await other.tool("desk__recall", { key: `Bearer ${full.secret}` });
    await of("desk__recall");
    await other.modern("tools/call", {
        name: "agent__look",
        arguments: { method: "tools/list", params: { password: "hidden-password" } },
    });
    const look = await of("agent__look");
    assert.ok(look);
    const text = JSON.stringify(await records("?limit=1000", full.secret));
    for (const hidden of ["hidden-value", "hidden-tag", full.secret, "hidden-password"])
        assert.ok(!text.includes(hidden), hidden);
    // One organisation's trail is not another's.
    assert.ok(!JSON.stringify(await records("?limit=1000")).includes("visible-key"));
});

await report.check("patchbay audit: filters, JSON lines, and following", async () => {
    const lines = async (...args) => {
        const out = await site.done(["audit", "--json", ...args]);
        return out.trim().split("\n").map((line) => JSON.parse(line));
    };
    const failed = await lines("--status", "failed", "--tool", "desk__*");
    assert.ok(failed.length > 0 && failed.every(({ outcome }) => outcome !== "ok"));
    assert.ok((await lines("--limit", "2")).length === 2);
    const text = await site.done(["audit", "--tool", "desk__recall"]);
    assert.match(text, /desk__recall/);
    const { config, orgs, data } = site.place;
    const where = ["--config", config, "--org-dir", orgs, "--data", data];
    const wanted = ["--tool", "desk__remember", ...where];
    const follower = new Program(["audit", "--follow", "--json", ...wanted]);
    await client.tool("desk__remember", { key: "k", value: "v" });
    await eventually(() => /desk__remember/.test(follower.out), "the call");
    await follower.stop("SIGINT");
});

await report.check("metrics: for administrators, and nobody's name in them", async () => {
    assert.equal((await site.http("GET", "/metrics")).status, 401);
    const few = await site.http("GET", "/metrics", { secret: reader.secret });
    assert.equal(few.status, 403);
    assert.match(few.headers.get("www-authenticate"), /scope="[^"]*\bmcp:admin"/);
    const other = await site.http("GET", "/metrics", { secret: full.secret });
    assert.equal(other.status, 403);
    assert.match(other.body.error, /organisation that runs the host/);
    const narrow = await site.key(["mcp:admin", "action:desk"]);
    const { status: narrowed } = await site.http("GET", "/metrics", { secret: narrow.secret });
    assert.equal(narrowed, 403);
    const { status, text, headers } = await site.http("GET", "/metrics", { secret: admin.secret });
    assert.equal(status, 200);
    assert.match(headers.get("content-type"), /^text\/plain; version=0\.0\.4/);
    for (const wanted of [
        /^patchbay_\w+\{[^}]*capability="desk"[^}]*\} \d/m,
        /method="tools\/call"/,
        /method="users\.list"/,
        /method="http GET"/,
        /outcome="tool_error"/,
        /_bucket\{[^}]*le="\+Inf"/,
        /^patchbay_http_streams \d/m,
        /^patchbay_audit_queue \d/m,
        /^patchbay_audit_dropped_total 0$/m,
    ])
        assert.match(text, wanted);
    for (const name of [admin.id, "ada@example.com", "desk__recall"])
        assert.ok(!text.includes(name), name);
});

await report.check("what is replaced is let go, whoever has seen it", async () => {
    for (const each of [client, site.with(reader.secret)])
        assert.equal(await each.tool("desk__version"), "1.0.0");
    site.place.install(built["desk-next"], "desk.so");
    await eventually(async () => (await client.tool("desk__version")) === "2.0.0", "the new one");
    // In both organisations.
    const stops = ({ message }) => message === "desk 1.0.0 stops";
    const first = await site.host.event("plugin.log", stops);
    await site.host.event("plugin.log", (line) => stops(line) && line.org !== first.org);
});

await report.check("ready until it stops; what came before is in the trail", async () => {
    for (const path of ["/healthz", "/readyz"])
        assert.equal((await site.http("GET", path)).status, 200);
    const running = await client.open("tools/call", {
        name: "desk__wait",
        arguments: { tag: "drain" },
        _meta: { progressToken: "e2e" },
    });
    await client.tool("desk__awaited", { tag: "drain" });
    // A request that has begun is still answered; new connections find nobody.
    const late = await Socket.open(site.host.port);
    await late.write("GET /readyz HTTP/1.1\r\nHost: localhost\r\n");
    // What was answered after that says that the host has seen it.
    for (let i = 0; i < 3; i++) await client.tool("desk__version");
    site.host.signal("SIGTERM");
    await site.host.event("stopping");
    await eventually(() => site.http("GET", "/healthz").then(() => false, () => true), "the drain");
    await late.write("\r\n");
    assert.equal(await late.answered(), 503, late.text);
    assert.match(late.text, /"status":"stopping"/);
    running.close();
    assert.deepEqual(await site.host.end(), { code: 0, signal: null });
    // What narrowed credentials have seen holds no plugin back from its end.
    assert.deepEqual(site.host.events("stopped.abandoned"), []);
    assert.ok(site.host.events("plugin.log").some((l) => l.message === "desk 2.0.0 stops"));
    const all = await site.done(["audit", "--json", "--limit", "1000", "--tool", "desk__wait"]);
    assert.equal(JSON.parse(all).name, "desk__wait");
});
report.finish();
