// SPDX-License-Identifier: Apache-2.0
// The echo tool on the official TypeScript library 1.x, in its fastest arrangement: one transport for
// each session, JSON answers. Prints its port; ends with standard input.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

const sessions = new Map();

async function open() {
    const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: true,
        onsessioninitialized: (id) => sessions.set(id, transport),
    });
    const server = new McpServer({ name: "echo", version: "1.0.0" });
    server.registerTool(
        "echo",
        { description: "Says it again", inputSchema: { text: z.string() } },
        async ({ text }) => ({ content: [{ type: "text", text }] }),
    );
    await server.connect(transport);
    return transport;
}

const server = http.createServer(async (request, response) => {
    const id = request.headers["mcp-session-id"];
    const transport = id ? sessions.get(id) : await open();
    if (transport) return transport.handleRequest(request, response);
    response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));
