// SPDX-License-Identifier: Apache-2.0
// What is too large, too slow, too many or malformed is refused with the status that its standard
// asks for (RFC 9110, RFC 9112, RFC 6585, the transport page of MCP), and the host serves on. What
// clients in the field get wrong is in tests/clients/raw.mjs.
import assert from "node:assert/strict";
import { Report, within } from "../clients/report.mjs";
import { Workplace, built } from "./program.mjs";
import { Modern, Socket, exchange } from "./wire.mjs";

const report = new Report("limits");
const limits = {
    max_header_bytes: 4096,
    max_body_bytes: 65536,
    header_time_ms: 500,
    body_time_ms: 500,
    stream_buffer_bytes: 16384,
    stream_stall_ms: 500,
    max_connections: 40,
};
const place = new Workplace({ config: { listen: { limits } }, plugins: [built.desk] });
const host = await place.serve();
const client = new Modern(host.url);
const ready = async () => assert.equal(await client.tool("desk__version"), "1.0.0");

const head = (lines, start = "POST /mcp HTTP/1.1") =>
    [start, "Host: localhost", ...lines, "", ""].join("\r\n");
const json = "Content-Type: application/json";

// One connection that sends this, is answered with that status, closed, and forgotten.
const refused = (name, status, text) =>
    report.check(`${status}: ${name}`, async () => {
        const answer = await exchange(host.port, text);
        assert.equal(answer.status, status, answer.text);
        const [top, body] = answer.text.split("\r\n\r\n");
        assert.match(top, /^connection: close/im);
        assert.equal(typeof JSON.parse(body).error, "string");
        await ready();
    });

// ---- too large ----
await refused("a body that is announced too large", 413, head([json, "Content-Length: 65537"]));
await refused(
    "a chunked body that grows too large",
    413,
    head([json, "Transfer-Encoding: chunked"]) + `10001\r\n${"x".repeat(0x10001)}\r\n0\r\n\r\n`,
);
await refused("a large header", 431, head([`X-Large: ${"x".repeat(5000)}`]));
await refused("many header fields", 431, head(Array.from({ length: 200 }, (_, i) => `X-${i}: 1`)));
await refused("a long target", 414, head([], `GET /${"x".repeat(9000)} HTTP/1.1`));

// ---- too slow ----
await refused("a header that does not end", 408, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-");
await refused("a body that does not end", 408, head([json, "Content-Length: 10"]) + "{");
await report.check("408: a header that comes byte by byte", async () => {
    const socket = await Socket.open(host.port);
    let over = false;
    socket.closed.then(() => (over = true));
    while (!over) {
        await socket.write("X");
        await new Promise((resolve) => setTimeout(resolve, 20)); // the slowness that is meant
    }
    assert.equal(await socket.answered(), 408);
    await ready();
});

// ---- malformed or ambiguous ----
const body = "{}";
await refused(
    "Content-Length and Transfer-Encoding",
    400,
    head([json, "Content-Length: 2", "Transfer-Encoding: chunked"]) + "0\r\n\r\n",
);
await refused(
    "two Content-Lengths",
    400,
    head([json, "Content-Length: 2", "Content-Length: 3"]) + body,
);
await refused("a Content-Length that is no number", 400, head([json, "Content-Length: +2"]) + body);
await refused(
    "a chunk without a size",
    400,
    head([json, "Transfer-Encoding: chunked"]) + "zz\r\n{}\r\n",
);
await refused("another transfer coding", 501, head([json, "Transfer-Encoding: gzip"]) + body);
await refused("no Host", 400, `POST /mcp HTTP/1.1\r\n${json}\r\nContent-Length: 2\r\n\r\n{}`);
await refused("two Hosts", 400, head(["Host: localhost", json, "Content-Length: 2"]) + body);
await refused("another HTTP version", 505, head([], "GET /healthz HTTP/3.0"));
await refused(
    "another expectation",
    417,
    head(["Expect: magic", json, "Content-Length: 2"]) + body,
);
await refused("a folded header line", 400, head(["X-Folded: a\r\n b"]));
await refused("a space before the colon", 400, head(["X-Space : a"]));
await refused("TLS to a plain port", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");

// ---- requests that are well framed and still wrong ----
const wrong = (name, status, options, more) =>
    report.check(`${status}: ${name}`, async () => {
        const answer = await client.send(options.body, { method: "POST", ...options });
        assert.equal(answer.status, status, answer.text);
        await more?.(answer);
        await ready();
    });
const deep = `{"jsonrpc":"2.0","id":1,"method":"ping","params":${"[".repeat(5000)}${"]".repeat(5000)}}`;
await wrong("JSON that is nested too deep", 400, { body: deep }, ({ messages }) => {
    assert.equal(messages[0].error.code, -32700);
    assert.equal(messages[0].jsonrpc, "2.0");
});
await wrong("another content type", 415, { body, headers: { "content-type": "text/plain" } });
await wrong("no answer would be accepted", 406, { body, headers: { accept: "text/html" } });
await wrong("another path", 404, { body, path: "/other" });
await wrong("a method that is none", 405, { body, method: "PUT" }, ({ headers }) => {
    assert.match(headers.get("allow"), /POST/);
});
await wrong("GET without a session", 405, { method: "GET" }, ({ headers }) => {
    assert.match(headers.get("allow"), /POST/);
});
await report.check("403: a Host that is not the host's", async () => {
    for (const name of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"]) {
        const request = `POST /mcp HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n${json}\r\n`;
        const answer = await exchange(host.port, `${request}Content-Length: 2\r\n\r\n{}`);
        assert.equal(answer.status, 403, name);
    }
    await ready();
});

// ---- too many, and too slow to read ----
await report.check("503: more connections than there may be", async () => {
    const idle = [];
    for (let i = 0; i <= limits.max_connections; i++) idle.push(await Socket.open(host.port));
    await within(Promise.race(idle.map(({ closed }) => closed)), "a refusal");
    const answers = idle.map(({ text }) => text).filter((text) => text !== "");
    assert.ok(answers.length > 0 && answers.every((text) => text.startsWith("HTTP/1.1 503 ")));
    for (const { socket } of idle) socket.destroy();
    await ready();
});
await report.check("a stream that is not read is closed, and its call cancelled", async () => {
    const socket = await Socket.open(host.port);
    socket.socket.pause();
    const params = {
        name: "desk__pour",
        arguments: { size: 1000 },
        _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { name: "slow", version: "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/logLevel": "info",
        },
    };
    const text = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    const fields = [
        json,
        "Accept: application/json, text/event-stream",
        "MCP-Protocol-Version: 2026-07-28",
        "Mcp-Method: tools/call",
        "Mcp-Name: desk__pour",
        `Content-Length: ${text.length}`,
    ];
    await socket.write(head(fields) + text);
    await host.event("plugin.log", ({ message }) => message === "pouring was cancelled");
    socket.socket.resume();
    await within(socket.closed, "the stream's end");
    assert.match(socket.text, /^HTTP\/1\.1 200/);
    await ready();
});

await report.check("the host ends well and logged no error", async () => {
    assert.deepEqual(await host.stop(), { code: 0, signal: null });
    const bad = host.lines.items.filter(({ level }) => level === "error" || level === "critical");
    assert.deepEqual(bad, []);
});
report.finish();
