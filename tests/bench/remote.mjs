// SPDX-License-Identifier: Apache-2.0
// What a call costs more when the tool is a remote server's: the same echo tool of the same host,
// asked directly and through a second host that has the first as a remote server. All run at the
// same time on the same machine, one is loaded at a time, and rounds are interleaved.
//
//   remote.mjs --host build/patchbay --plugins DIR --remote remote_mcp.so [--rounds 7]
//              [--seconds 3] [--connections 1,32] [--servers 50] [--json FILE] [--smoke]
//
// --smoke: one short round, to show that everything runs and every answer is right. The long form
// also fails if a call costs much more among many servers than with one.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { RawModernClient } from "../clients/raw_client.mjs";
import { Upstream } from "../e2e/remote/upstream.mjs";
import { startHost } from "../tools/host.mjs";
import { check, measure } from "./measure.mjs";
import { usage } from "./subjects.mjs";

const { values: options } = parseArgs({
    options: {
        host: { type: "string" },
        plugins: { type: "string" },
        remote: { type: "string" },
        rounds: { type: "string", default: "7" },
        seconds: { type: "string", default: "3" },
        connections: { type: "string", default: "1,32" },
        servers: { type: "string", default: "50" },
        json: { type: "string" },
        smoke: { type: "boolean", default: false },
    },
});
if (!options.host || !options.plugins || !options.remote) {
    console.error("remote.mjs: give --host, --plugins and --remote");
    process.exit(2);
}
const rounds = options.smoke ? 1 : Number(options.rounds);
const seconds = options.smoke ? 1 : Number(options.seconds);
const loads = options.smoke ? [4] : options.connections.split(",").map(Number);
const servers = Number(options.servers);
const toolsEach = 20;
const READY_WITHIN_MS = 60_000;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const running = [];
async function start(settings) {
    const host = await startHost({ binary: options.host, ...settings });
    running.push(host);
    return host;
}

// A host with these remote servers, once it lists all that they have.
async function proxy(folder, mcpServers, tools) {
    const host = await start({
        plugins: folder,
        config: { outbound: { allow_private_cidrs: ["127.0.0.0/8"] } },
        orgs: { default: { capabilities: { "*": { enabled: true } }, mcpServers } },
    });
    const client = new RawModernClient(host.mcp);
    const until = Date.now() + READY_WITHIN_MS;
    for (; Date.now() < until; await sleep(20)) {
        let count = 0;
        for (let cursor; cursor !== null;) {
            const { result } = await client.modern("tools/list", { ...(cursor && { cursor }) });
            cursor = result.nextCursor ?? null;
            count += result.tools.filter(({ name }) => !name.startsWith("remote_mcp__")).length;
        }
        if (count === tools) return host;
    }
    throw new Error(`the ${tools} tools of remote servers were not there in time`);
}

async function startAll(folder) {
    const upstream = await start({ plugins: options.plugins });
    const up = { up: { url: upstream.mcp } };
    const others = {};
    for (let i = 1; i < servers; ++i) {
        const era = i % 2 ? "legacy" : "modern";
        const other = await new Upstream(`other${i}`, { era, tools: toolsEach }).start();
        others[other.name] = { url: other.url };
    }
    const legacy = { up: { url: upstream.mcp, protocol: "2025-11-25" } };
    const many = (servers - 1) * toolsEach + 1;
    const through = { era: "modern", tool: "up__echo__echo", checked: true };
    const targets = [
        { name: "direct", ...through, tool: "echo__echo", host: upstream },
        { name: "through", ...through, host: await proxy(folder, up, 1) },
        { name: "through_legacy", ...through, host: await proxy(folder, legacy, 1) },
        { name: "through_many", ...through, host: await proxy(folder, { ...up, ...others }, many) },
    ];
    const idle = usage((await proxy(folder, {}, 0)).pid);
    for (const target of targets) {
        target.url = target.host.mcp;
        target.idle = usage(target.host.pid);
        target.runs = {};
    }
    return { targets, without: idle };
}

async function measureAll(targets) {
    for (const connections of loads) {
        const load = { connections, seconds };
        for (const target of targets) {
            target.answer = await check(target, load); // also the warm-up
            target.runs[connections] = [];
        }
        for (let round = 0; round < rounds; ++round)
            for (const target of targets)
                target.runs[connections].push(await measure(target, load, target.answer.bytes));
    }
}

// Each round's figures are neighbours in time: they are compared before the median is taken.
function summary([direct, ...targets]) {
    const one = targets[0];
    return [direct, ...targets].flatMap((target) =>
        loads.map((connections) => {
            const runs = target.runs[connections];
            const each = (value) => median(runs.map((run, i) => value(run, i)));
            const base = (i) => direct.runs[connections][i];
            return {
                name: target.name,
                connections,
                p50_us: each((run) => run.p50_us),
                p99_us: each((run) => run.p99_us),
                per_second: each((run) => run.per_second),
                added_p50: each((run, i) => run.p50_us / base(i).p50_us) - 1,
                throughput: each((run, i) => run.per_second / base(i).per_second),
                over_one_server: each((run, i) => run.p50_us / one.runs[connections][i].p50_us),
            };
        }),
    );
}

function print(rows, targets, without) {
    const columns = ["subject", "conn", "calls/s", "of direct", "p50 us", "added p50", "p99 us"];
    const widths = [16, 5, 9, 10, 8, 10, 8, 16];
    const line = (cells) => cells.map((cell, i) => String(cell).padStart(widths[i])).join("  ");
    console.log(line([...columns, "p50 of 1 server"]));
    for (const row of rows)
        console.log(
            line([
                row.name,
                row.connections,
                Math.round(row.per_second),
                `${(100 * row.throughput).toFixed(0)} %`,
                Math.round(row.p50_us),
                `${row.added_p50.toFixed(2)}x`,
                Math.round(row.p99_us),
                row.name.startsWith("through") ? `${row.over_one_server.toFixed(2)}x` : "",
            ]),
        );
    const mb = ({ rss_kb }) => `${(rss_kb / 1024).toFixed(1)} MB`;
    console.log(`resident without a server: ${mb(without)}`);
    for (const { name, idle, after } of targets)
        console.log(`resident, ${name}: ${mb(idle)}, after the load ${mb(after)}`);
    const wanted = rows.filter(({ name }) => name.startsWith("through"));
    const worst = Math.max(...wanted.map(({ added_p50 }) => added_p50));
    console.log(
        `aim: added median at most 1.00x the direct call's own; worst is ${worst.toFixed(2)}x`,
    );
}

const folder = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
let failure;
try {
    copyFileSync(options.remote, join(folder, "remote_mcp.so"));
    const { targets, without } = await startAll(folder);
    await measureAll(targets);
    for (const target of targets) target.after = usage(target.host.pid);
    const rows = summary(targets);
    print(rows, targets, without);
    const grown = rows.filter((row) => row.name === "through_many" && row.over_one_server > 1.5);
    if (!options.smoke && grown.length > 0)
        throw new Error(`a call costs ${grown[0].over_one_server}x among ${servers} servers`);
    if (options.json) {
        const machine = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version };
        const memory = targets.map(({ name, idle, after }) => ({ name, idle, after }));
        const all = { machine, rounds, seconds, servers, rows, memory, without };
        writeFileSync(options.json, JSON.stringify(all, null, 2));
    }
} catch (error) {
    failure = error;
} finally {
    for (const server of running.toReversed()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
}
if (failure) console.error(failure.message);
process.exit(failure ? 1 : 0);
