// SPDX-License-Identifier: Apache-2.0
// Starts a built host on a free loopback port with its own folders, and ends it.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const READY_WITHIN_MS = 60_000; // generous: the machine may be building something else
const STOPPED_WITHIN_MS = 30_000;

/**
 * @param {object} options
 * @param {string} options.binary   the host's program
 * @param {string} [options.plugins] a folder of plugins
 * @param {object} [options.config] the host's configuration (patchbay.json), as an object
 * @param {Record<string, object|string>} [options.orgs] organisations by id: an object or a file
 * @param {string[]} [options.args] further arguments
 * @param {Record<string, string>} [options.env] further environment
 * @returns {Promise<{pid: number, url: string, mcp: string, folder: string, log: () => string,
 *                    stop: () => Promise<number|null>}>}
 */
export async function startHost({ binary, plugins, config = {}, orgs = {}, args = [], env = {} }) {
    const folder = mkdtempSync(join(tmpdir(), "patchbay-test-"));
    const orgsFolder = join(folder, "orgs");
    mkdirSync(orgsFolder);
    mkdirSync(join(folder, "data"));
    const configFile = join(folder, "patchbay.json");
    writeFileSync(configFile, JSON.stringify(config));
    for (const [id, org] of Object.entries(orgs)) {
        const file = join(orgsFolder, `${id}.json`);
        if (typeof org === "string") cpSync(org, file);
        else writeFileSync(file, JSON.stringify(org));
    }

    const all = ["serve", "--port", "0", "--config", configFile, "--org-dir", orgsFolder];
    all.push("--data", join(folder, "data"));
    if (plugins) all.push("--plugins", plugins);
    const child = spawn(binary, [...all, ...args], {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, ...env },
    });
    // A script that dies takes its host with it.
    const kill = () => child.kill("SIGKILL");
    process.on("exit", kill);
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
    let failure;
    child.on("error", (error) => (failure = error));
    const ended = new Promise((resolve) => child.on("close", resolve));
    const running = () => !failure && child.exitCode === null && child.signalCode === null;

    const stop = async () => {
        if (running()) {
            child.kill("SIGTERM");
            const late = new AbortController();
            const time = sleep(STOPPED_WITHIN_MS, "late", { signal: late.signal }).catch(() => {});
            if ((await Promise.race([ended, time])) === "late") kill();
            late.abort();
            await ended;
        }
        process.off("exit", kill);
        rmSync(folder, { recursive: true, force: true });
        return child.exitCode;
    };

    const until = Date.now() + READY_WITHIN_MS;
    while (running() && Date.now() < until) {
        const port = log.match(/^.*\blistening\b.*\bport"?[=:] ?(\d+)/m)?.[1];
        if (port && (await answers(`http://127.0.0.1:${port}/healthz`))) {
            const url = `http://127.0.0.1:${port}`;
            return { pid: child.pid, url, mcp: `${url}/mcp`, folder, log: () => log, stop };
        }
        await sleep(20);
    }
    const why = failure?.message ?? (running() ? "it was not ready in time" : "it ended");
    await stop();
    throw new Error(`the host did not start: ${why}\n${log}`);
}

async function answers(url) {
    try {
        const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
        await response.body?.cancel();
        return response.ok;
    } catch {
        return false;
    }
}
