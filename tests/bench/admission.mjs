// SPDX-License-Identifier: Apache-2.0
// What it costs that every call is admitted: the same echo tool of two hosts, one for anybody on
// this machine and without a trail, the other with keys, scopes, rules, limits and the audit trail;
// and that one again with arguments and results in the trail. One is loaded at a time, rounds are
// interleaved. Every call has to be in the trail.
//
//   admission.mjs --host build/patchbay --plugins DIR [--rounds 7] [--seconds 3]
//                 [--connections 1,16,64] [--json FILE] [--smoke]
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { startHost } from "../tools/host.mjs";
import { check, measure } from "./measure.mjs";
import { usage } from "./subjects.mjs";

const { values: options } = parseArgs({
    options: {
        host: { type: "string" },
        plugins: { type: "string" },
        rounds: { type: "string", default: "7" },
        seconds: { type: "string", default: "3" },
        connections: { type: "string", default: "1,16,64" },
        json: { type: "string" },
        smoke: { type: "boolean", default: false },
    },
});
if (!options.host || !options.plugins) {
    console.error("admission.mjs: give --host and --plugins");
    process.exit(2);
}
const rounds = options.smoke ? 1 : Number(options.rounds);
const seconds = options.smoke ? 1 : Number(options.seconds);
const loads = options.smoke ? [4] : options.connections.split(",").map(Number);
const aim = 0.85;
const WRITTEN_WITHIN_MS = 60_000;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const run = promisify(execFile);

// Not one of these may ever say no here, but each has to be asked.
const endless = { per_minute: 1e9, burst: 1e9 };
const access = {
    forbidden: [{ roles: ["member"], tools: ["echo__nothing*"] }, { capabilities: ["other"] }],
    limits: { credential: endless, org: endless, tools: { "echo__*": endless } },
};

async function startOne(name, config, org) {
    const host = await startHost({
        binary: options.host,
        plugins: options.plugins,
        config,
        orgs: { default: { capabilities: { "*": { enabled: true } }, ...org } },
    });
    return { name, host, url: host.mcp, era: "modern", tool: "echo__echo", checked: true, runs: {} };
}

async function makeKey({ host }) {
    const place = ["--config", join(host.folder, "patchbay.json")];
    place.push("--data", join(host.folder, "data"), "--org-dir", join(host.folder, "orgs"));
    const scopes = ["mcp:read", "mcp:write", "action:echo"].flatMap((s) => ["--scope", s]);
    const { stdout } = await run(options.host, ["keys", "create", "bench", ...place, ...scopes]);
    return stdout.trim();
}

const calls = ({ host }) => {
    const database = new DatabaseSync(join(host.folder, "data", "audit.db"), { readOnly: true });
    try {
        return database.prepare("SELECT count(*) AS n FROM record").get().n;
    } finally {
        database.close();
    }
};

// What wrk sent last may have been served after it stopped counting: at least so many.
async function allWritten(target, answered) {
    const until = Date.now() + WRITTEN_WITHIN_MS;
    while (calls(target) < answered) {
        if (Date.now() > until)
            throw new Error(`${target.name}: ${calls(target)} records of ${answered} calls`);
        await sleep(100);
    }
    return calls(target);
}

const running = [];
let failure;
try {
    const anonymous = { access: { anonymous: "never" } };
    const off = await startOne("off", { audit: { enabled: false } }, {});
    running.push(off);
    const on = await startOne("on", anonymous, { access });
    running.push(on);
    const kept = { arguments: true, results: true, redact: ["ssn", "/customer/name"] };
    const full = await startOne("on, with arguments", anonymous, { access, audit: kept });
    running.push(full);
    for (const target of [on, full]) target.key = await makeKey(target);

    for (const target of running) target.answered = 0;
    for (const connections of loads) {
        const load = { connections, seconds };
        for (const target of running) {
            const looked = await check(target, load); // also the warm-up
            target.bytes = looked.bytes;
            target.answered += looked.answers;
            target.runs[connections] = [];
        }
        for (let round = 0; round < rounds; ++round)
            for (const target of running) {
                const figures = await measure(target, load, target.bytes);
                target.answered += figures.answers;
                target.runs[connections].push(figures);
            }
    }
    const rows = running.flatMap((target) =>
        loads.map((connections) => {
            const runs = target.runs[connections];
            const base = off.runs[connections];
            return {
                name: target.name,
                connections,
                per_second: median(runs.map((one) => one.per_second)),
                p50_us: median(runs.map((one) => one.p50_us)),
                p99_us: median(runs.map((one) => one.p99_us)),
                kept: median(runs.map((one, i) => one.per_second / base[i].per_second)),
            };
        }),
    );
    for (const row of rows)
        console.log(
            `${row.name.padEnd(20)} ${String(row.connections).padStart(3)} connections  ` +
                `${Math.round(row.per_second)}/s  ${(100 * row.kept).toFixed(0)} % of off  ` +
                `p50 ${row.p50_us} us  p99 ${row.p99_us} us`,
        );
    for (const target of [on, full]) {
        const records = await allWritten(target, target.answered);
        console.log(`${target.name}: ${records} records of ${target.answered} answered calls`);
    }
    for (const { name, host } of running)
        console.log(`resident, ${name}: ${(usage(host.pid).rss_kb / 1024).toFixed(1)} MB`);
    const worst = Math.min(...rows.filter(({ name }) => name === "on").map(({ kept }) => kept));
    console.log(`aim: at least ${100 * aim} % kept; worst is ${(100 * worst).toFixed(0)} %`);
    if (options.json) {
        const machine = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version };
        writeFileSync(options.json, JSON.stringify({ machine, rounds, seconds, rows }, null, 2));
    }
} catch (error) {
    failure = error;
} finally {
    for (const { host } of running.toReversed()) await host.stop();
}
if (failure) console.error(failure.message);
process.exit(failure ? 1 : 0);
