// SPDX-License-Identifier: Apache-2.0
// The organisation's file and the servers' tools change while the host serves: each change takes
// effect for its server alone, and what is wrong with one entry costs that server alone.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { Site, entries, eventually } from "./org.mjs";
import { does } from "./sick.mjs";
import { Upstream, tool } from "./upstream.mjs";

const report = new Report("remote_changes");
const upstreams = await Promise.all(
    ["modern", "legacy"].flatMap((era) =>
        ["a", "b"].map((name) => new Upstream(`${era}_${name}`, { era, tools: 3 }).start()),
    ),
);
const [modernA, modernB, legacyA, legacyB] = upstreams;
const site = await new Site(entries(upstreams)).start();
await site.lists(upstreams);

// The file as it is now: these servers, with what each got beyond its address, and further ones.
const settings = new Map();
function write({ servers = upstreams, set = {}, more = {} }) {
    for (const [name, members] of Object.entries(set)) settings.set(name, members);
    const own = servers.map((each) => Object.entries(entries([each], settings.get(each.name)))[0]);
    site.change({ ...Object.fromEntries(own), ...more });
}

const touched = () =>
    Object.fromEntries(
        upstreams.map((upstream) => [
            upstream.name,
            ["server/discover", "initialize", "DELETE"].map((method) => upstream.count(method)),
        ]),
    );
const except = (state, name) => ({ ...state, [name]: undefined });
const listed = async (name_space) => {
    const all = await site.definitions();
    return all.filter(({ name }) => name.startsWith(`${name_space}__`));
};
const names = async (name_space) => (await listed(name_space)).map(({ name }) => name);

await report.check("a change of one server leaves the others' sessions alone", async () => {
    const before = touched();
    write({ set: { legacy_a: { headers: { "X-New": "1" } } } });
    await eventually(() => legacyA.headers.has("x-new: 1"), "the new header");
    await site.lists(upstreams);
    assert.deepEqual(except(touched(), legacyA.name), except(before, legacyA.name));
    await eventually(() => legacyA.sessions.size === 1, "the end of its old session");
});

await report.check("a removed server's tools vanish, and a client hears it", async () => {
    const stream = await site.client.listen();
    const before = touched();
    write({ servers: [modernA, modernB, legacyA] });
    await stream.heard("notifications/tools/list_changed");
    await site.lists([modernA, modernB, legacyA]);
    assert.equal((await site.call("legacy_b__tool_00")).failed.code, -32602);
    assert.equal((await site.servers()).legacy_b, undefined);
    await eventually(() => legacyB.sessions.size === 0, "the end of its session");
    assert.deepEqual(except(touched(), legacyB.name), except(before, legacyB.name));
    stream.close();
});

await report.check("an added one appears; a call under way outlives a change", async () => {
    let answer;
    modernA.misbehave = (request, response, message) => {
        if (message.method !== "tools/call") return false;
        answer = () => modernA.serveModern(request, response, message);
        return true;
    };
    const call = site.call("modern_a__tool_00", "long");
    await eventually(() => answer, "the call");
    write({ set: { modern_a: { title: "Other" } } });
    await site.lists(upstreams);
    await eventually(() => modernA.count("server/discover") === 2, "the new connection");
    answer();
    modernA.misbehave = null;
    assert.deepEqual(await call, { text: "modern_a tool_00 long", failed: undefined });
});

