// SPDX-License-Identifier: Apache-2.0
// One run of wrk against one subject, and what its figures must satisfy to count.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const script = join(import.meta.dirname, "call.lua");

/** @param {"check"|"measure"} mode as in call.lua */
async function wrk(mode, { url, era, tool, session, key }, { connections, seconds }) {
    const threads = Math.min(2, connections);
    const args = [`-t${threads}`, `-c${connections}`, `-d${seconds}s`, "--timeout", "30s"];
    args.push("-s", script, url, "--", mode, era, tool);
    if (session || key) args.push(session ?? "");
    if (key) args.push(key);
    const { stdout } = await run("wrk", args, { maxBuffer: 1 << 24 });
    return JSON.parse(stdout.trim().split("\n").at(-1));
}

function failures({ status, connect, read, write, timeout, wrong, requests }) {
    const counts = { status, connect, read, write, timeout, wrong };
    const found = Object.entries(counts).filter(([, count]) => count > 0);
    if (requests === 0) found.push(["requests", 0]);
    return found.map(([name, count]) => `${name}: ${count}`).join(", ");
}

/** Looks at every answer; the size of one. Throws if any is not 200 and right. */
export async function check(target, load) {
    const result = await wrk(target.checked ? "check" : "measure", target, load);
    const wrong = failures(result);
    if (wrong) throw new Error(`${target.name}: wrong answers (${wrong}) ${result.example}`);
    return { answers: result.requests, bytes: Math.round(result.bytes / result.requests) };
}

/**
 * Measures. All answers are 200, and as many bytes came as that many right answers have: what is
 * under way at the end, at most one answer for each connection, is the tolerance.
 */
export async function measure(target, load, answerBytes) {
    const result = await wrk("measure", target, load);
    const surplus = result.bytes - result.requests * answerBytes;
    const wrong = failures(result);
    if (wrong || Math.abs(surplus) > (load.connections + 1) * answerBytes) {
        throw new Error(`${target.name}: wrong answers (${wrong || `${surplus} bytes too many`})`);
    }
    return {
        per_second: result.requests / result.seconds,
        answers: result.requests,
        p50_us: result.p50_us,
        p99_us: result.p99_us,
    };
}
