// SPDX-License-Identifier: Apache-2.0
// patchbay stdio as a client starts it: a line a message, nothing else on standard output, and an
// end when the input ends.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Inbox, Report } from "../clients/report.mjs";
import { Program, Workplace, built } from "./program.mjs";

const report = new Report("stdio");
// What runs when the input ends has all the time that it needs, or next to none.
const [place, hasty] = [600_000, 100].map((drain_ms) => {
    const config = { drain_ms, calls: { grace_ms: 100 } };
    return new Workplace({ config, plugins: [built.desk] });
});

class Client extends Program {
    constructor({ folder, arguments: all } = place) {
        super(["stdio", ...all, "--log-format", "json"], { cwd: folder, input: "pipe" });
        this.messages = new Inbox();
        this.rest = "";
        this.id = 0;
        this.child.stdout.on("data", (text) => {
            const lines = (this.rest + text).split("\n");
            this.rest = lines.pop();
            // A line that is no JSON ends the test here: that is what a client would do.
            for (const line of lines) this.messages.add(JSON.parse(line));
        });
    }

    send(message) {
        this.child.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
    }

    // The id of a request that was sent.
    ask(method, params) {
        this.send({ id: ++this.id, method, params });
        return this.id;
    }

    answer(id) {
        return this.messages.next((message) => message.id === id && !message.method, "an answer");
    }

    request(method, params) {
        return this.answer(this.ask(method, params));
    }

    modern(method, params = {}) {
        const _meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { name: "e2e", version: "1.0.0" },
            "io.modelcontextprotocol/clientCapabilities": {},
        };
        return this.request(method, { ...params, _meta: { ..._meta, ...params._meta } });
    }

    async initialize(protocolVersion) {
        const clientInfo = { name: "e2e", version: "1.0.0" };
        const { result } = await this.request("initialize", {
            protocolVersion,
            capabilities: {},
            clientInfo,
        });
        this.send({ method: "notifications/initialized" });
        return result;
    }

    // The end that a client gives: the input is over.
    async finish() {
        this.child.stdin.end();
        assert.deepEqual(await this.end(), { code: 0, signal: null });
        assert.equal(this.rest, "", "the last line is whole");
        for (const line of this.lines.items) assert.ok(line.event, `not a log line: ${line.text}`);
    }
}

for (const version of ["2025-03-26", "2025-06-18", "2025-11-25"]) {
    await report.check(`the handshake of ${version}`, async () => {
        const client = new Client();
        assert.equal((await client.initialize(version)).protocolVersion, version);
        const { result } = await client.request("tools/call", { name: "desk__version" });
        assert.equal(result.content[0].text, "1.0.0");
        assert.ok(!("resultType" in result));
        await client.finish();
    });
}

await report.check("2026-07-28 needs no handshake", async () => {
    const client = new Client();
    const { result } = await client.modern("tools/call", { name: "desk__version", arguments: {} });
    assert.equal(result.content[0].text, "1.0.0");
    assert.equal(result.resultType, "complete");
    const discovered = await client.modern("server/discover");
    assert.deepEqual(discovered.result.supportedVersions, ["2026-07-28"]);
    await client.finish();
});

await report.check("mistakes are answered and do not end it", async () => {
    const client = new Client();
    await client.initialize("2025-11-25");
    client.child.stdin.write("this is no JSON\n\n   \n");
    const parse = await client.messages.next(({ error }) => error?.code === -32700, "the error");
    assert.ok(!("id" in parse));
    const { error } = await client.request("nothing/here");
    assert.equal(error.code, -32601);
    client.send({ method: "notifications/nothing" });
    assert.deepEqual((await client.request("ping")).result, {});
    await client.finish();
});

