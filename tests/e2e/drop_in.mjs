// SPDX-License-Identifier: Apache-2.0
// A plugin is dropped into the folder of a running host, replaced while it is called, and taken
// away; files that are no plugins are refused one by one.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Report } from "../clients/report.mjs";
import { Workplace, built } from "./program.mjs";
import { Legacy, Modern, textOf } from "./wire.mjs";

const report = new Report("drop in");
const place = new Workplace();
const host = await place.serve();
const modern = new Modern(host.url);
const legacy = await Legacy.open(host.url);
const changed = "notifications/tools/list_changed";
const streams = [await modern.listen(), await legacy.listen()];

// Runs `change` and waits until both clients have been told of it.
async function told(change) {
    const before = streams.map((stream) => stream.messages.items.length);
    await change();
    await Promise.all(streams.map((stream, i) => stream.heard(changed, before[i])));
}

await report.check("an empty folder serves no tools", async () => {
    assert.deepEqual(await modern.tools(), []);
    assert.deepEqual(await legacy.tools(), []);
});

await report.check("a file that is copied in is served, and both eras are told", async () => {
    await told(() => {
        fs.copyFileSync(built.desk, place.plugin("desk.so"));
        fs.chmodSync(place.plugin("desk.so"), 0o755);
    });
    for (const client of [modern, legacy]) {
        assert.ok((await client.tools()).includes("desk__version"));
        assert.equal(await client.tool("desk__version"), "1.0.0");
    }
});

await report.check("it is replaced while it is called, and no call fails", async () => {
    const seen = new Set();
    const until = new AbortController();
    const callers = [modern, legacy, new Modern(host.url), await Legacy.open(host.url)];
    const running = Promise.all(
        callers.map(async (client) => {
            while (!until.signal.aborted) seen.add(await client.tool("desk__version"));
        }),
    );
    running.catch(() => {}); // looked at below
    // One that is inside the first build while the others come.
    const mark = path.join(place.folder, "go on");
    const across = await modern.open("tools/call", {
        name: "desk__wait_for_file",
        arguments: { path: mark },
    });
    try {
        for (const [file, version] of [
            [built["desk-next"], "2.0.0"],
            [built.desk, "1.0.0"],
            [built["desk-next"], "2.0.0"],
        ]) {
            place.install(file, "desk.so");
            while ((await modern.tool("desk__version")) !== version);
        }
    } finally {
        until.abort();
        await running;
    }
    assert.deepEqual([...seen].toSorted(), ["1.0.0", "2.0.0"]);
    fs.writeFileSync(mark, "");
    assert.equal(textOf(await across.answer(across.id)), "there");
});

await report.check("files that are no plugins are refused with one line each", async () => {
    const bytes = fs.readFileSync(built.desk);
    const files = {
        "text.so": ["not a plugin\n", /ELF/],
        "half.so": [bytes.subarray(0, bytes.length / 2), /cut off/],
        "empty.so": ["", /ELF/],
        "library.so": [withoutCapsule(bytes), /manifest/i],
    };
    for (const [name, [content]] of Object.entries(files)) {
        fs.writeFileSync(place.plugin(name), content, { mode: 0o755 });
    }
    for (const [name, [, reason]] of Object.entries(files)) {
        const line = await host.event("plugin.refused", ({ path }) => path.endsWith(`/${name}`));
        assert.match(line.reason, reason);
        assert.equal(line.level, "warning");
    }
    assert.equal(await legacy.tool("desk__version"), "2.0.0");
    // Something else happens in the folder; what was refused is not said again.
    await told(() => place.install(`${built.examples}/text_tools.so`));
    const refused = host.events("plugin.refused").map(({ path }) => path.split("/").at(-1));
    assert.deepEqual(refused.toSorted(), Object.keys(files).toSorted());
    for (const name of Object.keys(files)) place.remove(name);
});

await report.check("a second file of the same plugin is refused, naming the first", async () => {
    place.install(built.desk, "twin.so");
    const line = await host.event("plugin.refused", ({ path }) => path.endsWith("/twin.so"));
    assert.match(line.reason, /desk\.so/);
    assert.equal(await modern.tool("desk__version"), "2.0.0");
    place.remove("twin.so");
});

await report.check("a file that others can write is refused", async () => {
    place.install(built.desk, "open.so.hidden");
    fs.chmodSync(place.plugin("open.so.hidden"), 0o777);
    fs.renameSync(place.plugin("open.so.hidden"), place.plugin("open.so"));
    const line = await host.event("plugin.refused", ({ path }) => path.endsWith("/open.so"));
    assert.match(line.reason, /written by others/);
    place.remove("open.so");
});

await report.check("a file that arrives in pieces is served once it is whole", async () => {
    await told(() => place.remove("desk.so"));
    assert.ok(!(await modern.tools()).includes("desk__version"));
    const bytes = fs.readFileSync(built.desk);
    const half = Math.floor(bytes.length / 2);
    fs.writeFileSync(place.plugin("slow.so"), bytes.subarray(0, half), { mode: 0o755 });
    // The copy has stalled for long enough to be taken for a broken file.
    await host.event("plugin.refused", ({ path }) => path.endsWith("/slow.so"));
    await told(async () => {
        const piece = Math.ceil(half / 16);
        for (let at = half; at < bytes.length; at += piece) {
            fs.appendFileSync(place.plugin("slow.so"), bytes.subarray(at, at + piece));
            await modern.tools(); // gives the host the time to look at the folder in between
        }
    });
    const loaded = host.lines.items.findLastIndex(({ event }) => event === "plugin.loaded");
    const refused = host.lines.items.findLastIndex(({ event }) => event === "plugin.refused");
    assert.ok(loaded > refused, "the last word on the file is a refusal");
    assert.equal(await modern.tool("desk__version"), "1.0.0");
    assert.equal(await legacy.tool("desk__version"), "1.0.0");
});

await report.check(
    "a file that is deleted takes its tools away, and both eras are told",
    async () => {
        await told(() => place.remove("slow.so"));
        for (const client of [modern, legacy]) {
            assert.ok(!(await client.tools()).some((name) => name.startsWith("desk__")));
            assert.ok((await client.tools()).includes("text_tools__word_count"));
        }
        const { error } = await modern.modern("tools/call", {
            name: "desk__version",
            arguments: {},
        });
        assert.equal(error.code, -32602);
    },
);

await report.check("the host ends well and logged no error", async () => {
    for (const stream of streams) stream.close();
    assert.deepEqual(await host.stop(), { code: 0, signal: null });
    assert.deepEqual(
        host.lines.items.filter(({ level }) => level === "error" || level === "critical"),
        [],
    );
});
report.finish();

// The same library with its manifest made unreadable.
function withoutCapsule(bytes) {
    const copy = Buffer.from(bytes);
    for (let at = copy.indexOf("PATCHBAY"); at >= 0; at = copy.indexOf("PATCHBAY", at + 1)) {
        copy.write("XATCHBAX", at);
    }
    return copy;
}
