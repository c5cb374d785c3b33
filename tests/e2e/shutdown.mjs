// SPDX-License-Identifier: Apache-2.0
// A host is told to end while calls run and streams are open.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Report, within } from "../clients/report.mjs";
import { Workplace, built } from "./program.mjs";
import { Legacy, Modern, textOf } from "./wire.mjs";

const report = new Report("shutdown");
const closing = (stream, what) => within(stream.ended, what);

// Whether anybody still answers that the host is well.
async function isReady(host) {
    try {
        return (await fetch(new URL("/healthz", host.url))).ok;
    } catch {
        return false;
    }
}

// A host with one call of each kind inside the plugin, and one stream of each kind open.
async function busyHost(config, tool, args) {
    const place = new Workplace({ config, plugins: [built.desk] });
    const host = await place.serve();
    const modern = new Modern(host.url);
    const legacy = await Legacy.open(host.url);
    const calls = {
        modern: await modern.open(
            "tools/call",
            { name: tool, arguments: args(place, "modern") },
            {
                progressToken: "e2e",
            },
        ),
        legacy: await legacy.open(tool, args(place, "legacy")),
    };
    for (const call of Object.values(calls)) await call.heard("notifications/progress");
    const streams = { modern: await modern.listen(), legacy: await legacy.listen() };
    assert.ok(await isReady(host));
    return { place, host, calls, streams };
}

for (const signal of ["SIGTERM", "SIGINT"]) {
    const { place, host, calls, streams } = await busyHost(
        { drain_ms: 600_000 },
        "desk__wait_for_file",
        ({ folder }) => ({ path: path.join(folder, "go on") }),
    );
    await report.check(`${signal}: the host is not ready any more`, async () => {
        host.signal(signal);
        await host.event("stopping");
        while (await isReady(host));
        assert.equal(host.child.exitCode, null);
    });
    await report.check(`${signal}: streams end with their closing message`, async () => {
        assert.equal(await closing(streams.modern, "listen stream"), "end");
        const cancelled = await streams.modern.heard("notifications/cancelled");
        assert.equal(cancelled.params.requestId, streams.modern.id);
        const { result } = await streams.modern.answer(streams.modern.id);
        assert.equal(result.resultType, "complete");
        assert.equal(await closing(streams.legacy, "GET stream"), "end");
    });
    await report.check(`${signal}: running calls finish with their answer`, async () => {
        fs.writeFileSync(path.join(place.folder, "go on"), "");
        for (const call of Object.values(calls)) {
            assert.equal(textOf(await call.answer(call.id)), "there");
            assert.equal(await closing(call, "the call's stream"), "end");
        }
    });
    await report.check(`${signal}: the exit code is 0`, async () => {
        assert.deepEqual(await host.end(), { code: 0, signal: null });
        assert.equal(host.events("stopped").length, 1);
        assert.equal(host.out, "");
    });
}

{
    const { host, calls } = await busyHost(
        { drain_ms: 200, calls: { default_timeout_ms: 600_000 } },
        "desk__wait",
        (_, tag) => ({ tag }),
    );
    await report.check("a call that does not end is cancelled when its time is over", async () => {
        host.signal("SIGTERM");
        await Promise.all(
            ["modern was cancelled", "legacy was cancelled"].map((message) =>
                host.event("plugin.log", (line) => line.message === message),
            ),
        );
        assert.deepEqual(await host.end(), { code: 0, signal: null });
        for (const call of Object.values(calls)) {
            assert.equal(await closing(call, "the call's stream"), "end");
            const { result } = await call.answer(call.id);
            assert.equal(result.structuredContent.code, "cancelled");
        }
    });
}

await report.check("a port that is taken is said, with exit code 1", async () => {
    const place = new Workplace();
    const host = await place.serve();
    const second = new Workplace().start(["--listen", `127.0.0.1:${host.port}`]);
    assert.deepEqual(await second.end(), { code: 1, signal: null });
    assert.match(second.err, new RegExp(`${host.port}`));
    assert.deepEqual(await host.stop("SIGINT"), { code: 0, signal: null });
});

for (const signal of ["SIGTERM", "SIGINT"]) {
    const { host } = await busyHost(
        { drain_ms: 600_000, calls: { default_timeout_ms: 600_000 } },
        "desk__wait",
        (_, tag) => ({ tag }),
    );
    await report.check(`${signal}: the second one ends the host at once`, async () => {
        host.signal(signal);
        await host.event("stopping");
        host.signal(signal);
        assert.deepEqual(await host.end(), { code: null, signal });
    });
}

{
    const { host } = await busyHost(
        { drain_ms: 200, calls: { grace_ms: 100 } },
        "desk__ignore_everything",
        () => ({}),
    );
    await report.check("a plugin that never gives a call back does not keep the host", async () => {
        assert.deepEqual(await host.stop(), { code: 0, signal: null });
        assert.equal(host.events("stopped.abandoned").length, 1);
    });
}
report.finish();
