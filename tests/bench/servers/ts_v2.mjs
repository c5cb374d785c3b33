// SPDX-License-Identifier: Apache-2.0
// The echo tool on the official TypeScript server library 2.x, served as its documentation says.
// Prints its port; ends with standard input.
import http from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "echo", version: "1.0.0" });
    server.registerTool(
        "echo",
        { description: "Says it again", inputSchema: z.object({ text: z.string() }) },
        async ({ text }) => ({ content: [{ type: "text", text }] }),
    );
    return server;
});

const server = http.createServer(toNodeHandler(handler));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));
