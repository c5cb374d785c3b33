// SPDX-License-Identifier: Apache-2.0
// A remote MCP server of one era, written by hand so that every byte and every moment is the
// test's: it dies and comes back at the same address, forgets its sessions, changes its era, and
// counts what reaches it.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

const modernVersion = "2026-07-28";
const legacyVersion = "2025-11-25";
const pageSize = 7; // so that a list has several pages
const jsonType = { "content-type": "application/json" };
const streamType = { "content-type": "text/event-stream", "cache-control": "no-cache" };

export function tool(name, more = {}) {
    const inputSchema = { type: "object", properties: { text: { type: "string" } } };
    return { name, description: `Says ${name}`, inputSchema, "x-unknown": { of: name }, ...more };
}

export const manyTools = (count) =>
    Array.from({ length: count }, (_, i) => tool(`tool_${String(i).padStart(2, "0")}`));

export class Upstream {
    constructor(name, { era = "modern", tools = 20 } = {}) {
        this.name = name;
        this.era = era;
        this.tools = manyTools(tools);
        this.counts = {}; // of requests, by JSON-RPC method
        this.headers = new Set(); // every "name: value" that ever came
        this.sessions = new Set();
        this.streams = new Set(); // on which changes are told: {answer, id}
        this.misbehave = null; // (request, answer, message) => true if it has dealt with it
        this.port = 0;
    }

    get url() {
        return `http://127.0.0.1:${this.port}/mcp`;
    }

    count(method) {
        return this.counts[method] ?? 0;
    }

    // What makes the server work: calls, discoveries and handshakes, not streams that wait.
    get worked() {
        return ["tools/call", "tools/list", "server/discover", "initialize"].reduce(
            (sum, method) => sum + this.count(method),
            0,
        );
    }

    async start() {
        this.reserved?.destroy();
        this.server = http.createServer({ keepAliveTimeout: 60_000 }, (request, answer) => {
            this.serve(request, answer).catch(() => answer.destroy());
        });
        this.server.listen(this.port, "127.0.0.1");
        await once(this.server, "listening");
        this.port = this.server.address().port;
        return this;
    }

    // Nobody answers any more. The port stays ours, so that nobody else answers there either.
    async kill() {
        const closed = once(this.server, "close");
        this.server.close();
        this.server.closeAllConnections();
        await closed;
        this.sessions.clear();
        this.streams.clear();
        const { port } = await keeper;
        this.reserved = net.connect({ port, host: "127.0.0.1", localPort: this.port });
        this.reserved.on("error", () => {});
        await once(this.reserved, "connect");
    }

    // A restart that nobody saw: the address answered all the time.
    forget() {
        this.sessions.clear();
        for (const { answer } of this.streams) answer.destroy();
        this.streams.clear();
    }

    changeTo(era) {
        this.forget();
        this.era = era;
    }

    // Offers other tools from now on and says so.
    offer(tools) {
        this.tools = tools;
        const method = "notifications/tools/list_changed";
        for (const { answer, id } of this.streams) {
            const meta = id && { _meta: { "io.modelcontextprotocol/subscriptionId": id } };
            writeEvent(answer, { jsonrpc: "2.0", method, params: { ...meta } });
        }
    }

    async serve(request, answer) {
        const { rawHeaders } = request;
        for (let i = 0; i < rawHeaders.length; i += 2)
            this.headers.add(`${rawHeaders[i].toLowerCase()}: ${rawHeaders[i + 1]}`);
        let body = "";
        for await (const chunk of request.setEncoding("utf8")) body += chunk;
        const message = body ? JSON.parse(body) : {};
        const what = message.method ?? request.method;
        this.counts[what] = this.count(what) + 1;
        if (this.misbehave?.(request, answer, message)) return;
        if (this.era === "modern") this.serveModern(request, answer, message);
        else this.serveLegacy(request, answer, message);
    }

