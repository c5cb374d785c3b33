// SPDX-License-Identifier: Apache-2.0
// The lab (plugin/lab.cpp) once more, on the official server library: what the client scripts are
// themselves tried on, so that a failure against Patchbay is Patchbay's.
//
//   server.mjs http     prints its port on standard output
//   server.mjs stdio
import { randomUUID } from "node:crypto";
import http from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import {
    WebStandardStreamableHTTPServerTransport,
    createMcpHandler,
    isLegacyRequest,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { Lab } from "./lab.mjs";

const lab = new Lab();

// Legacy streams that can be resumed.
class Events {
    constructor() {
        this.list = [];
    }
    async storeEvent(stream, message) {
        this.list.push({ id: `${stream}_${this.list.length}`, stream, message });
        return this.list.at(-1).id;
    }
    async getStreamIdForEventId(id) {
        return this.list.find((event) => event.id === id)?.stream;
    }
    // Nothing can follow this event: its stream has carried the response.
    isLast(id) {
        const at = this.list.findIndex((event) => event.id === id);
        return at >= 0 && !("method" in this.list[at].message) && "id" in this.list[at].message;
    }
    async replayEventsAfter(last, { send }) {
        const at = this.list.findIndex(({ id }) => id === last);
        const { stream } = this.list[at];
        for (const event of this.list.slice(at + 1)) {
            const empty = Object.keys(event.message).length === 0;
            if (event.stream === stream && !empty) await send(event.id, event.message);
        }
        return stream;
    }
}

const sessions = new Map();

async function legacy(request) {
    const id = request.headers.get("mcp-session-id");
    if (id !== null) {
        const known = sessions.get(id);
        if (!known) return new Response("unknown session", { status: 404 });
        // The 1.x client resumes even a stream that ended with an error; 405 makes it stop.
        const last = request.headers.get("last-event-id");
        if (last !== null && known.events.isLast(last)) return new Response(null, { status: 405 });
        // The library may not notice that a stream's connection broke, and refuses its client a
        // second one for ever.
        if (last?.startsWith("_GET_stream")) known.transport.closeStandaloneSSEStream();
        return known.transport.handleRequest(request);
    }
    const events = new Events();
    const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: events,
        retryInterval: 20,
        onsessioninitialized: (session) => sessions.set(session, { transport, events }),
        onsessionclosed: (session) => sessions.delete(session),
    });
    await lab.server("legacy").connect(transport);
    return transport.handleRequest(request);
}

if (process.argv[2] === "stdio") {
    lab.notifier = undefined;
    serveStdio(({ era }) => lab.server(era));
} else {
    const modern = createMcpHandler(({ era }) => lab.server(era), { legacy: "reject" });
    lab.notifier = modern.notify;
    const handler = {
        fetch: async (request) =>
            (await isLegacyRequest(request.clone())) ? legacy(request) : modern.fetch(request),
    };
    const server = http.createServer(toNodeHandler(handler));
    server.listen(0, "127.0.0.1", () => process.stdout.write(String(server.address().port)));
    process.on("SIGTERM", () => process.exit(0));
}
