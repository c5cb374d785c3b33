// SPDX-License-Identifier: Apache-2.0
// What the tests of the runners share: servers of a few lines, and what a runner says of them.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";

/** Runs one of this folder's scripts to its end. */
export async function run(script, ...options) {
    const file = join(import.meta.dirname, script);
    const child = spawn(process.execPath, [...process.execArgv, file, ...options]);
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, lines: text.split("\n") };
}

export const runAgainst = (port) => run("run.mjs", "--url", `http://127.0.0.1:${port}/mcp`);

/** How many scenarios have that word before them. */
export const count = (lines, word) => lines.filter((line) => line.startsWith(`  ${word}`)).length;

/** Runs `body` with the port of a server that answers like `handler`. */
export async function withServer(handler, body) {
    const server = createServer(handler);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
        return await body(server.address().port);
    } finally {
        server.closeAllConnections();
        server.close();
    }
}
