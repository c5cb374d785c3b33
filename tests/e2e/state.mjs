// SPDX-License-Identifier: Apache-2.0
// What plugins keep outlives the host, their timers fire, and what the host keeps is nobody else's
// to read.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Report } from "../clients/report.mjs";
import { Workplace, built, run } from "./program.mjs";
import { Modern } from "./wire.mjs";

const report = new Report("state");
const other = `${built.examples}/text_tools.so`;
const place = new Workplace({ plugins: [built.desk, other] });
let host = await place.serve();
let client = new Modern(host.url);

async function restart(stop) {
    await stop();
    host = await place.serve();
    client = new Modern(host.url);
}

const recall = (key) => client.tool("desk__recall", { key });

await report.check("a note is there after a restart", async () => {
    assert.equal(await recall("colour"), "nothing");
    assert.equal(await client.tool("desk__remember", { key: "colour", value: "grün" }), "kept");
    await restart(() => host.stop());
    assert.equal(await recall("colour"), "grün");
});

await report.check("a note is there after the process was killed", async () => {
    await client.tool("desk__remember", { key: "shape", value: "round" });
    await restart(() => host.stop("SIGKILL"));
    assert.equal(await recall("shape"), "round");
    assert.equal(await recall("colour"), "grün");
});

await report.check("a note is there after the plugin was replaced", async () => {
    place.install(built["desk-next"], "desk.so");
    while ((await client.tool("desk__version")) !== "2.0.0");
    assert.equal(await recall("shape"), "round");
});

await report.check("another organisation's notes are its own", async () => {
    await host.stop();
    place.write(place.config, { anonymous_org: "other" });
    host = await place.serve();
    client = new Modern(host.url);
    assert.equal(await recall("shape"), "nothing");
    await client.tool("desk__remember", { key: "shape", value: "square" });
    place.write(place.config, {});
    await restart(() => host.stop());
    assert.equal(await recall("shape"), "round");
});

await report.check("a timer fires again and again", async () => {
    assert.equal(await client.tool("desk__after_ticks"), "3");
});

await report.check("two hosts do not share a request's state by accident", async () => {
    const key = () => fs.readFileSync(path.join(place.data, "seal.key"));
    const before = key();
    assert.equal(before.length, 32);
    await restart(() => host.stop());
    assert.deepEqual(key(), before, "a person may answer after a restart");
    const apart = new Workplace();
    const second = await apart.serve();
    assert.notDeepEqual(fs.readFileSync(path.join(apart.data, "seal.key")), before);
    await second.stop();
});

await report.check("nothing in the data folder is for others", async () => {
    const open = [];
    const look = (name) => {
        const info = fs.lstatSync(name);
        const mode = (info.mode & 0o777).toString(8);
        if (info.mode & 0o077) open.push(`${name} ${mode}`);
        if (!info.isDirectory()) return;
        for (const entry of fs.readdirSync(name)) look(path.join(name, entry));
    };
    look(place.data);
    assert.deepEqual(open, []);
});

await report.check("looking at a plugin leaves no data folder behind", async () => {
    const { data } = new Workplace();
    const { code } = await run(["plugins", "check", built.desk, "--data", data]);
    assert.equal(code, 0);
    assert.ok(!fs.existsSync(data));
});

await report.check("a data folder that cannot be made ends the start", async () => {
    const blocked = new Workplace();
    fs.writeFileSync(blocked.data, "a file, not a folder");
    const program = blocked.start();
    assert.deepEqual(await program.end(), { code: 1, signal: null });
    assert.match(program.err, /data/);
});

await report.check("the host ends well", async () =>
    assert.deepEqual(await host.stop(), { code: 0, signal: null }),
);
report.finish();
