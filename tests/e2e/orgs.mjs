// SPDX-License-Identifier: Apache-2.0
// An organisation's file is changed while the host serves: a valid change takes effect at once and
// whole, an invalid one is refused and what was before goes on.
import assert from "node:assert/strict";
import fs from "node:fs";
import { Report } from "../clients/report.mjs";
import { Workplace, built } from "./program.mjs";
import { Modern } from "./wire.mjs";

const report = new Report("orgs");
const secret = "hello-from-the-environment";
const desk = (more) => ({ capabilities: { desk: more, text_tools: {} } });
const place = new Workplace({
    orgs: { default: desk({ config: { greeting: "${env:E2E_GREETING}" } }) },
    plugins: [built.desk, `${built.examples}/text_tools.so`, `${built.examples}/countdown.so`],
});
const host = await place.serve([], { env: { E2E_GREETING: secret } });
const client = new Modern(host.url);
const stream = await client.listen();
const named = (tools, name_space) => tools.filter((name) => name.startsWith(`${name_space}__`));

async function changed(org) {
    const before = stream.messages.items.length;
    place.writeOrg("default", org);
    await stream.heard("notifications/tools/list_changed", before);
}

// Writes a file that must be refused; the line that says so.
async function refused(content) {
    const before = host.lines.items.length;
    place.writeOrg("default", content);
    return host.event("config.refused", () => true, before);
}

await report.check("${env:NAME} is resolved, and only what is named is served", async () => {
    assert.equal(await client.tool("desk__greeting"), secret);
    assert.deepEqual(named(await client.tools(), "countdown"), []);
});

await report.check("a namespace is renamed at one moment", async () => {
    const seen = new Set();
    let watching = true;
    const watcher = (async () => {
        while (watching) {
            const tools = await client.tools();
            const [desks, fronts] = [named(tools, "desk").length, named(tools, "front").length];
            seen.add(desks > 0 ? (fronts > 0 ? "both" : "old") : fronts > 0 ? "new" : "none");
        }
    })();
    try {
        await changed(desk({ namespace: "front", config: { greeting: "hi" } }));
        assert.equal(await client.tool("front__greeting"), "hi");
    } finally {
        watching = false;
        await watcher;
    }
    assert.ok(!seen.has("both") && !seen.has("none"), [...seen].join());
    const { error } = await client.modern("tools/call", { name: "desk__greeting", arguments: {} });
    assert.equal(error.code, -32602);
});

await report.check("a configuration is changed without a failed call", async () => {
    place.writeOrg("default", desk({ namespace: "front", config: { greeting: "ciao" } }));
    for (let greeting = "hi"; greeting !== "ciao"; ) {
        greeting = await client.tool("front__greeting");
        assert.ok(["hi", "ciao"].includes(greeting), greeting);
    }
});

await report.check("a capability is switched off and on again", async () => {
    await changed(desk({ enabled: false }));
    assert.deepEqual(
        (await client.tools()).map((name) => name.split("__")[0]),
        ["text_tools", "text_tools"],
    );
    await changed(desk({ config: { greeting: "back" } }));
    assert.equal(await client.tool("desk__greeting"), "back");
});

const keepsServing = async () => assert.equal(await client.tool("desk__greeting"), "back");

await report.check("a file that is no JSON is refused with its line", async () => {
    const line = await refused('{\n  "capabilities": {\n    "desk": {,}\n  }\n}\n');
    assert.match(line.reason, /default\.json:3\b/);
    await keepsServing();
});

await report.check("an unknown member is refused with its line and what is known", async () => {
    const line = await refused('{\n  "title": "x",\n  "capabilites": {}\n}\n');
    assert.match(line.reason, /default\.json:3: \/capabilites.*capabilities/s);
    await keepsServing();
});

await report.check("two capabilities of one namespace are refused, both named", async () => {
    const line = await refused({ capabilities: { desk: {}, text_tools: { namespace: "desk" } } });
    assert.match(line.reason, /"desk" and "text_tools"/);
    await keepsServing();
});

await report.check("a namespace that another plugin has is refused, both named", async () => {
    place.writeOrg("default", {
        capabilities: {
            desk: { config: { greeting: "back" } },
            text_tools: { namespace: "countdown" },
            "*": { enabled: true },
        },
    });
    const line = await host.event("org.problem", ({ reason }) => /countdown/.test(reason));
    assert.match(line.reason, /text_tools/);
    assert.match(line.reason, /countdown.*countdown/s);
    await keepsServing();
    assert.equal((await client.tools()).filter((name) => /word_count/.test(name)).length, 1);
});

await report.check("a variable that is not set: the old configuration goes on", async () => {
    await changed(desk({ config: { greeting: "${env:E2E_NOT_SET}" } })); // text_tools comes back
    const line = await host.event("org.problem", ({ reason }) => /E2E_NOT_SET/.test(reason));
    assert.match(line.reason, /capability desk of organisation default: at \/greeting/);
    assert.ok(named(await client.tools(), "text_tools").length > 0);
    await keepsServing();
});

await report.check("another organisation's tools are absent", async () => {
    place.writeOrg("other", { capabilities: { desk: { namespace: "theirs" } } });
    await host.event("org.serving", ({ org }) => org === "other");
    assert.deepEqual(named(await client.tools(), "theirs"), []);
    const name = "theirs__version";
    const { error } = await client.modern("tools/call", { name, arguments: {} });
    assert.equal(error.code, -32602);
    fs.rmSync(place.orgFile("other"));
    await host.event("org.removed", ({ org }) => org === "other");
});

await report.check("without its file the organisation has everything", async () => {
    const before = stream.messages.items.length;
    fs.rmSync(place.orgFile("default"));
    await stream.heard("notifications/tools/list_changed", before);
    assert.equal(await client.tool("desk__greeting"), "none");
    assert.ok(named(await client.tools(), "countdown").length > 0);
});

await report.check("a change of the host's own file waits for the next start", async () => {
    place.write(place.config, { server: { name: "renamed" } });
    await host.event("config.restart_needed");
    place.write(place.config, { server: { nmae: "x" } });
    const line = await host.event("config.refused", ({ file }) => file === place.config);
    assert.match(line.reason, /patchbay\.json:3: \/server\/nmae/);
    assert.equal(await client.tool("desk__greeting"), "none");
});

await report.check("what the environment said is in no line of the log", () => {
    assert.ok(!host.err.includes(secret));
});

await report.check("the host ends well", async () => {
    stream.close();
    assert.deepEqual(await host.stop(), { code: 0, signal: null });
});

await report.check("an invalid file at the start ends the start, with its line", async () => {
    const other = new Workplace({ orgs: { default: '{\n"titel": 1}' } });
    const program = other.start();
    assert.deepEqual(await program.end(), { code: 3, signal: null });
    assert.match(program.err, /default\.json:2: \/titel/);
});
report.finish();
