// SPDX-License-Identifier: Apache-2.0
// The program as a user has it: started with arguments, in folders of its own, watched through its
// log, its output and its end. tests/tools/host.mjs is the short form for those who only need a host
// that serves; here a test stops it with any signal, restarts it on its data, or sees it refuse.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Inbox, parseArguments, within } from "../clients/report.mjs";

/** --host BINARY, --desk, --desk-next, --agent, --archive FILE, --examples DIR: what was built. */
export const built = parseArguments();

const atExit = new Set();
process.on("exit", () => atExit.forEach((action) => action()));

export class Program {
    constructor(args, { program = built.host, cwd, env = {}, input = "ignore" } = {}) {
        this.child = spawn(program, args, {
            cwd,
            env: { ...process.env, ...env },
            stdio: [input, "pipe", "pipe"],
        });
        this.out = "";
        this.err = "";
        this.lines = new Inbox(); // of standard error; JSON lines as objects
        this.child.stdout.setEncoding("utf8").on("data", (text) => (this.out += text));
        this.child.stderr.setEncoding("utf8").on("data", (text) => this.heard(text));
        this.ended = new Promise((resolve, reject) => {
            this.child.on("error", reject);
            this.child.on("close", (code, signal) => resolve({ code, signal }));
        });
        this.kill = () => this.child.exitCode ?? this.child.kill("SIGKILL");
        atExit.add(this.kill);
        this.ended.catch(() => {}).finally(() => atExit.delete(this.kill));
    }

    heard(text) {
        const whole = this.err.lastIndexOf("\n") + 1;
        this.err += text;
        const lines = this.err.slice(whole).split("\n");
        for (const line of lines.slice(0, -1)) this.lines.add(parsed(line));
    }

    // The first line of the log with that event for which `matches` holds, from place `from` on.
    event(name, matches = () => true, from = 0) {
        return this.lines.next((line) => line.event === name && matches(line), name, from);
    }

    events(name) {
        return this.lines.items.filter((line) => line.event === name);
    }

    end(what = "the program's end") {
        return within(this.ended, what);
    }

    signal(name) {
        this.child.kill(name);
    }

    async stop(signal = "SIGTERM") {
        this.signal(signal);
        return this.end();
    }
}

function parsed(line) {
    try {
        return JSON.parse(line);
    } catch {
        return { text: line };
    }
}

// Runs a command to its end. Its output, what it printed to standard error, and its exit code.
export async function run(args, options = {}) {
    const program = new Program(args, { ...options, input: "pipe" });
    program.child.stdin.on("error", () => {}); // it may end without reading
    program.child.stdin.end(options.stdin ?? "");
    const { code, signal } = await program.end(args.join(" "));
    assert.equal(signal, null, `${args.join(" ")} was ended by ${signal}\n${program.err}`);
    return { code, out: program.out, err: program.err };
}

// Folders for one host: plugins, orgs, data, and its configuration.
export class Workplace {
    constructor({ config = {}, orgs = {}, plugins = [] } = {}) {
        this.folder = fs.mkdtempSync(path.join(tmpdir(), "patchbay-e2e-"));
        atExit.add(() => fs.rmSync(this.folder, { recursive: true, force: true }));
        this.plugins = this.makeFolder("plugins");
        this.orgs = this.makeFolder("orgs");
        this.data = path.join(this.folder, "data");
        this.config = path.join(this.folder, "patchbay.json");
        this.write(this.config, config);
        for (const [name, org] of Object.entries(orgs)) this.writeOrg(name, org);
        for (const file of plugins) this.install(file);
    }

    makeFolder(name) {
        const made = path.join(this.folder, name);
        fs.mkdirSync(made, { mode: 0o755 });
        return made;
    }

    // A whole file appears at once, as editors and careful installations do it.
    write(file, content) {
        const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
        fs.writeFileSync(`${file}.part`, text);
        fs.renameSync(`${file}.part`, file);
    }

    orgFile(name) {
        return path.join(this.orgs, `${name}.json`);
    }

    writeOrg(name, org) {
        this.write(this.orgFile(name), org);
    }

    plugin(name) {
        return path.join(this.plugins, name);
    }

    install(file, name = path.basename(file)) {
        fs.copyFileSync(file, this.plugin(`${name}.part`));
        fs.chmodSync(this.plugin(`${name}.part`), 0o755);
        fs.renameSync(this.plugin(`${name}.part`), this.plugin(name));
    }

    remove(name) {
        fs.rmSync(this.plugin(name));
    }

    get arguments() {
        const { config, orgs, plugins, data } = this;
        return ["--config", config, "--org-dir", orgs, "--plugins", plugins, "--data", data];
    }

    // For commands that work on what the host keeps.
    get stored() {
        const { config, orgs, data } = this;
        return ["--config", config, "--org-dir", orgs, "--data", data];
    }

    // A new API key.
    async key(...scopes) {
        const asked = scopes.flatMap((scope) => ["--scope", scope]);
        const made = await run(["keys", "create", "k", "--json", ...asked, ...this.stored]);
        if (made.code !== 0) throw new Error(made.err);
        return JSON.parse(made.out).secret;
    }

    // A program that serves, not yet ready; a free port unless the arguments name one.
    start(args = [], options = {}) {
        const port = args.includes("--listen") ? [] : ["--port", "0"];
        const all = ["serve", ...this.arguments, ...port, "--log-format", "json", ...args];
        return new Program(all, { cwd: this.folder, ...options });
    }

    // A host that listens: the program, with its `url`.
    async serve(args, options) {
        const host = this.start(args, options);
        const early = host.end("the start").then(({ code }) => {
            throw new Error(`the host ended with ${code}: ${host.err}`);
        });
        early.catch(() => {});
        const listening = await Promise.race([host.event("listening"), early]);
        host.url = listening.url;
        host.port = listening.port;
        return host;
    }
}
