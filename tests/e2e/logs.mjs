// SPDX-License-Identifier: Apache-2.0
// The log: one line an event, in the chosen shape, nothing while all is well, and no secret.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Report } from "../clients/report.mjs";
import { Program, Workplace, built, run } from "./program.mjs";
import { Legacy, Modern, exchange } from "./wire.mjs";

const report = new Report("logs");
const secret = "s3cr3t-of-the-environment";
const levels = ["debug", "info", "notice", "warning", "error", "critical"];
const org = { capabilities: { desk: { config: { api_key: "${env:E2E_SECRET}" } } } };
const env = { E2E_SECRET: secret };

function makePlace() {
    return new Workplace({ plugins: [built.desk], orgs: { default: org } });
}

// What a day brings: both eras, failures that are the tool's, refusals, secrets in headers.
async function use(host, token) {
    const modern = new Modern(host.url, { authorization: `Bearer ${token}` });
    const headers = { authorization: `Bearer ${token}` };
    const legacy = await Legacy.open(host.url, "2025-11-25", headers);
    const stream = await modern.listen();
    for (let i = 0; i < 20; i++) {
        await modern.tool("desk__version");
        await legacy.tool("desk__version");
        await fetch(new URL("/healthz", host.url));
    }
    await modern.modern("tools/call", { name: "desk__fail", arguments: {} });
    await modern.modern("tools/call", { name: "desk__none", arguments: {} });
    await modern.modern("tools/call", { name: "desk__recall", arguments: { key: 1 } });
    await legacy.send(`{"authorization":"Bearer ${token}",`);
    const large = `Authorization: Bearer ${token}\r\nX: ${"x".repeat(40_000)}`;
    const { text } = await exchange(
        host.port,
        `GET /mcp HTTP/1.1\r\nHost: evil.example\r\n${large}\r\n\r\n`,
    );
    stream.close();
    await legacy.end();
    return text;
}

{
    const place = makePlace();
    const token = await place.key("mcp:read", "mcp:write");
    const host = await place.serve([], { env });
    const started = host.lines.items.length;
    let refusal;
    await report.check("nothing is logged while all is well", async () => {
        refusal = await use(host, token);
        assert.deepEqual(host.lines.items.slice(started), []);
    });
    await report.check("a change that cannot be is one line", async () => {
        const before = host.lines.items.length;
        place.writeOrg("default", "{");
        await host.event("config.refused", () => true, before);
        assert.equal(host.lines.items.length, before + 1);
    });
    await host.stop();
    await report.check("a line is an object with time, level and event", () => {
        assert.ok(host.lines.items.length > 3);
        for (const line of host.lines.items) {
            assert.ok(!line.text, `no JSON: ${line.text}`);
            assert.ok(!Number.isNaN(Date.parse(line.time)), line.time);
            assert.ok(levels.includes(line.level), line.level);
            assert.match(line.event, /^[a-z_]+(\.[a-z_]+)*$/);
        }
        assert.deepEqual(
            ["listening", "stopping", "stopped"].map((event) => host.events(event).length),
            [1, 1, 1],
        );
    });
    await report.check("no secret is in the log, nor in a refusal", () => {
        for (const text of [host.err, refusal]) {
            assert.ok(!text.includes(secret) && !text.includes(token), text);
        }
    });
}

await report.check("at the level debug there is no secret either", async () => {
    const place = makePlace();
    const token = await place.key("mcp:read", "mcp:write");
    const host = await place.serve(["--log-level", "debug"], { env });
    await use(host, token);
    await host.stop();
    assert.ok(!host.err.includes(secret) && !host.err.includes(token), host.err);
});

await report.check("a configuration that does not fit is said without the secret", async () => {
    const place = makePlace();
    const desk = { config: { greeting: "${env:E2E_SECRET} ${env:E2E_UNSET}" } };
    place.writeOrg("default", { capabilities: { desk } });
    const host = await place.serve([], { env });
    await host.event("org.problem", ({ reason }) => /E2E_UNSET/.test(reason));
    await host.stop();
    assert.ok(!host.err.includes(secret), host.err);
    const args = ["config", "check", "--config", place.config, "--org-dir", place.orgs];
    const { code, out, err } = await run(args, { env });
    assert.equal(code, 0);
    assert.match(err, /E2E_UNSET/);
    assert.ok(!(out + err).includes(secret));
});

await report.check("the text form is one line an event, too", async () => {
    const { config, orgs, plugins, data } = makePlace();
    const args = ["--config", config, "--org-dir", orgs, "--plugins", plugins, "--data", data];
    const program = new Program(["serve", "--port", "0", ...args], { env });
    await program.lines.next(({ text }) => /event=listening /.test(text), "listening");
    await program.stop();
    const line = /^\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|notice|warning|error|critical) event=\S+/;
    for (const { text } of program.lines.items) assert.match(text, line);
});

await report.check("--log-level warning is silent on a good day, off always", async () => {
    for (const level of ["warning", "off"]) {
        const place = makePlace();
        const program = place.start(["--log-level", level], { env });
        // Without a log only what it keeps shows that it has come so far; then it serves and ends.
        while (!fs.existsSync(path.join(place.data, "seal.key"))) await sleep(10);
        assert.deepEqual(await program.stop(), { code: 0, signal: null });
        assert.equal(program.err, "");
    }
});
report.finish();
