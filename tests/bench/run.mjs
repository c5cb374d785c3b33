// SPDX-License-Identifier: Apache-2.0
// Speed, as ratios measured side by side: every subject runs at the same time on the same machine,
// one is loaded at a time, and rounds are interleaved so that a slow moment hits all alike.
//
//   run.mjs --host build/patchbay --plugins DIR --programs DIR [--rounds 5] [--seconds 4]
//           [--connections 1,16,64] [--only patchbay,bare_poco] [--json FILE] [--smoke]
//
// --smoke: one short round, to show that everything runs and every answer is right.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { check, measure } from "./measure.mjs";
import { openSession, subjects, usage } from "./subjects.mjs";

const { values: options } = parseArgs({
    options: {
        host: { type: "string" },
        plugins: { type: "string" },
        programs: { type: "string" },
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "4" },
        connections: { type: "string", default: "1,16,64" },
        only: { type: "string" },
        json: { type: "string" },
        smoke: { type: "boolean", default: false },
    },
});
if (!options.programs || (!options.only && !(options.host && options.plugins))) {
    console.error("run.mjs: give --host, --plugins and --programs");
    process.exit(2);
}
const rounds = options.smoke ? 1 : Number(options.rounds);
const seconds = options.smoke ? 1 : Number(options.seconds);
const loads = options.smoke ? [4] : options.connections.split(",").map(Number);
const wanted = options.only?.split(",");

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function start(all) {
    const targets = [];
    for (const [name, subject] of Object.entries(all)) {
        if (wanted && !wanted.includes(name)) continue;
        const server = await subject.start();
        const target = { name, ...subject, ...server, url: server.mcp, runs: {} };
        targets.push(target);
        running.push(server);
        if (subject.era === "legacy") target.session = await openSession(server.mcp);
        target.before = usage(server.pid);
    }
    return targets;
}

async function measureAll(targets) {
    for (const connections of loads) {
        for (const target of targets) {
            // Also the warm-up.
            target.answer = await check(target, { connections, seconds });
            target.runs[connections] = [];
        }
        for (let round = 0; round < rounds; ++round) {
            for (const target of targets) {
                const load = { connections, seconds };
                target.runs[connections].push(await measure(target, load, target.answer.bytes));
            }
        }
    }
}

const figures = ["per_second", "p50_us", "p99_us"];

// patchbay_is: Patchbay's figure over this subject's; null where Patchbay was not measured.
function summary(target, reference) {
    const rows = loads.map((connections) => {
        const runs = target.runs[connections];
        // Each round's two figures are neighbours in time: the ratio is taken before the median.
        const ratio = (figure) =>
            median(runs.map((run, i) => reference.runs[connections][i][figure] / run[figure]));
        const each = (value) => Object.fromEntries(figures.map((name) => [name, value(name)]));
        return {
            connections,
            ...each((figure) => median(runs.map((run) => run[figure]))),
            answers: runs.reduce((sum, run) => sum + run.answers, 0),
            patchbay_is: reference ? each(ratio) : null,
        };
    });
    const { name, before: idle, after } = target;
    const memory = reference ? { rss_kb: reference.after.rss_kb / after.rss_kb } : null;
    return { name, idle, after, patchbay_is: memory, rows };
}

function print(results) {
    const columns = ["subject", "conn", "calls/s", "ratio", "p50 us", "ratio", "p99 us", "ratio"];
    columns.push("RSS MB", "ratio");
    const widths = [16, 5, 9, 7, 8, 7, 8, 7, 7, 7];
    const line = (cells) => cells.map((cell, i) => String(cell).padStart(widths[i])).join("  ");
    const times = (ratio) => (ratio === undefined ? "" : `${ratio.toFixed(ratio < 0.1 ? 4 : 2)}x`);
    console.log("ratio: Patchbay's figure over the subject's, of the same era");
    console.log(line(columns));
    for (const { name, after, patchbay_is: memory, rows } of results) {
        for (const row of rows) {
            const measured = figures.map((figure) => [
                Math.round(row[figure]),
                times(row.patchbay_is?.[figure]),
            ]);
            const rss = [(after.rss_kb / 1024).toFixed(1), times(memory?.rss_kb)];
            console.log(line([name, row.connections, ...measured.flat(), ...rss]));
        }
    }
}

const running = [];
let failure;
try {
    const targets = await start(subjects(options));
    await measureAll(targets);
    for (const target of targets) target.after = usage(target.pid);
    const named = (name) => targets.find((target) => target.name === name);
    const results = targets.map((target) => {
        const own = target.era === "legacy" ? "patchbay_legacy" : "patchbay";
        return summary(target, named(own));
    });
    print(results);
    if (options.json) {
        const machine = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version };
        writeFileSync(options.json, JSON.stringify({ machine, rounds, seconds, results }, null, 2));
    }
} catch (error) {
    failure = error;
} finally {
    for (const server of running) await server.stop();
}
if (failure) {
    console.error(failure.message);
    process.exit(1);
}
