// SPDX-License-Identifier: Apache-2.0
// The real servers, unmodified, each twice where it is a process of its own: one that Patchbay
// reaches and one that a client reaches directly. Every way is recorded.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { nodeDir } from "../../tools/packages.mjs";
import { RecordingProxy } from "../capture.mjs";
import { within } from "../report.mjs";

const here = import.meta.dirname;
const node = [process.execPath, ...process.execArgv];
const binary = (name) => path.join(nodeDir, "node_modules/.bin", name);
const shim = path.join(here, "..", "stdio_shim.mjs");
const environment = { PATCHBAY_NODE_DIR: nodeDir, PATH: process.env.PATH };

async function freePort() {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

// A server process; `ready`: what it prints when it listens. Resolves with that match, or undefined
// if it ended before.
async function start(command, ready, env = {}) {
    const child = spawn(command[0], command.slice(1), {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...env },
    });
    const kill = () => child.kill("SIGKILL"); // with a script that dies
    process.on("exit", kill);
    const ended = new Promise((resolve) => child.on("close", resolve));
    ended.then(() => process.off("exit", kill));
    const match = await within(
        new Promise((resolve) => {
            let said = "";
            const hear = (text) => {
                said += text;
                const found = said.match(ready);
                if (found) resolve(found);
            };
            child.stdout.setEncoding("utf8").on("data", hear);
            child.stderr.setEncoding("utf8").on("data", hear);
            ended.then(() => resolve(undefined));
        }),
        `start of ${command.join(" ")}`,
    );
    return { match, stop: () => (kill(), ended) };
}

// A process of server-everything: {origin, stop}.
export async function everything(mode) {
    for (let tries = 0; tries < 5; tries++) {
        const port = await freePort(); // another may take it before it is used
        const command = [process.execPath, binary("mcp-server-everything"), mode];
        const server = await start(command, /(?:listening|running) on port/, { PORT: `${port}` });
        if (server.match) return { ...server, origin: `http://127.0.0.1:${port}` };
    }
    throw new Error("server-everything does not start");
}

// What lasts for one script: `all` maps a server's name to
//   entry    its settings in mcpServers
//   direct   what connect() of a peer takes, recorded in direct.wire
//   toward   what is recorded between Patchbay and it
export class Upstreams {
    constructor(folder) {
        this.folder = folder;
        this.all = {};
        this.stops = [];
    }

    // Over HTTP both ways lead to the same process.
    async http(name, server, tail, entry = {}, target = {}) {
        this.stops.push(server.stop);
        const [direct, toward] = await Promise.all([
            RecordingProxy.start(server.origin),
            RecordingProxy.start(server.origin),
        ]);
        this.stops.unshift(() => direct.stop(), () => toward.stop());
        this.all[name] = {
            entry: { url: toward.origin + tail, ...entry },
            direct: { url: direct.origin + tail, wire: direct, ...target },
            toward,
        };
    }

    // direct and via: the arguments and environment of the two processes.
    stdio(name, command, env = {}) {
        const file = (way) => path.join(this.folder, `${name}.${way}.jsonl`);
        const args = (way) => [...node.slice(1), shim, file(way), ...command];
        const given = (way) => ({
            ...environment,
            ...Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value(way)])),
        });
        this.all[name] = {
            entry: { command: node[0], args: args("via"), env: given("via") },
            direct: {
                command: node[0],
                args: args("direct"),
                env: given("direct"),
                wire: { file: file("direct") },
            },
            toward: { file: file("via") },
        };
    }

    async everything() {
        const [http, sse] = await Promise.all([everything("streamableHttp"), everything("sse")]);
        await this.http("everyhttp", http, "/mcp", { type: "http" });
        await this.http("everysse", sse, "/sse", { type: "sse" }, { sse: true });
        this.stdio("everyio", [process.execPath, binary("mcp-server-everything"), "stdio"]);
    }

    // Speaks the newest era alone.
    async shelf() {
        const script = path.join(here, "modern.mjs");
        const server = await start([...node, script, "http"], /^(\d+)\n/);
        const origin = `http://127.0.0.1:${server.match[1]}`;
        await this.http("shelf", { ...server, origin }, "/mcp", {}, { modern: true });
        this.stdio("shelfio", [...node, script, "stdio"]);
        this.all.shelfio.direct.modern = true;
    }

    // Both ways see the same folder; files() puts it back to how it was.
    filesystem() {
        this.files();
        this.stdio("files", [process.execPath, binary("mcp-server-filesystem"), this.root]);
    }

    files() {
        this.root = path.join(this.folder, "files");
        fs.rmSync(this.root, { recursive: true, force: true });
        fs.mkdirSync(path.join(this.root, "sub"), { recursive: true });
        fs.writeFileSync(path.join(this.root, "a.txt"), "one\ntwo\nthree\n");
        fs.writeFileSync(path.join(this.root, "sub", "b.txt"), "bé\n");
        fs.writeFileSync(path.join(this.root, "p.png"), Buffer.from("89504e470d0a1a0a", "hex"));
    }

    memory() {
        this.stdio("memory", [process.execPath, binary("mcp-server-memory")], {
            MEMORY_FILE_PATH: (way) => path.join(this.folder, `graph.${way}.jsonl`),
        });
    }

    settings() {
        return Object.fromEntries(
            Object.entries(this.all).map(([name, { entry }]) => [name, entry]),
        );
    }

    async stop() {
        for (const stop of this.stops) await stop();
    }
}
