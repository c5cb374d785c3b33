// SPDX-License-Identifier: Apache-2.0
// Records what passes between a client and a server, unchanged and undelayed: a loopback HTTP proxy,
// and the reader of what stdio_shim.mjs wrote.
//
// An HTTP exchange: {n, method, path, requestHeaders, requestBody, status, responseHeaders, and
//   responseBody   the whole body, where it is not a stream
//   events         [{id?, event?, retry?, data?}] of a text/event-stream body; data "" if it was empty
//   end            "server" it ended the answer, "client" it went away, "cut" this proxy broke it}
// Header names are in lower case. A stdio connection: {id, lines: [{n, from, message?, text}], killed}
// with from "client" | "server" | "stderr" and message absent where the line is no JSON.
import fs from "node:fs";
import http from "node:http";

// Splits a text/event-stream into events as the bytes come.
class EventReader {
    constructor(events) {
        this.events = events;
        this.rest = "";
        this.event = {};
        this.decoder = new TextDecoder();
    }

    push(bytes) {
        this.rest += this.decoder.decode(bytes, { stream: true });
        const lines = this.rest.split(/\r\n|\n|\r(?!$)/);
        this.rest = lines.pop();
        for (const line of lines) this.line(line);
    }

    line(line) {
        if (line === "") {
            if (Object.keys(this.event).length > 0) this.events.push(this.event);
            this.event = {};
            return;
        }
        if (line.startsWith(":")) return;
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "data") {
            this.event.data =
                this.event.data === undefined ? value : `${this.event.data}\n${value}`;
        } else if (["id", "event", "retry"].includes(name)) {
            this.event[name] = value;
        }
    }
}

export class RecordingProxy {
    // Listens on a free loopback port and forwards to `upstream` (an origin such as
    // http://127.0.0.1:8080). Finished exchanges are also appended to `file` if it is given.
    static async start(upstream, file) {
        const proxy = new RecordingProxy(upstream, file);
        await new Promise((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
        proxy.origin = `http://127.0.0.1:${proxy.server.address().port}`;
        return proxy;
    }

    constructor(upstream, file) {
        this.upstream = new URL(upstream);
        this.exchanges = [];
        this.open = new Map(); // exchange -> () => void that breaks it
        this.file = file ? fs.openSync(file, "w") : undefined;
        this.agent = new http.Agent({ keepAlive: true });
        this.server = http.createServer((request, response) => this.forward(request, response));
        this.server.keepAliveTimeout = 60_000;
    }

    forward(request, response) {
        const exchange = {
            n: this.exchanges.length + 1,
            method: request.method,
            path: request.url,
            requestHeaders: request.headers,
            requestBody: "",
        };
        this.exchanges.push(exchange);
        const headers = { ...request.headers, host: this.upstream.host };
        const out = http.request({
            host: this.upstream.hostname,
            port: this.upstream.port,
            method: request.method,
            path: request.url,
            headers,
            agent: this.agent,
        });
        const end = (how) => this.finish(exchange, how);
        this.open.set(exchange, () => {
            end("cut");
            out.destroy();
            response.destroy();
        });
        const body = [];
        request.on("data", (chunk) => {
            body.push(chunk);
            exchange.requestBody = Buffer.concat(body).toString();
            out.write(chunk);
        });
        request.on("end", () => out.end());
        response.on("close", () => {
            if (!response.writableFinished) end("client");
            out.destroy();
        });
        out.on("error", () => {
            end("server");
            response.destroy();
        });
        out.on("response", (answer) => this.relay(exchange, answer, response, end));
    }

    relay(exchange, answer, response, end) {
        exchange.status = answer.statusCode;
        exchange.responseHeaders = answer.headers;
        const stream = (answer.headers["content-type"] ?? "").startsWith("text/event-stream");
        exchange.events = [];
        exchange.responseBody = "";
        const reader = new EventReader(exchange.events);
        const body = [];
        response.writeHead(answer.statusCode, answer.headers);
        response.flushHeaders();
        answer.on("data", (chunk) => {
            if (stream) {
                reader.push(chunk);
            } else {
                body.push(chunk);
                exchange.responseBody = Buffer.concat(body).toString();
            }
            response.write(chunk);
        });
        answer.on("end", () => {
            end("server");
            response.end();
        });
        answer.on("error", () => {
            end("server");
            response.destroy();
        });
    }

    finish(exchange, how) {
        if (!this.open.delete(exchange)) return;
        exchange.end = how;
        if (this.file !== undefined) fs.writeSync(this.file, JSON.stringify(exchange) + "\n");
    }

    // Breaks the connections of the open exchanges for which `matches` holds; returns their number.
    cut(matches) {
        let count = 0;
        for (const [exchange, destroy] of [...this.open]) {
            if (!matches(exchange)) continue;
            destroy();
            count++;
        }
        return count;
    }

    async stop() {
        for (const exchange of [...this.open.keys()]) this.finish(exchange, "client");
        this.agent.destroy();
        const closed = new Promise((resolve) => this.server.close(resolve));
        this.server.closeAllConnections();
        await closed;
        if (this.file !== undefined) fs.closeSync(this.file);
        this.file = undefined;
    }
}

// The connections that stdio_shim.mjs recorded in `file`.
export function readShimCapture(file) {
    const connections = new Map();
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    for (const line of text.split("\n")) {
        if (line === "") continue;
        const { connection, from, text: said, exit } = JSON.parse(line);
        if (!connections.has(connection)) {
            connections.set(connection, {
                id: connection,
                lines: [],
                exit: undefined,
                killed: false,
            });
        }
        const state = connections.get(connection);
        if (from === "exit") {
            state.exit = exit;
            state.killed = exit.signal !== null;
            continue;
        }
        const entry = { n: state.lines.length + 1, from, text: said };
        try {
            entry.message = JSON.parse(said);
        } catch {
            // The checker reports it: a server's standard output may hold nothing but messages.
        }
        state.lines.push(entry);
    }
    return [...connections.values()];
}