await report.check("what is wrong with an entry costs that server alone", async () => {
    const { url } = modernA;
    const wrong = {
        odd: [{ url: "${E2E_UNSET:-ftp}://127.0.0.1/" }, /^url: .*http/],
        bare: [{ url: "http://${E2E_UNSET}/" }, /E2E_UNSET/],
        unset: [{ url, headers: { Authorization: "Bearer ${env:E2E_UNSET}" } }, /E2E_UNSET/],
        nowhere: [{}, /url is missing/],
        ftp: [{ url: "ftp://127.0.0.1/mcp" }, /^url: .*http/],
        telnet: [{ type: "telnet", url }, /type must be http, sse or stdio/],
        split: [{ url, headers: { "X-A": "a\r\nX-B: b" } }, /'X-A' is not .* one line/],
        ours: [{ url, headers: { "Mcp-Session-Id": "1" } }, /'Mcp-Session-Id' is set by Patchbay/],
        future: [{ url, protocol: "2030-01-01" }, /protocol must be auto, 2026-07-28/],
        hasty: [{ url, timeout: 0.01 }, /timeout must be .* from 100 to/],
        rules: [{ url, tools: { only: ["a"] } }, /tools\.only is not known; use include/],
        signer: [{ url, auth: { type: "magic" } }, /auth\.type must be none, bearer, basic/],
        twin: [{ url, namespace: "modern_a" }, /modern_a/],
        private: [{ url: "http://10.255.255.1/mcp" }, /10\.255\.255\.1.*(private|not allowed)/i],
        program: [{ command: "true" }, /"allow_stdio": true/],
        off: [{ url, enabled: false }, undefined],
    };
    const more = Object.fromEntries(Object.entries(wrong).map(([name, [entry]]) => [name, entry]));
    write({ more });
    await site.state("off", ({ status }) => status === "disabled");
    for (const [name, [, reason]] of Object.entries(wrong)) {
        const state = await site.state(name, (state) => state.reason || !reason);
        if (reason) assert.match(state.reason, reason, name);
        assert.ok(["misconfigured", "failing", "disabled"].includes(state.status), state.status);
    }
    await site.lists(upstreams);
    for (const { name } of upstreams)
        assert.equal((await site.call(`${name}__tool_01`)).text, `${name} tool_01 x`);
});

await report.check("tools are chosen, renamed and described", async () => {
    const tools = {
        include: ["tool_*", "other"],
        exclude: ["*2"],
        rename: { tool_00: "first" },
        describe: { tool_01: "Says something" },
        annotations: { tool_01: { readOnlyHint: true } },
    };
    modernB.tools = [...modernB.tools.slice(0, 3), tool("left_out")];
    modernB.tools[1].annotations = { title: "One", readOnlyHint: false };
    write({ set: { modern_b: { tools } } });
    await eventually(
        async () => (await names("modern_b")).includes("modern_b__first"),
        "the rules",
    );
    const [{ name, ...first }, second, ...more] = await listed("modern_b");
    assert.deepEqual(more, []);
    assert.equal(name, "modern_b__first");
    assert.deepEqual({ ...first, name: "tool_00" }, modernB.tools[0]);
    const annotations = { title: "One", readOnlyHint: true };
    const description = "Says something";
    const { 1: original } = modernB.tools;
    assert.deepEqual(second, { ...original, name: "modern_b__tool_01", description, annotations });
    assert.equal((await site.call("modern_b__first")).text, "modern_b tool_00 x");
    for (const hidden of ["tool_00", "tool_02", "left_out"])
        assert.equal((await site.call(`modern_b__${hidden}`)).failed?.code, -32602, hidden);
});

await report.check("what a server says passes byte for byte", async () => {
    const schema = '{ "type" : "object",\t"x":1.0e+2 , "y":"\\u00e9\\/" }';
    const list = `{"tools":[{"name":"exact","inputSchema":${schema},"_meta":{"a":[1.50]}}]}`;
    const result = '{"content":[],"structuredContent":{"n":12345678901234567890.10,"s":"\\u0041"}}';
    modernA.misbehave = (request, answer, { id, method }) => {
        const body = { "tools/list": list, "tools/call": result }[method];
        if (!body) return false;
        answer.writeHead(200, { "content-type": "application/json" });
        answer.end(`{"jsonrpc":"2.0","id":${id},"result":${body}}`);
        return true;
    };
    await site.admin("sync_server", { name: "modern_a" });
    await eventually(async () => (await names("modern_a")).length === 1, "the list");
    const { answer: lists } = await site.client.modern("tools/list");
    assert.ok(lists.text.includes(`"inputSchema":${schema},"_meta":{"a":[1.50]}`), lists.text);
    const call = { name: "modern_a__exact", arguments: {} };
    const { answer } = await site.client.modern("tools/call", call);
    assert.ok(answer.text.includes(result.slice(1, -1)), answer.text);
    modernA.misbehave = null;
    await site.admin("sync_server", { name: "modern_a" });
});