await report.check("a message in pieces, two in one write, and a large one", async () => {
    const client = new Client();
    await client.initialize("2025-11-25");
    const ping = (id) => JSON.stringify({ jsonrpc: "2.0", id, method: "ping" }) + "\n";
    for (const byte of ping("slow")) client.child.stdin.write(byte);
    client.child.stdin.write(ping("one") + ping("two"));
    for (const id of ["slow", "one", "two"]) {
        assert.deepEqual((await client.answer(id)).result, {});
    }
    const value = "x".repeat(2 << 20);
    await client.request("tools/call", {
        name: "desk__remember",
        arguments: { key: "large", value },
    });
    const { result } = await client.request("tools/call", {
        name: "desk__recall",
        arguments: { key: "large" },
    });
    assert.equal(result.content[0].text, value);
    await client.finish();
});

await report.check("a plugin that is dropped in is announced", async () => {
    const client = new Client();
    await client.initialize("2025-11-25");
    place.install(`${built.examples}/text_tools.so`);
    const changed = "notifications/tools/list_changed";
    await client.messages.next(({ method }) => method === changed, changed);
    const { result } = await client.request("tools/list");
    assert.ok(result.tools.some(({ name }) => name === "text_tools__slugify"));
    await client.finish();
    place.remove("text_tools.so");
});

await report.check("requests that were sent just before the end are answered", async () => {
    const client = new Client();
    await client.initialize("2025-11-25");
    const ids = Array.from({ length: 20 }, () =>
        client.ask("tools/call", { name: "desk__version" }),
    );
    await client.finish();
    for (const id of ids) assert.equal((await client.answer(id)).result.content[0].text, "1.0.0");
});

// A client with a call inside the plugin.
async function busy(name, args = {}, where = place) {
    const client = new Client(where);
    await client.initialize("2025-11-25");
    const id = client.ask("tools/call", {
        name,
        arguments: args,
        _meta: { progressToken: "e2e" },
    });
    await client.messages.next(({ method }) => method === "notifications/progress", "progress");
    return { client, id };
}

await report.check("a call that runs when the input ends may still finish", async () => {
    const mark = path.join(place.folder, "go on");
    const { client, id } = await busy("desk__wait_for_file", { path: mark });
    client.child.stdin.end();
    await client.event("stopping");
    fs.writeFileSync(mark, "");
    assert.equal((await client.answer(id)).result.content[0].text, "there");
    assert.deepEqual(await client.end(), { code: 0, signal: null });
});

await report.check("a call that does not end after the input is cancelled", async () => {
    const { client } = await busy("desk__wait", { tag: "never" }, hasty);
    await client.finish();
    assert.ok(client.events("plugin.log").some(({ message }) => message === "never was cancelled"));
});

await report.check("a call that never comes back does not keep it", async () => {
    const { client } = await busy("desk__ignore_everything", {}, hasty);
    await client.finish();
});

await report.check("notifications/cancelled ends a call", async () => {
    const { client, id } = await busy("desk__wait", { tag: "unwanted" });
    client.send({ method: "notifications/cancelled", params: { requestId: id } });
    await client.event("plugin.log", ({ message }) => message === "unwanted was cancelled");
    assert.deepEqual((await client.request("ping")).result, {});
    await client.finish();
    assert.ok(!client.messages.items.some((message) => message.id === id && !message.method));
});

for (const signal of ["SIGTERM", "SIGINT"]) {
    await report.check(`${signal} ends it with exit code 0`, async () => {
        const { client } = await busy("desk__wait", { tag: "never" });
        assert.deepEqual(await client.stop(signal), { code: 0, signal: null });
    });
}

await report.check("a signal ends the waiting for a call that runs", async () => {
    const { client } = await busy("desk__wait", { tag: "never" });
    client.child.stdin.end();
    await client.event("stopping");
    assert.deepEqual(await client.stop(), { code: 0, signal: null });
    assert.ok(client.events("plugin.log").some(({ message }) => message === "never was cancelled"));
});

await report.check("a configuration that is wrong is said on standard error alone", async () => {
    const wrong = new Program(["stdio", "--config", "absent.json"], { cwd: place.folder });
    assert.deepEqual(await wrong.end(), { code: 3, signal: null });
    assert.equal(wrong.out, "");
    assert.match(wrong.err, /absent\.json/);
});
report.finish();
