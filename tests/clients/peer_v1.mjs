// SPDX-License-Identifier: Apache-2.0
// The 1.x client (@modelcontextprotocol/sdk): the legacy era over HTTP and stdio.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
    CreateMessageRequestSchema,
    ElicitRequestSchema,
    ListRootsRequestSchema,
    ResultSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { Peer, capabilities, clientInfo, openTransport } from "./peer.mjs";

class PeerV1 extends Peer {
    call(name, args = {}, options) {
        return this.client.callTool({ name, arguments: args }, undefined, options);
    }

    // Also where the client itself would refuse: a tool that must be a task.
    callAnyway(name, args) {
        return this.client.request(
            { method: "tools/call", params: { name, arguments: args } },
            ResultSchema,
        );
    }

    async wantLogs(level) {
        await this.client.setLoggingLevel(level);
        return {};
    }

    async subscribe(uri) {
        await this.client.subscribeResource({ uri });
        return () => this.client.unsubscribeResource({ uri });
    }
}

// target: what target.mjs opened.
export async function connect(target) {
    const can = target.capabilities ?? capabilities;
    const client = new Client(clientInfo, { capabilities: can });
    const transport = target.sse
        ? new SSEClientTransport(new URL(target.url))
        : openTransport(target, StdioClientTransport, StreamableHTTPClientTransport);
    const peer = new PeerV1(client, transport);
    const answers = (schema, kind) =>
        client.setRequestHandler(schema, (request) => peer.answer(kind, request));
    if (can.elicitation) answers(ElicitRequestSchema, "elicit");
    if (can.sampling) answers(CreateMessageRequestSchema, "sample");
    if (can.roots) answers(ListRootsRequestSchema, "roots");
    await client.connect(transport);
    peer.version = transport.protocolVersion; // stdio has none
    return peer;
}
