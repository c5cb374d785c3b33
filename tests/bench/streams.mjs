// SPDX-License-Identifier: Apache-2.0
// Idle streams: what ten thousand open subscriptions cost the host, and how long a change of the tool
// list (a plugin file copied into the plugins folder) takes to reach them all.
//
//   streams.mjs --host build/patchbay --plugins DIR --late FILE --programs DIR [--count 10000]
//               [--processes 2] [--json FILE]
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync, copyFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { startHost } from "../tools/host.mjs";
import { usage } from "./subjects.mjs";

const { values: options } = parseArgs({
    options: {
        host: { type: "string" },
        plugins: { type: "string" },
        late: { type: "string" },
        programs: { type: "string" },
        count: { type: "string", default: "10000" },
        processes: { type: "string", default: "2" },
        json: { type: "string" },
    },
});
if (!(options.host && options.plugins && options.late && options.programs)) {
    console.error("streams.mjs: give --host, --plugins, --late and --programs");
    process.exit(2);
}
const processes = Number(options.processes);
const each = Math.ceil(Number(options.count) / processes);
const count = each * processes;

/** One client process; next() is its next line. */
function openStreams(port) {
    const child = spawn(join(options.programs, "bench_streams"), [port, String(each)], {
        stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => {
        const { value, done } = await lines.next();
        if (done) throw new Error("a client process ended before all its streams had answered");
        return JSON.parse(value);
    };
    const stop = async () => {
        child.stdin.end();
        await ended;
    };
    return { next, stop };
}

/** A whole file under its final name at once, as an installer should do it. */
function install(file, folder) {
    const hidden = join(folder, `.${basename(file)}.part`);
    copyFileSync(file, hidden);
    const start = process.hrtime.bigint();
    renameSync(hidden, join(folder, basename(file)));
    return start;
}

async function measure(host, plugins, clients) {
    const before = usage(host.pid);
    const opening = process.hrtime.bigint();
    for (let i = 0; i < processes; ++i) clients.push(openStreams(new URL(host.url).port));
    for (const client of clients) await client.next();
    const opened = process.hrtime.bigint();
    const open = usage(host.pid);

    const start = install(options.late, plugins);
    const heard = [];
    for (const client of clients) heard.push(await client.next());
    const after = usage(host.pid);
    const first = Math.min(...heard.map((one) => one.first_ns));
    const last = Math.max(...heard.map((one) => one.last_ns));
    const ms = (ns) => Math.round(Number(ns) / 1e4) / 100;
    return {
        streams: count,
        opened_ms: ms(opened - opening),
        threads: { before: before.threads, open: open.threads, after: after.threads },
        rss_kb: { before: before.rss_kb, open: open.rss_kb, after: after.rss_kb },
        bytes_per_stream: Math.round(((open.rss_kb - before.rss_kb) * 1024) / count),
        change: {
            reached: heard.reduce((sum, one) => sum + one.heard, 0),
            until_first_ms: ms(BigInt(first) - start),
            until_all_ms: ms(BigInt(last) - start),
            first_to_last_ms: ms(last - first),
        },
    };
}

const plugins = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
const clients = [];
let host, failure;
try {
    cpSync(options.plugins, plugins, { recursive: true });
    host = await startHost({ binary: options.host, plugins });
    const result = await measure(host, plugins, clients);
    console.log(JSON.stringify(result, null, 2));
    if (options.json) writeFileSync(options.json, JSON.stringify(result, null, 2));
} catch (error) {
    failure = error;
} finally {
    for (const client of clients) await client.stop();
    const code = await host?.stop();
    if (host && code !== 0) failure ??= new Error(`the host ended with ${code}\n${host.log()}`);
    rmSync(plugins, { recursive: true, force: true });
}
if (failure) {
    console.error(failure.message);
    process.exit(1);
}
