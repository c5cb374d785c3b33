// SPDX-License-Identifier: Apache-2.0
// Servers that an administrator registers at run time, over HTTP as curl would: what is refused
// changes nothing, what was given is not shown again, and a restart finds all of it.
import assert from "node:assert/strict";
import { request } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { Site, eventually, plugin } from "./org.mjs";
import { Upstream, tool } from "./upstream.mjs";

const report = new Report("remote_admin");
const upstream = await new Upstream("up", { era: "modern", tools: 1 }).start();
const site = await new Site({}, { plugins: [plugin, built.desk] }).start();

// Without a body there is neither Content-Length nor Transfer-Encoding.
async function api(method, path = "", body = undefined) {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const { origin } = new URL(site.host.url);
    const sent = request(`${origin}/api/mcp-servers${path}`, { method, headers });
    if (body === undefined) sent.useChunkedEncodingByDefault = false;
    sent.end(body);
    const [answer] = await once(sent, "response");
    return { status: answer.statusCode, body: JSON.parse(await text(answer)) };
}
const json = JSON.stringify;

await report.check("register, and look without a body", async () => {
    const headers = { Authorization: "Bearer s3cret" };
    const made = await api("POST", "", json({ name: "docs", url: upstream.url, headers }));
    assert.equal(made.status, 201, json(made.body));
    const synced = await api("POST", "/docs/sync");
    assert.equal(synced.status, 200, json(synced.body));
    assert.equal(synced.body.tools, 1);
    await eventually(async () => (await site.tools()).includes("docs__tool_00"), "its tool");
    const got = await api("GET", "/docs");
    assert.ok(!json(got.body).includes("s3cret"));
    assert.deepEqual(got.body.settings.headers, { Authorization: "(hidden)" });
});

await report.check("another capability's namespace is refused, also by PATCH", async () => {
    const desk = (await site.tools()).filter((name) => name.startsWith("desk__"));
    assert.ok(desk.length > 0);
    const other = await api("POST", "", json({ name: "b", url: upstream.url, namespace: "desk" }));
    assert.equal(other.status, 409);
    const patched = await api("PATCH", "/docs", json({ namespace: "desk" }));
    assert.equal(patched.status, 409, json(patched.body));
    for (const wrong of [{ type: 5 }, { auth: { type: "oauth", grant: "bogus" } }, { url: "" }])
        assert.equal((await api("PATCH", "/docs", json(wrong))).status, 400, json(wrong));
    assert.equal((await api("PATCH", "/docs", json({ url: "${HOME}" }))).status, 400);
    const bearer = { auth: { type: "bearer", token: "t" } };
    assert.match((await api("PATCH", "/docs", json(bearer))).body.error, /Authorization/);
    await site.host.stop();
    await site.start();
    await site.state("docs", ({ status }) => status === "ready");
    await eventually(async () => (await site.tools()).includes("docs__tool_00"), "its tool");
    assert.equal((await site.call("docs__tool_00")).text, "up tool_00 x");
});

await report.check("what the host leaves out says so", async () => {
    // In the file it is known before the other capabilities are.
    site.change({ late: { url: upstream.url, namespace: "desk" } });
    const { reason } = await site.state("late", ({ status }) => status === "misconfigured");
    assert.match(reason, /namespace 'desk'/);
    await site.host.stop();
    await site.start();
    await site.state("late", ({ status, reason }) => status === "misconfigured" && reason);
    site.change({});
    await eventually(async () => !(await site.servers()).late, "its removal");
});

await report.check("only what is understood approves", async () => {
    await api("PATCH", "/docs", json({ on_tool_change: "quarantine" }));
    await api("POST", "/docs/sync");
    upstream.offer([tool("tool_00", { description: "Sends" })]);
    await api("POST", "/docs/sync");
    for (const wrong of [json({ tool: ["x"] }), json({ tools: [] }), "{", "[]"])
        assert.equal((await api("POST", "/docs/approve", wrong)).status, 400, wrong);
    const { trust } = (await api("GET", "/docs")).body;
    assert.deepEqual(
        trust.withheld.map(({ tool: name, definition, before }) => [
            name,
            definition.description,
            before.description,
        ]),
        [["tool_00", "Sends", "Says tool_00"]],
    );
    await eventually(async () => !(await site.tools()).includes("docs__tool_00"), "its going");
    assert.equal((await site.call("docs__tool_00")).failed.code, "tool_withheld");
    assert.deepEqual((await api("POST", "/docs/approve")).body, { approved: ["tool_00"] });
    await eventually(async () => (await site.tools()).includes("docs__tool_00"), "its return");
    assert.equal((await site.call("docs__tool_00")).text, "up tool_00 x");
});

await report.check("the host ends well", async () => {
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    assert.ok(!site.host.err.includes("s3cret"));
});
report.finish();
