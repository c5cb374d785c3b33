// SPDX-License-Identifier: Apache-2.0
// Who gets to see what: a server its own credentials and nobody else's, no server anything of a
// client's, and neither logs, lists nor errors any of it.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { Legacy } from "../wire.mjs";
import { Site, eventually } from "./org.mjs";
import { does, redirecting } from "./sick.mjs";
import { Upstream } from "./upstream.mjs";

const report = new Report("remote_secrets");
// Different in each place, so that whatever turns up says where it comes from.
const secret = (of) => `secret-${of}-5f1c`;
const entriesOf = {
    header: { headers: { "X-Api-Key": secret("header") } },
    bearer: { auth: { type: "bearer", token: secret("bearer") } },
    basic: { auth: { type: "basic", username: "me", password: secret("basic") } },
    query: {},
    env: { headers: { Authorization: "Bearer ${env:E2E_REMOTE_SECRET}" } },
    open: { apiKey: secret("unknown") },
};
const upstreams = await Promise.all(
    Object.keys(entriesOf).map((name, i) =>
        new Upstream(name, { era: i % 2 ? "legacy" : "modern", tools: 2 }).start(),
    ),
);
const named = Object.fromEntries(upstreams.map((upstream) => [upstream.name, upstream]));
const urlOf = ({ name, url }) => (name === "query" ? `${url}?key=${secret("query")}` : url);
const site = new Site(
    Object.fromEntries(
        upstreams.map((upstream) => [
            upstream.name,
            { url: urlOf(upstream), ...entriesOf[upstream.name] },
        ]),
    ),
    { config: { log: { level: "debug" } } },
);
const ofClients = {
    authorization: `Bearer ${await site.place.key("mcp:read", "mcp:write", "mcp:admin")}`,
    cookie: `session=${secret("client-cookie")}`,
    "x-client": secret("client-header"),
    "x-forwarded-for": "203.0.113.9",
};
await site.start({
    env: { E2E_REMOTE_SECRET: secret("env") },
    headers: ofClients,
});
await site.lists(upstreams);

const basic = Buffer.from(`me:${secret("basic")}`).toString("base64");
const shows = {
    header: [`x-api-key: ${secret("header")}`],
    bearer: [`authorization: Bearer ${secret("bearer")}`],
    basic: [`authorization: Basic ${basic}`],
    query: [],
    env: [`authorization: Bearer ${secret("env")}`],
    open: [],
};
// What every request may hold: nothing of it comes from a client or another server.
const plain = new Set([
    ...["host", "user-agent", "accept", "content-type", "content-length", "last-event-id"],
    ...["mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id"],
]);
const nameOf = (header) => header.slice(0, header.indexOf(":"));

const everyCall = async () => {
    for (const { name } of upstreams)
        assert.equal((await site.call(`${name}__tool_00`)).text, `${name} tool_00 x`);
    const legacy = await Legacy.open(site.host.url, "2025-11-25", ofClients);
    for (const { name } of upstreams) await legacy.tool(`${name}__tool_01`, { text: "y" });
};

await report.check("each server sees its own credentials and nothing else of anybody", async () => {
    await everyCall();
    for (const { name, headers } of upstreams) {
        const beyond = [...headers].filter((header) => !plain.has(nameOf(header)));
        assert.deepEqual(beyond, shows[name], name);
        for (const each of headers)
            assert.ok(!each.includes("secret-") || shows[name].includes(each), each);
    }
});

await report.check("a server that sends elsewhere takes nothing along", async () => {
    const { bearer, open } = named;
    const asked = open.worked;
    bearer.misbehave = does(redirecting(open.url));
    assert.ok((await site.call("bearer__tool_00")).failed);
    bearer.misbehave = null;
    assert.equal(open.worked, asked);
});

await report.check("a server's cookies are not kept", async () => {
    const { open } = named;
    open.misbehave = (request, answer) => {
        answer.setHeader("set-cookie", `track=${secret("cookie")}; Path=/`);
        return false;
    };
    for (let i = 0; i < 3; ++i) await site.call("open__tool_00");
    open.misbehave = null;
    for (const { headers } of upstreams)
        assert.deepEqual(
            [...headers].filter((header) => header.startsWith("cookie:")),
            [],
        );
});

const said = []; // everything that administrators and callers were told
await report.check("no list and no error tells them", async () => {
    const ask = async (name, args) => said.push(JSON.stringify(await site.admin(name, args)));
    for (const { name } of upstreams) {
        await ask("get_server", { name });
        await ask("test_server", { name });
        await ask("sync_server", { name });
    }
    for (const status of [400, 401, 403, 404, 407, 500, 503]) {
        for (const upstream of upstreams)
            upstream.misbehave = does((request, answer) => answer.writeHead(status).end("no"));
        for (const { name } of upstreams) {
            said.push(JSON.stringify(await site.call(`${name}__tool_00`)));
            await ask("sync_server", { name });
        }
    }
    for (const upstream of upstreams) upstream.misbehave = null;
    await Promise.all(upstreams.map((upstream) => upstream.kill()));
    for (const { name } of upstreams) {
        said.push(JSON.stringify(await site.call(`${name}__tool_00`)));
        await ask("test_server", { name });
        await ask("sync_server", { name });
    }
    await Promise.all(upstreams.map((upstream) => upstream.start()));
    await ask("list_servers");
    said.push(JSON.stringify((await site.client.modern("tools/list")).result));
    assert.ok(said.length > 100);
    for (const text of said) {
        assert.ok(!text.includes("secret-"), text);
        assert.ok(!text.includes(basic), text);
    }
});

await report.check("nor does a line of the log, and the host ends well", async () => {
    for (const { name } of upstreams)
        await eventually(async () => !(await site.call(`${name}__tool_00`)).failed, name);
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    assert.ok(site.host.err.includes("remote."));
    for (const line of site.host.err.split("\n"))
        assert.ok(!line.includes("secret-") && !line.includes(basic), line);
});
report.finish();
