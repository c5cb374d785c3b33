// SPDX-License-Identifier: Apache-2.0
// The 1.x client (@modelcontextprotocol/sdk): the legacy era over HTTP and stdio.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
    CreateMessageRequestSchema,
    ElicitRequestSchema,
    ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { Peer, capabilities, clientInfo, openTransport } from "./peer.mjs";

class PeerV1 extends Peer {
    call(name, args = {}, options) {
        return this.client.callTool({ name, arguments: args }, undefined, options);
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
    const client = new Client(clientInfo, { capabilities });
    const transport = openTransport(target, StdioClientTransport, StreamableHTTPClientTransport);
    const peer = new PeerV1(client, transport);
    client.setRequestHandler(ElicitRequestSchema, (request) => peer.answer("elicit", request));
    client.setRequestHandler(CreateMessageRequestSchema, (request) =>
        peer.answer("sample", request),
    );
    client.setRequestHandler(ListRootsRequestSchema, (request) => peer.answer("roots", request));
    await client.connect(transport);
    peer.version = transport.protocolVersion; // stdio has none
    return peer;
}
