// SPDX-License-Identifier: Apache-2.0
// Hand-made captures for the checker's own tests, and what these say of them.
import assert from "node:assert/strict";
import { checkEras } from "./era.mjs";
import { Report } from "./report.mjs";

export const report = new Report("era checker");
export const meta = (more = {}) => ({
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "c", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
    ...more,
});
export const serverMeta = { "io.modelcontextprotocol/serverInfo": { name: "s", version: "1" } };

// An HTTP exchange with an answer in one piece.
export function plain(method, params, answer, more = {}) {
    return {
        n: 1,
        method: "POST",
        path: "/mcp",
        requestHeaders: {},
        status: 200,
        events: [],
        requestBody: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }),
        responseHeaders: { "content-type": "application/json" },
        end: "server",
        responseBody: JSON.stringify({ jsonrpc: "2.0", id: 7, ...answer }),
        ...more,
    };
}
export function stream(method, params, messages, more = {}) {
    return {
        ...plain(method, params, {}),
        responseBody: "",
        responseHeaders: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
        events: messages.map((m) => (m.data === undefined ? { data: JSON.stringify(m) } : m)),
        ...more,
    };
}
export const result = (value, id = 7) => ({ jsonrpc: "2.0", id, result: value });
export const notice = (method, params) => ({ jsonrpc: "2.0", method, params });
export const modernResult = (value) => ({ resultType: "complete", _meta: serverMeta, ...value });
export const cached = { ttlMs: 1000, cacheScope: "public" };
export const tool = { name: "add", inputSchema: { type: "object" } };

export const handshake = (version) => [
    plain(
        "initialize",
        { protocolVersion: version, capabilities: { roots: {} }, clientInfo: {} },
        {
            result: {
                protocolVersion: version,
                capabilities: { tools: {} },
                serverInfo: { name: "s", version: "1" },
            },
        },
        { responseHeaders: { "content-type": "application/json", "mcp-session-id": "S" } },
    ),
    {
        ...plain("", {}, {}),
        n: 2,
        status: 202,
        responseHeaders: {},
        responseBody: "",
        requestHeaders: { "mcp-session-id": "S" },
        requestBody: JSON.stringify(notice("notifications/initialized", {})),
    },
];
export const inSession = (exchange, version = "2025-11-25") => [
    ...handshake(version),
    {
        ...exchange,
        n: 3,
        requestHeaders: { "mcp-session-id": "S" },
        requestBody: exchange.requestBody.replace('"id":7', '"id":8'),
        responseBody: exchange.responseBody.replace('"id":7', '"id":8'),
    },
];

export const lines = (...list) => ({
    connections: [
        {
            id: 1,
            killed: false,
            lines: list.map((l, i) => ({
                n: i + 1,
                from: l[0],
                message: l[1],
                text: JSON.stringify(l[1]),
            })),
        },
    ],
});
export const exchanges = (...list) => ({ exchanges: list.flat() });

export async function good(name, capture) {
    await report.check(`accepts ${name}`, () => {
        const { problems, stats } = checkEras(capture);
        assert.deepEqual(problems, []);
        assert.ok(stats.modern + stats.legacy > 0);
    });
}
export async function bad(name, capture, words) {
    await report.check(`finds ${name}`, () => {
        const { problems } = checkEras(capture);
        assert.ok(
            problems.some(({ text }) => words.test(text)),
            `reported ${JSON.stringify(problems.map((p) => p.text))}`,
        );
    });
}
