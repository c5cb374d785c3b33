// SPDX-License-Identifier: Apache-2.0
// mcp-remote, unmodified: a program that does the OAuth for clients that only know standard input
// and output. Here the client is the official 1.x one.
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { nodeDir } from "../../tools/packages.mjs";

const program = path.join(nodeDir, "node_modules/mcp-remote/dist/proxy.js");

export class RemoteClient {
    // metadataUrl: where the client describes itself, if it does.
    static async make({ url, metadataUrl }) {
        const folder = fs.mkdtempSync(path.join(tmpdir(), "patchbay-mcp-remote-"));
        process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
        return Object.assign(new RemoteClient(), { url, folder, metadataUrl });
    }

    // The one file of that name in its folder, and what it holds.
    file(name) {
        const all = fs.readdirSync(this.folder, { recursive: true });
        const found = all.find((each) => each.endsWith(name));
        return found && path.join(this.folder, found);
    }
    read(name) {
        const file = this.file(name);
        return file && JSON.parse(fs.readFileSync(file, "utf8"));
    }

    get tokens() {
        return this.read("tokens.json");
    }

    // False if the person said no.
    async connect(authorize) {
        this.log = "";
        this.transport = new StdioClientTransport({
            command: process.execPath,
            args: [program, this.url, "--transport", "http-only", "--auth-timeout", "300"].concat(
                this.metadataUrl ? ["--client-metadata-url", this.metadataUrl] : [],
            ),
            // It opens no browser of its own: it prints where to go.
            env: { PATH: process.env.PATH, MCP_REMOTE_CONFIG_DIR: this.folder, BROWSER: "true" },
            stderr: "pipe",
        });
        this.transport.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
        this.client = new Client({ name: "sign-in-test", version: "1.0.0" });
        const asked = this.link();
        const connected = this.client.connect(this.transport, { timeout: 300_000 });
        connected.catch(() => {});
        const url = await Promise.race([connected, asked]);
        if (!url) return true;
        if (!authorize) throw new Error("mcp-remote wants a person to sign in");
        const params = await authorize(url, url.searchParams.get("redirect_uri"));
        if (params.has("error")) return false;
        await connected;
        return true;
    }

    // Where it wants a person to go, from now on.
    link() {
        const from = this.log.length;
        return new Promise((resolve) => {
            this.transport.stderr.on("data", () => {
                const link = this.log.slice(from).match(/visiting:\s+(http\S+)\s/);
                if (link) resolve(new URL(link[1]));
            });
        });
    }

    async tools() {
        return (await this.client.listTools()).tools.map(({ name }) => name);
    }

    // Fails if mcp-remote asks for a sign-in meanwhile.
    call(name, args) {
        const asked = this.link().then((url) => {
            throw new Error(`mcp-remote wants a person at ${url}`);
        });
        return Promise.race([this.client.callTool({ name, arguments: args }), asked]);
    }

    // As if the access token had run out.
    async loseAccess() {
        const file = this.file("tokens.json");
        const tokens = { ...this.tokens, access_token: `gone-${randomUUID()}` };
        fs.writeFileSync(file, JSON.stringify(tokens));
    }

    async close() {
        await this.client?.close();
    }

    async end() {
        await this.close().catch(() => {});
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}
