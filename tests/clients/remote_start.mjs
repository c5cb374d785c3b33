// SPDX-License-Identifier: Apache-2.0
// A legacy server that offers its tools only once it has heard that the session is open, as
// server-everything does, and that is slow to hear: nothing may overtake this.
//
//   remote_start.mjs --host BINARY --plugin remote_mcp.so
import assert from "node:assert/strict";
import http from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Report, parseArguments } from "./report.mjs";
import { Setup, until } from "./remote/setup.mjs";

const tool = { name: "late", inputSchema: { type: "object" } };

// Answers on the request's connection, or, as the deprecated transport does, on the one stream.
function lateServer() {
    const state = { lists: 0, open: false };
    const answer = (method) => {
        if (method === "initialize")
            return {
                protocolVersion: "2025-11-25",
                capabilities: { tools: {} },
                serverInfo: { name: "late", version: "1" },
            };
        if (method !== "tools/list") return undefined;
        state.lists++;
        return { tools: state.open ? [tool] : [] };
    };
    let stream;
    state.server = http.createServer(async (request, response) => {
        if (request.url === "/sse") {
            stream = response.writeHead(200, { "Content-Type": "text/event-stream" });
            return stream.write("event: endpoint\ndata: /message\n\n");
        }
        if (request.method !== "POST") return response.writeHead(405).end();
        const { id, method } = JSON.parse(await text(request));
        if (method === "notifications/initialized") {
            await sleep(300);
            state.open = true;
        }
        if (id === undefined) return response.writeHead(202).end();
        const result = answer(method);
        const error = { code: -32601, message: "method not found" };
        const message = JSON.stringify({ jsonrpc: "2.0", id, ...(result ? { result } : { error }) });
        if (request.url === "/message") {
            response.writeHead(202).end();
            return stream.write(`event: message\ndata: ${message}\n\n`);
        }
        response.writeHead(200, { "Content-Type": "application/json" }).end(message);
    });
    return state;
}

const servers = { late: lateServer(), latesse: lateServer() };
for (const { server } of Object.values(servers))
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const at = ({ server }, path) => `http://127.0.0.1:${server.address().port}${path}`;

const report = new Report("remote-start");
const setup = await Setup.start(parseArguments(), (upstreams) => {
    const late = { url: at(servers.late, "/mcp"), protocol: "2025-11-25" };
    const latesse = { url: at(servers.latesse, "/sse"), type: "sse" };
    upstreams.all = { late: { entry: late }, latesse: { entry: latesse } };
});
const peer = await setup.client("v1", "legacy");
for (const [name, state] of Object.entries(servers))
    await report.check(`${name}: the tools of a slow start are in the first list`, async () => {
        await until("it was looked at", () => state.lists > 0);
        const listed = async () =>
            (await peer.listTools()).tools.some((each) => each.name === `${name}__late`);
        await until("its tool is listed", listed);
        assert.equal(state.lists, 1);
    });
await report.check("the host ends with exit code 0", async () =>
    assert.equal(await setup.stop(), 0),
);
for (const { server } of Object.values(servers)) {
    server.closeAllConnections();
    server.close();
}
report.finish();