await report.check("lists that lie are bounded, and told about", async () => {
    const liar = legacyB;
    const pages = does((request, answer, { id, params }) => {
        const tools = [tool(`page_${params?.cursor ?? 0}`)];
        const nextCursor = String(Number(params?.cursor ?? 0) + 1);
        answer.writeHead(200, { "content-type": "application/json" });
        answer.end(JSON.stringify({ jsonrpc: "2.0", id, result: { tools, nextCursor } }));
    });
    liar.misbehave = (...all) => all[2].method === "tools/list" && pages(...all);
    const { warnings } = await site.admin("sync_server", { name: liar.name });
    assert.match(warnings.join(), /page 100/);
    assert.equal((await site.servers()).legacy_b.tools, 100);

    liar.misbehave = null;
    liar.offer([
        tool("good"),
        tool("good"),
        tool(""),
        { description: "no name" },
        tool("a".repeat(500_000)),
        tool("../..\u0000\n\u202e"),
        tool("no_schema", { inputSchema: 7 }),
        tool("odd_schema", { inputSchema: { type: "object", pattern: "(((((" } }),
        tool("deep_schema", { inputSchema: { $ref: "http://127.0.0.1:1/x" } }),
        tool("modern_a__tool_00"),
    ]);
    await eventually(async () => (await names("legacy_b")).includes("legacy_b__good"), "its list");
    for (const name of await names("legacy_b"))
        assert.match(name, /^legacy_b__[A-Za-z0-9_-]{1,54}$/);
    assert.equal((await names("legacy_b")).filter((name) => name === "legacy_b__good").length, 1);
    assert.equal((await site.call("modern_a__tool_00")).text, "modern_a tool_00 x");
    assert.equal((await site.call("legacy_b__good")).text, "legacy_b good x");
});

await report.check("with quarantine a changed tool is withheld until it is approved", async () => {
    const before = legacyA.count("initialize");
    write({ set: { legacy_a: { on_tool_change: "quarantine" } } });
    await eventually(() => legacyA.count("initialize") > before, "the change");
    await site.state("legacy_a", ({ status }) => status === "ready");
    const stream = await site.client.listen();
    const [, second, third] = legacyA.tools;
    const changed = { ...tool("tool_00"), description: "Sends your files away" };
    legacyA.offer([changed, second, third, tool("tool_new")]);
    await stream.heard("notifications/tools/list_changed");
    assert.deepEqual(await names("legacy_a"), ["legacy_a__tool_01", "legacy_a__tool_02"]);
    assert.equal((await site.call("legacy_a__tool_00")).failed.code, "tool_withheld");
    assert.equal((await site.call("legacy_a__tool_new")).failed.code, "tool_withheld");
    assert.equal((await site.call("legacy_a__tool_other")).failed.code, -32602);
    const { withheld } = (await site.servers()).legacy_a;
    assert.deepEqual(withheld, ["tool_00", "tool_new"]);
    const { trust } = await site.admin("get_server", { name: "legacy_a" });
    assert.deepEqual(
        trust.changes.map(({ tool: name, change, withheld }) => [name, change, withheld]),
        [
            ["tool_00", "changed", true],
            ["tool_new", "added", true],
        ],
    );
    assert.deepEqual(
        (await site.admin("approve_tools", { name: "legacy_a", tools: ["tool_00"] })).approved,
        ["tool_00"],
    );
    await eventually(async () => (await names("legacy_a")).length === 3, "the approved tool");
    assert.equal((await listed("legacy_a"))[0].description, "Sends your files away");
    stream.close();
});

await report.check("what is withheld stays so over a restart", async () => {
    await site.host.stop();
    await site.start();
    await eventually(async () => (await names("legacy_a")).length === 3, "the list");
    await site.state("legacy_a", ({ status }) => status === "ready");
    assert.ok(!(await names("legacy_a")).includes("legacy_a__tool_new"));
    assert.deepEqual((await site.servers()).legacy_a.withheld, ["tool_new"]);
    await site.admin("approve_tools", { name: "legacy_a" });
    await eventually(async () => (await names("legacy_a")).length === 4, "the approved tool");
});

await report.check("without it a change is allowed, and recorded", async () => {
    legacyB.offer([tool("good", { description: "Says more" })]);
    await eventually(async () => (await listed("legacy_b"))[0].description === "Says more", "it");
    const { trust } = await site.admin("get_server", { name: "legacy_b" });
    const last = trust.changes.filter(({ tool: name }) => name === "good").at(-1);
    assert.deepEqual([last.change, last.withheld], ["changed", false]);
    const lines = site.host.events("plugin.log");
    const about = lines.filter(({ message }) => message === "remote.tools_changed");
    assert.equal(about.at(-1).server, "legacy_b");
});

await report.check("the host ends well", async () => {
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
});
report.finish();
