// SPDX-License-Identifier: Apache-2.0
// Runs the official suite against one server and judges what its checks.json files say.
//
// The suite's own verdict is not enough: some scenarios count as passed without a server, and a
// failing check in an unscored scenario does not change its exit code. So every scenario that is
// expected must have run, with as many successful checks as a full pass has, and none may fail,
// warn or be skipped unless expected-counts.json says so and why. The suite is never given a file of
// expected failures.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { nodeDir } from "../tools/packages.mjs";

const RUN_WITHIN_MS = 240_000;

const program = join(nodeDir, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

/** Runs one selection of scenarios; the answer has every scenario's checks. */
export async function runSuite({ url, args, out }) {
    if (!existsSync(program)) throw new Error(`no suite in ${nodeDir}: run tests/tools/install`);
    mkdirSync(out, { recursive: true });
    const command = [program, "server", "--url", url, ...args, "-o", out];
    const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), RUN_WITHIN_MS);
    const code = await new Promise((resolve) => child.on("close", resolve));
    clearTimeout(timer);
    return { code, text, scenarios: readChecks(out) };
}

function readChecks(out) {
    const scenarios = new Map();
    for (const folder of readdirSync(out).sort()) {
        const name = folder.match(/^server-(.+?)-\d{4}-\d\d-\d\dT/)?.[1];
        const file = join(out, folder, "checks.json");
        if (!name) continue;
        // A scenario that died leaves its folder without a file.
        const checks = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
        scenarios.set(name, [...(scenarios.get(name) ?? []), ...checks]);
    }
    return scenarios;
}

/** Compares one run with what is expected of it; a row for each scenario, and all problems. */
export function judge(expected, run, result) {
    const rows = [];
    const problems = [];
    const served = (name) => !expected.not_served.some((e) => name.startsWith(e.scenarios));
    for (const [name, count] of Object.entries(run.scenarios)) {
        const checks = result.scenarios.get(name);
        const found = checks ? judgeScenario(expected, name, count, checks) : ["it did not run"];
        const passed = checks?.filter((check) => check.status === "SUCCESS").length ?? 0;
        rows.push({ name, passed, expected: count, ok: found.length === 0 });
        problems.push(...found.map((text) => `${run.name} ${name}: ${text}`));
    }
    for (const name of result.scenarios.keys()) {
        if (!(name in run.scenarios) && served(name)) {
            problems.push(`${run.name} ${name}: it ran, but expected-counts.json does not know it`);
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
    const passed = checks.filter((check) => check.status === "SUCCESS").length;
    if (![count].flat().includes(passed)) {
        problems.push(`${passed} checks succeeded where a full pass has ${[count].flat().join(" or ")}`);
    }
    return problems;
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
