// SPDX-License-Identifier: Apache-2.0
// The 2.x client (@modelcontextprotocol/client): both eras over HTTP and stdio.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Peer, capabilities, clientInfo, openTransport } from "./peer.mjs";

const logLevelKey = "io.modelcontextprotocol/logLevel";

class PeerV2 extends Peer {
    showsModernCodes = true;

    call(name, args = {}, { _meta, ...options } = {}) {
        return this.client.callTool({ name, arguments: args, ...(_meta && { _meta }) }, options);
    }

    callAnyway(name, args) {
        return this.call(name, args);
    }

    // Returns what the following calls must pass so that log messages come.
    async wantLogs(level) {
        if (this.era === "modern") return { _meta: { [logLevelKey]: level } };
        await this.client.setLoggingLevel(level);
        return {};
    }

    async subscribe(uri) {
        if (this.era === "modern") return this.listen({ resourceSubscriptions: [uri] });
        await this.client.subscribeResource({ uri });
        return () => this.client.unsubscribeResource({ uri });
    }

    // Opens a modern subscription; returns what closes it.
    async listen(filter) {
        const subscription = await this.client.listen(filter);
        return () => subscription.close();
    }

    fresh() {
        return { cacheMode: "refresh" };
    }
}

// era: "legacy" | "modern" (pinned, no fall-back) | "auto" (asks the server first).
export async function connect(target, era) {
    const mode = era === "modern" ? { pin: "2026-07-28" } : era;
    const can = target.capabilities ?? capabilities;
    const client = new Client(clientInfo, {
        capabilities: can,
        versionNegotiation: { mode },
    });
    const transport = openTransport(target, StdioClientTransport, StreamableHTTPClientTransport);
    const peer = new PeerV2(client, transport);
    const answers = (method, kind) =>
        client.setRequestHandler(method, (request) => peer.answer(kind, request));
    if (can.elicitation) answers("elicitation/create", "elicit");
    if (can.sampling) answers("sampling/createMessage", "sample");
    if (can.roots) answers("roots/list", "roots");
    await client.connect(transport);
    peer.era = client.getProtocolEra();
    peer.version = client.getNegotiatedProtocolVersion();
    return peer;
}
