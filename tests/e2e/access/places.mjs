// SPDX-License-Identifier: Apache-2.0
// Under which names a host is found: tokens that were made under a name are good under it, however
// it is written in the configuration.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { Site, challenge } from "./site.mjs";

const report = new Report("access_places");
const folder = fs.mkdtempSync(path.join(tmpdir(), "patchbay-places-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

function makeTls() {
    const [certificate, private_key] = ["cert.pem", "key.pem"].map((name) =>
        path.join(folder, name),
    );
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const subject = ["-subj", "/CN=mcp.lan", "-days", "2"];
    const out = ["-keyout", private_key, "-out", certificate];
    execFileSync("openssl", ["req", ...kind, ...subject, ...out], { stdio: "ignore" });
    return { certificate, private_key };
}

const machine = { plugins: [built.desk] };

// A host that machines sign in to: `ask` sends a request under a name, or a name and a port.
async function open(listen) {
    const site = new Site({ config: { listen }, ...machine });
    const made = await site.done(["clients", "add", "robot", "--json", "--scope", "mcp:read"]);
    const { id, secret } = JSON.parse(made);
    const key = await site.key(["mcp:read"]);
    await site.start();
    const { port, protocol } = new URL(site.host.url);
    const ask = (name, to, { method = "GET", headers = {}, body } = {}) =>
        new Promise((resolve, reject) => {
            const host = /:\d+$/.test(name) ? name : `${name}:${port}`;
            const url = new URL(to, `${protocol}//127.0.0.1:${port}`);
            const options = { method, headers: { host, ...headers }, rejectUnauthorized: false };
            const { request } = protocol === "https:" ? https : http;
            const sent = request(url, options, (answer) => {
                let text = "";
                answer.setEncoding("utf8").on("data", (more) => (text += more));
                answer.on("end", () => {
                    const all = new Headers(answer.headers);
                    const json = all.get("content-type")?.startsWith("application/json");
                    const parsed = json ? JSON.parse(text) : undefined;
                    resolve({ status: answer.statusCode, headers: all, text, body: parsed });
                });
            });
            sent.on("error", reject);
            sent.end(body);
        });
    const token = (name) => {
        const form = { grant_type: "client_credentials", client_id: id, client_secret: secret };
        const headers = { "content-type": "application/x-www-form-urlencoded" };
        const body = String(new URLSearchParams(form));
        return ask(name, "/oauth/token", { method: "POST", headers, body });
    };
    const list = (name, secret, more = {}, to = "/mcp") => {
        const headers = {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            ...(secret && { authorization: `Bearer ${secret}` }),
            ...more,
        };
        const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
        return ask(name, to, { method: "POST", headers, body });
    };
    return { site, key, ask, token, list, port };
}

await report.check("a token made under a name of the configuration is good there", async () => {
    const here = await open({ allowed_hosts: ["mcp.lan"], tls: makeTls() });
    for (const name of ["mcp.lan", "localhost", "mcp.lan:9443"]) {
        const { status, body, text } = await here.token(name);
        assert.equal(status, 200, text);
        const listed = await here.list(name, body.access_token);
        assert.notEqual(listed.status, 401, `${name}: ${listed.text}`);
    }
    assert.equal((await here.token("other.lan")).status, 403);
    await here.site.host.stop();
});

await report.check("the public URL may be written in any way that means the same", async () => {
    const public_url = "https://MCP.Example.com:443";
    const here = await open({ public_url, endpoint: "/mcp/" });
    const origin = "https://mcp.example.com";
    const { headers } = await here.list("mcp.example.com");
    const said = challenge(headers);
    assert.equal(said.resource_metadata, `${origin}/.well-known/oauth-protected-resource/mcp`);
    const { pathname } = new URL(said.resource_metadata);
    const { body: found } = await here.ask("mcp.example.com", pathname);
    assert.equal(found.resource, `${origin}/mcp`);
    assert.deepEqual(found.authorization_servers, [origin]);
    const { body } = await here.token("mcp.example.com");
    for (const to of ["/mcp", "/mcp/"]) {
        const listed = await here.list("mcp.example.com", body.access_token, { origin }, to);
        assert.ok(listed.status !== 401 && listed.status !== 403, listed.text);
        assert.ok(listed.status !== 404, listed.text);
    }
    await here.site.host.stop();
});

await report.check("over plain http keys work, and nobody signs in", async () => {
    const here = await open({ address: "0.0.0.0", allowed_hosts: ["mcp.lan"] });
    await here.site.host.event("listen.plain_http");
    assert.notEqual((await here.list("mcp.lan", here.key.secret)).status, 401);
    const { headers } = await here.list("mcp.lan");
    const { pathname } = new URL(challenge(headers).resource_metadata);
    const { body: found } = await here.ask("mcp.lan", pathname);
    assert.equal(found.resource, `http://mcp.lan:${here.port}/mcp`);
    assert.equal(found.authorization_servers, undefined);
    const server = "/.well-known/oauth-authorization-server";
    for (const to of [server, "/oauth/authorize", "/oauth/grants"])
        assert.equal((await here.ask("mcp.lan", to)).status, 403, to);
    assert.equal((await here.token("mcp.lan")).status, 403);
    assert.equal((await here.token("localhost")).status, 200);
    await here.site.host.stop();
});
report.finish();
