// SPDX-License-Identifier: Apache-2.0
// What is measured: each subject is a process that answers tools/call of an echo tool.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startHost } from "../tools/host.mjs";

const here = import.meta.dirname;
const READY_WITHIN_MS = 60_000;

/** Resident memory and threads of a process. */
export function usage(pid) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const number = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))?.[1] ?? 0);
    return { rss_kb: number("VmRSS"), peak_kb: number("VmHWM"), threads: number("Threads") };
}

/** Starts a program that prints its port and ends when its standard input does. */
async function startProgram(command, args) {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const port = await new Promise((resolve, reject) => {
        const fail = (why) => reject(new Error(`${command} ${args.join(" ")}: ${why}`));
        const late = setTimeout(() => fail("was not ready in time"), READY_WITHIN_MS);
        child.on("error", (error) => fail(error.message));
        child.on("close", (code) => fail(`ended with ${code}`));
        let text = "";
        child.stdout.setEncoding("utf8").on("data", (more) => {
            text += more;
            if (!text.includes("\n")) return;
            clearTimeout(late);
            resolve(Number(text));
        });
    });
    const stop = async () => {
        child.stdin.end();
        const late = setTimeout(() => child.kill("SIGKILL"), READY_WITHIN_MS);
        await ended;
        clearTimeout(late);
    };
    return { pid: child.pid, mcp: `http://127.0.0.1:${port}/mcp`, stop };
}

/** Opens a legacy session; its id. */
export async function openSession(url) {
    const headers = {
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    };
    const params = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "bench", version: "1" },
    };
    const post = (body, more = {}) =>
        fetch(url, { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(body) });
    const opened = await post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    await opened.text();
    const session = opened.headers.get("mcp-session-id");
    if (!opened.ok || !session) throw new Error(`${url}: initialize answered ${opened.status}`);
    const ready = await post(
        { jsonrpc: "2.0", method: "notifications/initialized" },
        { "Mcp-Session-Id": session },
    );
    await ready.text();
    return session;
}

/**
 * The subjects by name: start() gives {pid, mcp, stop}; checked: whether the answer depends on the
 * request at all.
 */
export function subjects({ host, plugins, programs }) {
    const node = (file) => () =>
        startProgram(process.execPath, [
            "--import",
            join(here, "../tools/packages.mjs"),
            join(here, "servers", file),
        ]);
    const own = (name) => () => startProgram(join(programs, name), []);
    const patchbay = () => startHost({ binary: host, plugins });
    return {
        raw_epoll: { start: own("bench_raw_epoll"), era: "modern", tool: "echo", checked: false },
        bare_poco: { start: own("bench_bare_poco"), era: "modern", tool: "echo", checked: true },
        patchbay: { start: patchbay, era: "modern", tool: "echo__echo", checked: true },
        patchbay_legacy: { start: patchbay, era: "legacy", tool: "echo__echo", checked: true },
        typescript_v2: { start: node("ts_v2.mjs"), era: "modern", tool: "echo", checked: true },
        typescript_v1: { start: node("ts_v1.mjs"), era: "legacy", tool: "echo", checked: true },
    };
}
