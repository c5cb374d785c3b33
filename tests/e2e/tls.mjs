// SPDX-License-Identifier: Apache-2.0
// TLS by configuration: a certificate that openssl makes here, clients that check it, and what
// happens to plain HTTP and to files that cannot be used.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import tls from "node:tls";
import { Report, within } from "../clients/report.mjs";
import { Workplace, built, run } from "./program.mjs";
import { exchange } from "./wire.mjs";

const report = new Report("tls");

// A place whose configuration names a certificate for 127.0.0.1.
function makePlace() {
    const place = new Workplace({ plugins: [built.desk] });
    const [certificate, key] = ["host.pem", "host.key"].map((name) =>
        path.join(place.folder, name),
    );
    const subject = ["-subj", "/CN=e2e", "-addext", "subjectAltName=IP:127.0.0.1"];
    const out = ["-keyout", key, "-out", certificate, "-days", "2"];
    execFileSync(
        "openssl",
        [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ].concat(subject, out),
        { stdio: "ignore" },
    );
    // Relative to the configuration's folder.
    place.write(place.config, {
        listen: { tls: { certificate: "host.pem", private_key: "host.key" } },
    });
    return Object.assign(place, { certificate, key });
}

const place = makePlace();
const host = await place.serve();
const ca = fs.readFileSync(place.certificate);
const agent = new https.Agent({ ca, keepAlive: true });

function post(body, options = {}) {
    const request = https.request(host.url, {
        method: "POST",
        agent,
        headers: {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": body.method,
            ...(body.params.name && { "mcp-name": body.params.name }),
        },
        ...options,
    });
    const answered = new Promise((resolve, reject) => {
        request.on("error", reject).on("response", (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (part) => (text += part));
            response.on("end", () => resolve({ status: response.statusCode, text }));
        });
    });
    request.end(JSON.stringify(body));
    return within(answered, "an answer over TLS");
}

const message = (method, params) => ({
    jsonrpc: "2.0",
    id: 1,
    method,
    params: {
        ...params,
        _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { name: "tls", version: "1.0.0" },
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
});
const version = message("tools/call", { name: "desk__version", arguments: {} });

await report.check("the host says that it listens on https", () =>
    assert.match(host.url, /^https:\/\/127\.0\.0\.1:\d+\/mcp$/),
);
await report.check("a client that checks the certificate calls a tool", async () => {
    for (let i = 0; i < 3; i++) {
        const { status, text } = await post(version);
        assert.equal(status, 200);
        assert.equal(JSON.parse(text).result.content[0].text, "1.0.0");
    }
});
await report.check("a large answer and a large request pass", async () => {
    const value = "é".repeat(1 << 20);
    const kept = await post(
        message("tools/call", { name: "desk__remember", arguments: { key: "large", value } }),
    );
    assert.equal(JSON.parse(kept.text).result.content[0].text, "kept");
    const { text } = await post(
        message("tools/call", { name: "desk__recall", arguments: { key: "large" } }),
    );
    assert.equal(JSON.parse(text).result.content[0].text, value);
});
await report.check("a client that does not know the certificate goes no further", () =>
    assert.rejects(post(version, { agent: new https.Agent({}) }), /self-signed/),
);
await report.check("TLS 1.1 is refused", async () => {
    const socket = tls.connect({
        port: host.port,
        host: "127.0.0.1",
        ca,
        maxVersion: "TLSv1.1",
        minVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0", // without it the client itself would offer nothing
    });
    const outcome = new Promise((resolve) => {
        socket.on("error", (error) => resolve(error.code)).on("secureConnect", () => resolve("ok"));
    });
    // The name of the alert that the host sent.
    assert.equal(await within(outcome, "the handshake"), "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    socket.destroy();
});
await report.check("plain HTTP to the port gets an end, not a silence", async () => {
    const { text } = await exchange(host.port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.ok(!text.includes("200 OK"), text);
});
await report.check("the command line says that it speaks plain HTTP only", async () => {
    const { code, err } = await run(["tools", "list", "--url", host.url]);
    assert.equal(code, 2);
    assert.match(err, /plain HTTP only/);
});
await report.check("the host ends well", async () => {
    agent.destroy();
    assert.deepEqual(await host.stop(), { code: 0, signal: null });
});

await report.check(
    "files that cannot be used end the start with a line that names them",
    async () => {
        const other = makePlace();
        const wrong = {
            "missing.pem": ["missing.pem", "host.key", /certificate .*missing\.pem/],
            "no key": ["host.pem", "missing.key", /private key .*missing\.key/],
            "another's key": ["host.pem", path.relative(other.folder, place.key), /private key/],
            "no certificate": ["patchbay.json", "host.key", /certificate .*patchbay\.json/],
        };
        for (const [what, [certificate, private_key, reason]] of Object.entries(wrong)) {
            other.write(other.config, { listen: { tls: { certificate, private_key } } });
            const program = other.start();
            const { code } = await program.end(what);
            assert.ok(code > 0, `${what}: exit code ${code}`);
            assert.match(program.err, reason, what);
            assert.equal(program.events("listening").length, 0);
        }
        other.write(other.config, { listen: { tls: { certificate: "host.pem" } } });
        const program = other.start();
        assert.deepEqual(await program.end(), { code: 3, signal: null });
        assert.match(program.err, /patchbay\.json:\d+: \/listen\/tls/);
    },
);
report.finish();
