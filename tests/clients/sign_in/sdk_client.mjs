// SPDX-License-Identifier: Apache-2.0
// The two official TypeScript clients with their own OAuth, unmodified: what an application adds is
// a place where things are kept, and a loopback address to which the browser comes back.
import { randomUUID } from "node:crypto";
import http from "node:http";
import * as v2 from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError as UnauthorizedV1 } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const refused = Symbol("refused");

// What an application keeps of its sign-in (both libraries ask for the same).
class Keeper {
    constructor(name, redirectUrl, clientMetadataUrl) {
        Object.assign(this, { name, redirectUrl, clientMetadataUrl, kept: {} });
    }

    get clientMetadata() {
        return {
            client_name: this.name,
            redirect_uris: [this.redirectUrl],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
        };
    }

    state() {
        return (this.kept.state = randomUUID());
    }
    clientInformation() {
        return this.kept.client;
    }
    saveClientInformation(client) {
        this.kept.client = client;
    }
    tokens() {
        return this.kept.tokens;
    }
    saveTokens(tokens) {
        this.kept.tokens = tokens;
    }
    redirectToAuthorization(url) {
        this.kept.url = url;
    }
    saveCodeVerifier(verifier) {
        this.kept.verifier = verifier;
    }
    codeVerifier() {
        return this.kept.verifier;
    }
    discoveryState() {
        return this.kept.discovery;
    }
    saveDiscoveryState(state) {
        this.kept.discovery = state;
    }
    invalidateCredentials(what) {
        if (what === "all" || what === "tokens") delete this.kept.tokens;
        if (what === "all" || what === "client") delete this.kept.client;
    }
}

export class SdkClient {
    // library: "v1" | "v2"; era: of v2; metadataUrl: where the client describes itself, if it does.
    static async make({ library, era, url, name, metadataUrl }) {
        const listener = http.createServer((_, response) => {
            response.setHeader("Content-Type", "text/html").end("<title>back</title>");
        });
        await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
        const client = new SdkClient();
        client.callback = `http://127.0.0.1:${listener.address().port}/callback`;
        client.keeper = new Keeper(name, client.callback, metadataUrl);
        return Object.assign(client, { library, era, url: new URL(url), name, listener });
    }

    get tokens() {
        return this.keeper.kept.tokens;
    }

    // Connects, and where a person is needed, has `authorize(url, callback)` ask them. False if
    // they said no.
    async connect(authorize) {
        const answer = await this.asking(() => this.open(), authorize);
        return answer !== refused;
    }

    // What `work` answers, now or when the person has been asked.
    async asking(work, authorize) {
        try {
            return await work();
        } catch (error) {
            const needed = this.library === "v1" ? UnauthorizedV1 : v2.UnauthorizedError;
            if (!(error instanceof needed) || !authorize) throw error;
        }
        const { kept } = this.keeper;
        const params = await authorize(kept.url, this.callback);
        if (params.get("state") !== kept.state) throw new Error("another state came back");
        if (params.has("error")) return refused;
        await this.transport.finishAuth(this.library === "v1" ? params.get("code") : params);
        return work();
    }

    async open() {
        const info = { name: "sign-in-test", version: "1.0.0" };
        const options = { authProvider: this.keeper };
        if (this.library === "v1") {
            this.client = new ClientV1(info);
            this.transport = new TransportV1(this.url, options);
        } else {
            const mode = this.era === "modern" ? { pin: "2026-07-28" } : this.era;
            this.client = new v2.Client(info, { versionNegotiation: { mode } });
            this.transport = new v2.StreamableHTTPClientTransport(this.url, options);
        }
        await this.client.connect(this.transport);
    }

    async tools() {
        return (await this.client.listTools()).tools.map(({ name }) => name);
    }

    // authorize: if the person may be asked for more permission.
    call(name, args, authorize) {
        return this.asking(() => this.client.callTool({ name, arguments: args }), authorize);
    }

    // As if the access token had run out.
    async loseAccess() {
        this.tokens.access_token = `gone-${randomUUID()}`;
    }

    async close() {
        await this.client?.close();
    }

    async end() {
        await this.close().catch(() => {});
        this.listener.closeAllConnections();
        this.listener.close();
    }
}
