// SPDX-License-Identifier: Apache-2.0
// Runs the official suite against one server or client and judges what its checks.json files say.
//
// The suite's own verdict is not enough: some scenarios count as passed without a server or with a
// client that does nothing, and a failing check in an unscored scenario does not change its exit
// code. So every scenario that is expected must have run, with as many successful checks as a full
// pass has, and none may fail, warn or be skipped unless the file of expected counts says so and why.
// The suite is never given a file of expected failures.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nodeDir } from "../tools/packages.mjs";

const RUN_WITHIN_MS = 240_000;

const program = join(nodeDir, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

/**
 * Runs one selection of scenarios; the answer has every scenario's checks.
 * target: ["server", "--url", url], ["client", "--command", command] or
 * ["authorization", "--url", url, ...]. onLine: is given each line that the suite prints.
 */
export async function runSuite({ target, args, out, onLine }) {
    if (!existsSync(program)) throw new Error(`no suite in ${nodeDir}: run tests/tools/install`);
    mkdirSync(out, { recursive: true });
    const command = [program, ...target, ...args, "-o", out];
    const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    }
    if (onLine) createInterface({ input: child.stdout }).on("line", onLine);
    const timer = setTimeout(() => child.kill("SIGKILL"), RUN_WITHIN_MS);
    const code = await new Promise((resolve) => child.on("close", resolve));
    clearTimeout(timer);
    return { code, text, scenarios: readChecks(out) };
}

function readChecks(out) {
    const scenarios = new Map();
    for (const folder of readdirSync(out, { recursive: true }).sort()) {
        // "server-ping-2026-11-21T22-15-14-426Z", "auth/dpop-2026-11-21T22-15-14-426Z",
        // "authorization-server-authorization-code-grant-2026-11-21T22-15-14-426Z"
        const name = folder.match(
            /^(?:(?:authorization-)?server-)?(.+?)-\d{4}-\d\d-\d\dT[^/]*$/,
        )?.[1];
        const file = join(out, folder, "checks.json");
        if (!name) continue;
        // A scenario that died leaves its folder without a file.
        const checks = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
        scenarios.set(name, [...(scenarios.get(name) ?? []), ...checks]);
    }
    return scenarios;
}

// How often the same check of a client is made depends on how many requests it sends: there each
// counts once.
function countPassed(expected, checks) {
    const passed = checks.filter((check) => check.status === "SUCCESS");
    return expected.distinct ? new Set(passed.map(({ id, name }) => `${id} ${name}`)).size : passed.length;
}

/** Compares one run with what is expected of it; a row for each scenario, and all problems. */
export function judge(expected, run, result) {
    const rows = [];
    const problems = [];
    const served = (name) => !expected.not_served.some((e) => name.startsWith(e.scenarios));
    for (const [name, count] of Object.entries(run.scenarios)) {
        const checks = result.scenarios.get(name);
        const found = checks ? judgeScenario(expected, name, count, checks) : ["it did not run"];
        const passed = countPassed(expected, checks ?? []);
        rows.push({ name, passed, expected: count, ok: found.length === 0 });
        problems.push(...found.map((text) => `${run.name} ${name}: ${text}`));
    }
    for (const name of result.scenarios.keys()) {
        if (!(name in run.scenarios) && served(name)) {
            problems.push(`${run.name} ${name}: it ran, but no count is expected of it`);
        }
    }
    problems.push(...judgeTotals(run, result).map((text) => `${run.name}: ${text}`));
    return { rows, problems };
}

function judgeScenario(expected, name, count, checks) {
    const problems = [];
    const allowed = (list, id) => list.some((e) => e.scenario === name && e.check === id);
    for (const { status, id, errorMessage, details } of checks) {
        const said = errorMessage ?? (details ? JSON.stringify(details) : "no reason given");
        if (status === "SUCCESS" || status === "INFO") continue;
        if (status === "WARNING" && allowed(expected.warnings, id)) continue;
        if (status === "SKIPPED" && allowed(expected.skipped, id)) continue;
        problems.push(`${status} ${id}: ${said}`);
    }
    const passed = countPassed(expected, checks);
    if (![count].flat().includes(passed)) {
        problems.push(`${passed} checks succeeded where a full pass has ${[count].flat().join(" or ")}`);
    }
    return problems;
}

/** Runs and judges every selection; prints each, and returns the problems. */
export async function runAll({ expected, target, out, problems, onLine }) {
    let checks = 0;
    for (const run of expected.runs) {
        const folder = join(out, run.name);
        rmSync(folder, { recursive: true, force: true }); // what an earlier run left is not this one's
        const result = await runSuite({ target, args: run.arguments, out: folder, onLine });
        const verdict = judge(expected, run, result);
        print(run, verdict.rows);
        problems.push(...verdict.problems);
        checks += verdict.rows.reduce((sum, row) => sum + row.passed, 0);
    }
    return checks;
}

function print(run, rows) {
    console.log(`\n${run.name}: ${rows.filter((row) => row.ok).length} of ${rows.length} scenarios`);
    for (const { name, passed, expected: count, ok } of rows) {
        const counts = `${passed} of ${[count].flat().join(" or ")}`;
        console.log(`  ${ok ? "ok  " : "FAIL"}  ${name.padEnd(48)} ${counts}`);
    }
}

/** Says what was allowed and what went wrong, and ends the process accordingly. */
export function conclude({ expected, checks, problems }) {
    for (const { scenarios, reason } of expected.not_served) {
        console.log(`\nnot served: ${scenarios}* (${reason})`);
    }
    for (const [kind, list] of [["warning", expected.warnings], ["skipped", expected.skipped]]) {
        for (const { scenario, check, reason } of list) {
            console.log(`allowed ${kind}: ${scenario} ${check} (${reason})`);
        }
    }
    console.log(`\n${checks} checks succeeded, ${problems.length} problems`);
    for (const problem of problems) console.log(`  ${problem}`);
    process.exit(problems.length === 0 ? 0 : 1);
}

// The suite's own totals guard against its output changing under this reader.
function judgeTotals(run, { code, text, scenarios }) {
    const problems = [];
    if (scenarios.size === 0) problems.push(`no scenario ran:\n${text.slice(-2000)}`);
    if (code !== 0) problems.push(`the suite ended with ${code}`);
    const unscored = Number(text.match(/Not scored for .*?: (\d+) scenario/)?.[1] ?? 0);
    const scored = scenarios.size - unscored;
    if (scored !== run.scored) problems.push(`${scored} scored scenarios ran, not ${run.scored}`);
    return problems;
}
