// SPDX-License-Identifier: Apache-2.0
// A remote server that is a program (stdio, 2025-11-25). Arguments say how it is: "stubborn" ends
// neither with its input nor by SIGTERM, "family" has a child of its own.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const is = (how) => process.argv.includes(how);
const grandchild = is("family")
    ? spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { stdio: "ignore" })
    : undefined;
if (is("stubborn")) {
    process.on("SIGTERM", () => {});
    setInterval(() => {}, 1e6);
}

const about = () => ({
    pid: process.pid,
    grandchild: grandchild?.pid,
    cwd: process.cwd(),
    env: process.env,
});
const tools = ["about", "exit", "garbage"].map((name) => ({
    name,
    inputSchema: { type: "object" },
}));

function result({ method, params }) {
    if (method === "initialize") {
        const { protocolVersion } = params;
        const serverInfo = { name: "child", version: "1.0.0" };
        return { protocolVersion, capabilities: { tools: {} }, serverInfo };
    }
    if (method === "ping") return {};
    if (method === "tools/list") return { tools };
    if (method !== "tools/call") return undefined;
    if (params.name === "exit") process.exit(3);
    if (params.name === "garbage") process.stdout.write("Server is running!\n{\n[[[[\n\u0000\n");
    return { content: [{ type: "text", text: JSON.stringify(about()) }] };
}

console.error("starting");
createInterface({ input: process.stdin }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.id === undefined) return;
    const found = message.method === "server/discover" ? undefined : result(message);
    const answer = found
        ? { result: found }
        : { error: { code: -32601, message: "Method not found" } };
    process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, ...answer })}\n`);
});
