// SPDX-License-Identifier: Apache-2.0
// Only plugins that are on the list of hashes, or signed, are loaded where the host's configuration
// asks for it. Keys and signatures are made by openssl, as an administrator would.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { Report } from "../clients/report.mjs";
import { Workplace, built, run } from "./program.mjs";
import { Modern } from "./wire.mjs";

const report = new Report("trust");
const openssl = (...args) => execFileSync("openssl", args, { stdio: "ignore" });
const textTools = `${built.examples}/text_tools.so`;
const place = new Workplace();
const [key, publicKey] = ["sign.key", "sign.pem"].map((name) => path.join(place.folder, name));
openssl("genpkey", "-algorithm", "ed25519", "-out", key);
openssl("pkey", "-in", key, "-pubout", "-out", publicKey);
const allowed = createHash("sha256").update(fs.readFileSync(textTools)).digest("hex");
place.write(place.config, {
    plugins: { allow_sha256: [allowed.toUpperCase()], signature_keys: ["sign.pem"] },
});
const host = await place.serve();
const client = new Modern(host.url);
const stream = await client.listen();

async function told(change) {
    const before = stream.messages.items.length;
    await change();
    await stream.heard("notifications/tools/list_changed", before);
}

function refused(name, change) {
    const before = host.lines.items.length;
    change();
    return host.event("plugin.refused", (line) => line.path.endsWith(`/${name}`), before);
}

// A signature of what is in `file` now, put beside the plugin of that name.
function sign(file, name) {
    const made = path.join(place.folder, `${name}.sig`);
    openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", file, "-out", made);
    fs.renameSync(made, place.plugin(`${name}.sig`));
}

await report.check("a plugin on the list is loaded", async () => {
    await told(() => place.install(textTools));
    assert.ok((await client.tools()).includes("text_tools__slugify"));
});

await report.check("another one is refused until its signature is there", async () => {
    const line = await refused("desk.so", () => place.install(built.desk));
    assert.match(line.reason, /not signed.*desk\.so\.sig/);
    await told(() => sign(built.desk, "desk.so"));
    assert.equal(await client.tool("desk__version"), "1.0.0");
});

await report.check("a replacement needs its own; the old one goes on meanwhile", async () => {
    const line = await refused("desk.so", () => place.install(built["desk-next"], "desk.so"));
    assert.match(line.reason, /signature fits none/);
    assert.match(line.still_serving, /^desk@1\.0\.0/);
    assert.equal(await client.tool("desk__version"), "1.0.0");
    sign(built["desk-next"], "desk.so");
    while ((await client.tool("desk__version")) !== "2.0.0");
});

await report.check("plugins check judges by the same rules", async () => {
    const config = ["--config", place.config, "--data", place.data];
    const good = await run(["plugins", "check", place.plugin("desk.so"), ...config]);
    assert.equal(good.code, 0, good.err);
    const unsigned = await run(["plugins", "check", built.desk, ...config]);
    assert.equal(unsigned.code, 1);
    assert.match(unsigned.err, /not signed/);
});

await report.check("a key that cannot be used ends the start, and is named", async () => {
    const other = new Workplace({ config: { plugins: { signature_keys: ["absent.pem"] } } });
    const program = other.start();
    assert.deepEqual(await program.end(), { code: 1, signal: null });
    assert.match(program.err, /absent\.pem/);
});

await report.check("the host ends well", async () => {
    stream.close();
    assert.deepEqual(await host.stop(), { code: 0, signal: null });
});
report.finish();
