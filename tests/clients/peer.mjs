// SPDX-License-Identifier: Apache-2.0
// What the two official TypeScript clients have in common, so that one scenario runs on both. A Peer
// wraps an unmodified client that is already set up; peer_v1.mjs and peer_v2.mjs make them.
import { Inbox } from "./report.mjs";

export class Peer {
    // era: "modern" | "legacy", known after connect().
    constructor(client, transport) {
        this.client = client;
        this.transport = transport;
        this.era = "legacy";
        this.notices = new Inbox(); // notifications, in the order in which they came
        this.asked = new Inbox(); // the params of what the server asked of the user
        this.errors = []; // what the client itself reported as wrong
        // How the user answers; scenarios replace them.
        this.answers = {
            elicit: async () => ({ action: "cancel" }),
            sample: async () => ({
                role: "assistant",
                model: "test-model",
                content: { type: "text", text: "nothing" },
            }),
            roots: async () => ({ roots: [] }),
        };
        client.fallbackNotificationHandler = async (notice) => this.notices.add(notice);
        client.onerror = (error) => this.errors.push(error);
    }

    // The answer of the user to one request of the server, remembered.
    async answer(kind, request) {
        this.asked.add({ kind, params: request.params });
        return this.answers[kind](request.params);
    }

    listTools() {
        return this.client.listTools(undefined, this.fresh());
    }
    listResources() {
        return this.client.listResources(undefined, this.fresh());
    }
    listTemplates() {
        return this.client.listResourceTemplates(undefined, this.fresh());
    }
    listPrompts() {
        return this.client.listPrompts(undefined, this.fresh());
    }
    read(uri) {
        return this.client.readResource({ uri }, this.fresh());
    }
    prompt(name, args) {
        return this.client.getPrompt({ name, arguments: args });
    }
    complete(params) {
        return this.client.complete(params);
    }
    ping() {
        return this.client.ping();
    }

    // A list as the server has it now, not as the client may have kept it.
    fresh() {
        return undefined;
    }

    async close() {
        if (this.era === "legacy" && this.transport.terminateSession) {
            await this.transport.terminateSession();
        }
        await this.client.close();
    }
}

export const clientInfo = { name: "patchbay-client-test", version: "1.0.0" };
export const capabilities = {
    elicitation: { form: {}, url: {} },
    sampling: {},
    roots: { listChanged: true },
};

// The transport to what target.mjs opened, of the classes that a client's package has for it.
// target: {url} or {command, args, env}, and what connect() reads from it: capabilities (instead of
// all), sse (the 1.x client alone: the deprecated transport).
export function openTransport(target, Stdio, StreamableHttp) {
    return target.command
        ? new Stdio({
              command: target.command,
              args: target.args,
              env: target.env,
              stderr: "ignore",
          })
        : new StreamableHttp(new URL(target.url), {
              reconnectionOptions: {
                  initialReconnectionDelay: 20,
                  maxReconnectionDelay: 1000,
                  reconnectionDelayGrowFactor: 1.5,
                  maxRetries: 20,
              },
          });
}
