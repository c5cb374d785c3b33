// SPDX-License-Identifier: Apache-2.0
// An MCP server that wants tokens, and the authorization server that issues them (oidc-provider,
// unmodified), both on free loopback ports.
//
// Tools: `read` needs the scope read, `write` the scope write. What they were asked is kept, and a
// test can make both lie.
import http from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { Provider } from "oidc-provider";

async function listen(server) {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${server.address().port}`;
}

function makeProvider(issuer, resource, { features, ...more }) {
    return new Provider(issuer, {
        scopes: ["openid", "offline_access"],
        clientAuthMethods: ["none", "client_secret_basic", "client_secret_post"],
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
        cookies: { keys: ["only for tests"] },
        rotateRefreshToken: true,
        pkce: { required: () => true },
        features: {
            devInteractions: { enabled: true },
            registration: { enabled: true },
            revocation: { enabled: true },
            resourceIndicators: {
                enabled: true,
                useGrantedResource: () => true,
                getResourceServerInfo: (_, indicator) => {
                    if (indicator !== resource) throw new Error(`no such resource: ${indicator}`);
                    return { scope: "read write", audience: resource, accessTokenFormat: "opaque" };
                },
            },
            ...features,
        },
        ...more,
    });
}

function makeTools() {
    const answer = (text) => () => ({ content: [{ type: "text", text }] });
    const server = new McpServer({ name: "guarded", version: "1.0.0" });
    server.registerTool("read", { description: "Reads" }, answer("read"));
    server.registerTool("write", { description: "Writes" }, answer("written"));
    return server;
}

async function readBody(request) {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    return text === "" ? undefined : JSON.parse(text);
}

/** `settings`: of oidc-provider, over those above.
 *  requests: to the authorization server: {method, path, grant, status, params, authorization,
 *            answer}
 *  refused: how often the MCP server did that, by status
 *  metadata: what it publishes; a test may change it
 *  meddle(context, next): in place of the authorization server's own work, if it is set
 *  intercept(request, response, body): true if it has answered in place of the MCP server
 *  @returns {Promise<{url: string, issuer: string, requests: object[], tokens: () => string[],
 *                     revoke: (token: string) => Promise<void>,
 *                     revokeRefresh: (token: string) => Promise<void>,
 *                     isValid: (token: string) => Promise<boolean>, stop: () => void}>} */
export async function startUpstream(settings = {}) {
    const authorization = http.createServer();
    const issuer = await listen(authorization);
    const server = http.createServer();
    const origin = await listen(server);
    const resource = `${origin}/mcp`;
    const provider = makeProvider(issuer, resource, settings);
    const find = async (token) => {
        if (!token) return undefined;
        const { AccessToken, ClientCredentials } = provider;
        return (await AccessToken.find(token)) ?? (await ClientCredentials.find(token));
    };
    const tokens = []; // that the MCP server was shown
    const upstream = {
        url: resource,
        issuer,
        requests: [],
        refused: { 401: 0, 403: 0 },
        metadata: { resource, authorization_servers: [issuer], scopes_supported: ["read"] },
        meddle: null,
        intercept: null,
        tokens: () => [...tokens],
        revoke: async (token) => (await find(token))?.destroy(),
        revokeRefresh: async (token) => (await provider.RefreshToken.find(token))?.destroy(),
        isValid: async (token) => Boolean((await find(token))?.isValid),
        stop: () => {
            for (const each of [authorization, server]) {
                each.closeAllConnections();
                each.close();
            }
        },
    };
    provider.use(async (context, next) => {
        await (upstream.meddle ? upstream.meddle(context, next) : next());
        const params = { ...context.query, ...context.oidc?.body };
        upstream.requests.push({
            method: context.method,
            path: context.path,
            grant: params.grant_type,
            status: context.status,
            params,
            authorization: context.get("authorization"),
            answer: context.body,
        });
    });
    authorization.on("request", provider.callback());

    const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
    const handler = toNodeHandler(createMcpHandler(makeTools));
    const refuse = (response, status, more) => {
        upstream.refused[status] += 1;
        const asks = `Bearer resource_metadata="${metadata}", ${more}`;
        response.writeHead(status, { "WWW-Authenticate": asks }).end();
    };
    const scopesOf = async (text) => {
        const token = await find(text);
        return token?.isValid && token.aud === resource ? token.scope?.split(" ") : undefined;
    };
    server.on("request", async (request, response) => {
        if (request.url === "/.well-known/oauth-protected-resource/mcp") {
            response.writeHead(200, { "Content-Type": "application/json" });
            response.end(JSON.stringify(upstream.metadata));
            return;
        }
        const token = request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
        if (token && !tokens.includes(token)) tokens.push(token);
        const scopes = await scopesOf(token);
        if (!scopes) return refuse(response, 401, 'scope="read"');
        const body = await readBody(request);
        if (upstream.intercept?.(request, response, body)) return;
        const needed = body?.method === "tools/call" ? body.params.name : "read";
        if (!scopes.includes(needed))
            return refuse(response, 403, `error="insufficient_scope", scope="${needed}"`);
        handler(request, response, body);
    });
    return upstream;
}