    serveModern(request, answer, message) {
        const { headers } = request;
        if (request.method !== "POST") return void answer.writeHead(405).end();
        const meta = message.params?._meta ?? {};
        const named = message.params?.name ?? message.params?.uri;
        const fits =
            headers["mcp-protocol-version"] === modernVersion &&
            headers["mcp-method"] === message.method &&
            headers["mcp-name"] === named &&
            meta["io.modelcontextprotocol/protocolVersion"] === modernVersion;
        if (!fits) return refuse(answer, 400, message.id, -32020, "HeaderMismatch");
        if (message.id === undefined) return void answer.writeHead(202).end();
        if (message.method === "subscriptions/listen") return this.listen(answer, message);
        const result = this.result(message);
        if (!result) return refuse(answer, 404, message.id, -32601, "Method not found");
        if (message.method.endsWith("/list") || message.method === "server/discover")
            Object.assign(result, { ttlMs: 600_000, cacheScope: "public" });
        send(answer, message.id, { resultType: "complete", ...result });
    }

    serveLegacy(request, answer, message) {
        const session = request.headers["mcp-session-id"];
        if (message.method === "initialize") return this.initialize(answer, message);
        if (session === undefined)
            return refuse(answer, 400, message.id, -32000, "Bad Request: no session");
        if (!this.sessions.has(session))
            return refuse(answer, 404, message.id, -32001, "Session not found");
        if (request.method === "DELETE") {
            this.sessions.delete(session);
            return void answer.writeHead(204).end();
        }
        if (request.method === "GET") {
            answer.writeHead(200, streamType).flushHeaders();
            return this.keep(answer, {});
        }
        if (message.id === undefined) return void answer.writeHead(202).end();
        const result = this.result(message);
        if (!result) return refuse(answer, 200, message.id, -32601, "Method not found");
        // As the usual servers of this era do it.
        answer.writeHead(200, streamType);
        writeEvent(answer, { jsonrpc: "2.0", id: message.id, result });
        answer.end();
    }

    initialize(answer, message) {
        const session = `${this.name}-${this.count("initialize")}-${Math.random()}`;
        this.sessions.add(session);
        answer.setHeader("mcp-session-id", session);
        const { protocolVersion: wanted } = message.params;
        const protocolVersion = wanted === modernVersion ? legacyVersion : wanted;
        send(answer, message.id, { protocolVersion, ...this.about(), serverInfo: this.info() });
    }

    info() {
        return { name: this.name, version: "1.0.0" };
    }

    about() {
        return { capabilities: { tools: { listChanged: true } } };
    }

    result({ method, params }) {
        if (method === "server/discover") {
            const _meta = { "io.modelcontextprotocol/serverInfo": this.info() };
            return { supportedVersions: [modernVersion], ...this.about(), _meta };
        }
        if (method === "ping") return {};
        if (method === "tools/list") return this.page(Number(params?.cursor ?? 0));
        if (method !== "tools/call") return undefined;
        const text = `${this.name} ${params.name} ${params.arguments?.text}`;
        return { content: [{ type: "text", text }] };
    }

    page(from) {
        const tools = this.tools.slice(from, from + pageSize);
        const next = from + pageSize;
        return { tools, ...(next < this.tools.length && { nextCursor: String(next) }) };
    }

    listen(answer, { id, params }) {
        answer.writeHead(200, streamType).flushHeaders();
        writeEvent(answer, {
            jsonrpc: "2.0",
            method: "notifications/subscriptions/acknowledged",
            params: {
                _meta: { "io.modelcontextprotocol/subscriptionId": id },
                notifications: params.notifications,
            },
        });
        this.keep(answer, { id });
    }

    keep(answer, about) {
        const stream = { answer, ...about };
        this.streams.add(stream);
        answer.on("close", () => this.streams.delete(stream));
    }
}

const keeper = (async () => {
    const server = net.createServer((peer) => peer.on("error", () => {}).unref());
    server.listen(0, "127.0.0.1").unref();
    await once(server, "listening");
    return server.address();
})();

function writeEvent(answer, message) {
    answer.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function send(answer, id, result) {
    answer.writeHead(200, jsonType).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
}

function refuse(answer, status, id = null, code, message) {
    answer.writeHead(status, jsonType);
    answer.end(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } }));
}
