// SPDX-License-Identifier: Apache-2.0
// Shows that the runs with credentials cannot be green by accident: the suite gets nowhere without
// what the proxy adds, the proxy adds nothing else, and authorization.mjs passes a sound
// authorization server of a few lines and none that has a fault.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { deadPort } from "../tools/dead_port.mjs";
import { count, run, runAgainst, withServer } from "./outcome.mjs";
import { startTokenProxy } from "./with_token.mjs";

test("without a credential every scenario fails at a server that requires one", async () => {
    const refuse = (_, response) => {
        response.writeHead(401, { "WWW-Authenticate": "Bearer" }).end();
    };
    await withServer(refuse, async (port) => {
        const { code, lines } = await runAgainst(port);
        assert.equal(code, 1);
        assert.equal(count(lines, "ok  "), 0);
        assert.ok(count(lines, "FAIL") > 90);
    });
});

test("the proxy adds a credential and changes nothing else", async () => {
    const echo = async (request, response) => {
        const body = await Array.fromAsync(request);
        const { method, url, rawHeaders } = request;
        response.writeHead(202, { "X-Answer": "kept" });
        response.end(JSON.stringify({ method, url, rawHeaders, body: body.join("") }));
    };
    await withServer(echo, async (port) => {
        const proxy = await startTokenProxy(`http://127.0.0.1:${port}`, "pb_secret");
        const sent = ["Host", "evil.example", "mcp-Name", "=?base64?eA==?=", "X-Two", "1"];
        sent.push("X-Two", "2", "Connection", "close", "Content-Length", "4");
        const { status, headers, text } = await ask(`${proxy.origin}/mcp?a=%20b`, sent, "body");
        proxy.stop();
        assert.equal(status, 202);
        assert.equal(headers["x-answer"], "kept");
        assert.deepEqual(JSON.parse(text), {
            method: "POST",
            url: "/mcp?a=%20b",
            rawHeaders: [...sent, "Authorization", "Bearer pb_secret"],
            body: "body",
        });
    });
});

function ask(url, headers, body) {
    return new Promise((resolve, reject) => {
        const request = http.request(url, { method: "POST", headers, agent: false });
        request.on("error", reject).on("response", async (response) => {
            const text = (await Array.fromAsync(response)).join("");
            resolve({ status: response.statusCode, headers: response.headers, text });
        });
        request.end(body);
    });
}

// An authorization server that asks nobody, and what is different about it.
function authorizationServer({ metadata = {}, back = {}, caching = "no-store" } = {}) {
    return (request, response) => {
        const origin = `http://${request.headers.host}`;
        const url = new URL(request.url, origin);
        const answer = (body, headers) =>
            response
                .writeHead(200, { "Content-Type": "application/json", ...headers })
                .end(JSON.stringify(body));
        if (url.pathname === "/.well-known/oauth-authorization-server") {
            const described = {
                issuer: origin,
                authorization_endpoint: `${origin}/authorize`,
                token_endpoint: `${origin}/token`,
                response_types_supported: ["code"],
                code_challenge_methods_supported: ["S256"],
                client_id_metadata_document_supported: true,
            };
            answer({ ...described, ...metadata });
        } else if (url.pathname === "/authorize") {
            const to = new URL(url.searchParams.get("redirect_uri"));
            const state = url.searchParams.get("state");
            to.search = new URLSearchParams({ code: "code", state, iss: origin, ...back });
            response.writeHead(302, { Location: to.href }).end();
        } else if (url.pathname === "/token") {
            answer({ access_token: "token", token_type: "Bearer" }, { "Cache-Control": caching });
        } else {
            response.writeHead(404).end();
        }
    };
}

const authorization = (port) =>
    run("authorization.mjs", "--url", `http://127.0.0.1:${port}`, "--client-id", "suite");

test("a sound authorization server passes", async () => {
    await withServer(authorizationServer(), async (port) => {
        const { code, lines } = await authorization(port);
        assert.equal(code, 0, lines.join("\n"));
        assert.equal(count(lines, "ok  "), 8);
    });
});

test("nothing passes where there is none", async () => {
    const { code, lines } = await authorization(await deadPort());
    assert.equal(code, 1);
    assert.equal(count(lines, "ok  "), 0);
    assert.equal(count(lines, "FAIL"), 8);
});

const OTHER = "https://other.example";
// What is wrong, and how many of the eight scenarios fail for it.
const FAULTS = [
    ["another issuer in its metadata", { metadata: { issuer: OTHER } }, 8],
    ["clients must register", { metadata: { client_id_metadata_document_supported: false } }, 2],
    ["another issuer on the way back", { back: { iss: OTHER } }, 4],
    ["the state is not the client's", { back: { state: "another" } }, 4],
    ["the person is turned away", { back: { error: "access_denied" } }, 4],
    ["tokens that may be cached", { caching: "max-age=60" }, 4],
];
for (const [name, fault, failed] of FAULTS) {
    test(`an authorization server with a fault fails: ${name}`, async () => {
        await withServer(authorizationServer(fault), async (port) => {
            const { code, lines } = await authorization(port);
            assert.equal(code, 1);
            assert.equal(count(lines, "FAIL"), failed, lines.join("\n"));
            assert.equal(count(lines, "ok  "), 8 - failed);
        });
    });
}
