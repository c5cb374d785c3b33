// SPDX-License-Identifier: Apache-2.0
// What the clients connect to, with the wire recorded: a Patchbay host over HTTP or stdio, or the
// reference server (reference/server.mjs), which proves the scripts themselves.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { startHost } from "../tools/host.mjs";
import { RecordingProxy, readShimCapture } from "./capture.mjs";
import { checkEras } from "./era.mjs";
import { within } from "./report.mjs";

const here = import.meta.dirname;
const referenceServer = path.join(here, "reference", "server.mjs");
const errorLine = /^\S+ (error|critical) event=/;

// options: {target: "host" | "reference", transport: "http" | "stdio", host: the host's binary,
//   plugins: folders of built plugins (all of their files are served), extra: the plugin file that
//   addExtra() drops in, out: folder for captures, name}
export async function openTarget(options) {
    fs.mkdirSync(options.out, { recursive: true });
    const target = new Target(options);
    await (options.transport === "http" ? target.openHttp() : target.openStdio());
    return target;
}

class Target {
    constructor(options) {
        this.options = options;
        this.isHost = options.target === "host";
        this.folder = fs.mkdtempSync(path.join(options.out, `${options.name}-`));
        this.plugins = path.join(this.folder, "plugins");
        this.captureFile = path.join(options.out, `${options.name}.jsonl`);
        fs.rmSync(this.captureFile, { force: true });
        fs.mkdirSync(this.plugins, { mode: 0o755 });
        for (const folder of this.isHost ? options.plugins : []) {
            for (const file of fs.readdirSync(folder)) {
                if (file.endsWith(".so")) this.install(path.join(folder, file));
            }
        }
    }

    async openHttp() {
        const origin = this.isHost ? await this.startHost() : await this.startReference();
        this.proxy = await RecordingProxy.start(origin, this.captureFile);
        this.url = `${this.proxy.origin}/mcp`;
    }

    async startHost() {
        this.server = await startHost({
            binary: this.options.host,
            plugins: this.plugins,
            config: this.options.config,
            orgs: this.options.orgs,
        });
        return this.server.url;
    }

    async startReference() {
        const child = spawn(process.execPath, [...process.execArgv, referenceServer, "http"], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        const kill = () => child.kill("SIGKILL"); // with a script that dies
        process.on("exit", kill);
        const ended = new Promise((resolve) => child.on("close", resolve));
        ended.then(() => process.off("exit", kill));
        this.server = {
            log: () => "",
            stop: async () => {
                child.kill("SIGTERM");
                return ended;
            },
        };
        const port = await within(
            new Promise((resolve) => child.stdout.once("data", resolve)),
            "start of the reference server",
        );
        return `http://127.0.0.1:${Number(port.toString())}`;
    }

    openStdio() {
        const data = path.join(this.folder, "data");
        fs.mkdirSync(data);
        const server = this.isHost
            ? [this.options.host, "stdio", "--plugins", this.plugins, "--data", data]
            : [process.execPath, ...process.execArgv, referenceServer, "stdio"];
        // Clients pass on little of their environment.
        this.env = { PATCHBAY_NODE_DIR: process.env.PATCHBAY_NODE_DIR };
        this.command = process.execPath;
        this.args = [path.join(here, "stdio_shim.mjs"), this.captureFile, ...server];
    }

    // A whole file appears at once, as a careful installation does it.
    install(file) {
        const name = path.join(this.plugins, path.basename(file));
        fs.copyFileSync(file, `${name}.part`);
        fs.chmodSync(`${name}.part`, 0o755);
        fs.renameSync(`${name}.part`, name);
    }

    addExtra() {
        this.install(this.options.extra);
    }

    removeExtra() {
        fs.rmSync(path.join(this.plugins, path.basename(this.options.extra)));
    }

    capture() {
        return this.proxy
            ? { exchanges: this.proxy.exchanges }
            : { connections: readShimCapture(this.captureFile) };
    }

    // Ends the server and checks how it ended and, in its log, that nothing went wrong in it.
    async stop(report) {
        if (this.proxy) {
            const code = await this.server.stop();
            await this.proxy.stop();
            if (!this.isHost) return this.remove();
            await report.check("the host ends with exit code 0", () => assert.equal(code, 0));
            await report.check("the host logged no error", () => noErrors(this.server.log()));
        } else if (this.isHost) {
            const connections = readShimCapture(this.captureFile);
            await report.check("every stdio host ended with exit code 0", () => {
                assert.ok(connections.length > 0);
                assert.deepEqual(
                    connections.map(({ exit }) => exit),
                    connections.map(() => ({ code: 0, signal: null })),
                );
            });
            await report.check("the stdio hosts logged no error", () =>
                noErrors(
                    connections
                        .flatMap(({ lines }) =>
                            lines.filter(({ from }) => from === "stderr").map(({ text }) => text),
                        )
                        .join("\n"),
                ),
            );
        }
        this.remove();
    }

    // The era check over all that was recorded. `eras`: which must have been spoken at all. The host
    // is also held to what the specification only recommends.
    async checkWire(report, eras) {
        const { problems, stats } = checkEras(this.capture());
        for (const era of ["modern", "legacy"]) {
            if (!eras.includes(era)) continue;
            await report.check(`the wire carried the ${era} era`, () => assert.ok(stats[era] > 0));
        }
        const found = problems.filter(({ level }) => level === "must" || this.isHost);
        const lines = [...new Set(found.map(({ where, text }) => `${where}: ${text}`))];
        await report.check(
            `the wire keeps the rules of its era (${stats.modern} modern, ` +
                `${stats.legacy} legacy messages)`,
            () => assert.equal(lines.join("\n"), ""),
        );
    }

    remove() {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}

function noErrors(log) {
    assert.equal(
        log
            .split("\n")
            .filter((line) => errorLine.test(line))
            .join("\n"),
        "",
    );
}
