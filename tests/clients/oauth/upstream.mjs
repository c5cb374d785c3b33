// SPDX-License-Identifier: Apache-2.0
// An MCP server that wants tokens, and the authorization server that issues them (oidc-provider,
// unmodified), both on free loopback ports.
//
// Tools: `read` needs the scope read, `write` the scope write.
import http from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { Provider } from "oidc-provider";

async function listen(server) {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${server.address().port}`;
}

function makeProvider(issuer, resource) {
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
        },
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

/** @returns {Promise<{url: string, requests: object[], tokens: () => string[],
 *                     revoke: (token: string) => Promise<void>,
 *                     isValid: (token: string) => Promise<boolean>, stop: () => void}>} */
export async function startUpstream() {
    const authorization = http.createServer();
    const issuer = await listen(authorization);
    const server = http.createServer();
    const origin = await listen(server);
    const resource = `${origin}/mcp`;
    const provider = makeProvider(issuer, resource);
    const requests = []; // to the authorization server: {method, path, grant}
    const tokens = []; // that the MCP server was shown
    provider.use(async (context, next) => {
        await next();
        const { method, path } = context;
        const grant = context.oidc?.params?.grant_type;
        requests.push({ method, path, grant, status: context.status });
    });
    authorization.on("request", provider.callback());

    const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
    const handler = toNodeHandler(createMcpHandler(makeTools));
    const refuse = (response, status, more) =>
        response
            .writeHead(status, { "WWW-Authenticate": `Bearer resource_metadata="${metadata}", ${more}` })
            .end();
    server.on("request", async (request, response) => {
        if (request.url === "/.well-known/oauth-protected-resource/mcp") {
            response.writeHead(200, { "Content-Type": "application/json" });
            const authorization_servers = [issuer];
            response.end(JSON.stringify({ resource, authorization_servers, scopes_supported: ["read"] }));
            return;
        }
        const text = request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
        if (text && !tokens.includes(text)) tokens.push(text);
        const token = text && (await provider.AccessToken.find(text));
        if (!token?.isValid || token.aud !== resource) {
            refuse(response, 401, 'scope="read"');
            return;
        }
        const body = await readBody(request);
        const needed = body?.method === "tools/call" ? body.params.name : "read";
        if (!token.scope?.split(" ").includes(needed)) {
            refuse(response, 403, `error="insufficient_scope", scope="${needed}"`);
            return;
        }
        handler(request, response, body);
    });

    return {
        url: resource,
        requests,
        tokens: () => [...tokens],
        revoke: async (token) => (await provider.AccessToken.find(token))?.destroy(),
        isValid: async (token) => Boolean((await provider.AccessToken.find(token))?.isValid),
        stop: () => {
            for (const each of [authorization, server]) {
                each.closeAllConnections();
                each.close();
            }
        },
    };
}
