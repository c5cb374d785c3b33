// SPDX-License-Identifier: Apache-2.0
// host/run serves what this build folder has, started from anywhere. There is nothing to build: the
// test belongs to the build folder that the script uses.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Report } from "../clients/report.mjs";
import { Program, Workplace, built } from "./program.mjs";
import { Modern } from "./wire.mjs";

const report = new Report("host/run");
const script = path.join(import.meta.dirname, "../../host/run");
const place = new Workplace({ plugins: [built.desk] });
// Of the caller's folder only what a flag names is used.
fs.mkdirSync(path.join(place.folder, "etc"));
fs.writeFileSync(path.join(place.folder, "etc/patchbay.json"), "not read");

// The tools of a host that is started with these flags, and ended with SIGTERM.
async function toolsOf(...flags) {
    const args = ["--port", "0", "--data", "state", "--log-format", "json", ...flags];
    const host = new Program(args, { program: script, cwd: place.folder });
    const ended = host.end().then(({ code }) => {
        throw new Error(`host/run ended with ${code}: ${host.err}`);
    });
    ended.catch(() => {});
    const { url } = await Promise.race([host.event("listening"), ended]);
    const tools = await new Modern(url).tools();
    assert.deepEqual(await host.stop(), { code: 0, signal: null });
    assert.equal(host.out, "");
    return tools;
}

await report.check("the example plugins are served, and SIGTERM ends the host", async () => {
    const tools = await toolsOf();
    for (const name of ["countdown__count_down", "text_tools__word_count", "travel__book_trip"]) {
        assert.ok(tools.includes(name), `no ${name} in ${tools}`);
    }
});
await report.check("a path in a flag is relative to the caller's folder", async () => {
    assert.ok((await toolsOf("--plugins", "plugins")).every((name) => name.startsWith("desk__")));
    assert.ok((await toolsOf("--plugins=plugins")).every((name) => name.startsWith("desk__")));
    assert.ok(fs.existsSync(path.join(place.folder, "state/patchbay.db")));
});
report.finish();
