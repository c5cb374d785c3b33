// SPDX-License-Identifier: Apache-2.0
// Limits: too many requests of a credential, of an organisation or of a tool are answered with 429,
// when to try again, and a JSON-RPC error; what a tool calls in its caller's name counts too. The
// rates are so low that no machine is slow enough to let one more in.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { Site } from "./site.mjs";

const report = new Report("access_limits");
const rate = (burst) => ({ per_minute: 0.01, burst });
const limits = {
    credential: rate(5),
    tools: { "desk__g*": rate(2), desk__recall: rate(3) },
};
const site = new Site({
    config: { access: { oauth: { limits: { register: rate(2), token: rate(2) } } } },
    orgs: {
        credential: { access: { limits: { credential: rate(5) } } },
        org: { access: { limits: { credential: false, org: rate(6) } } },
        tools: { access: { limits: { ...limits, credential: false } } },
        free: { access: { limits: { credential: false } } },
    },
});
await site.start();
const keyed = async (org) =>
    site.with((await site.key(["mcp:read", "mcp:write", "mcp:admin"], ["--org", org])).secret);
const call = (client, name, args = {}, options = {}) =>
    client.modern("tools/call", { name, arguments: args }, options);
const ping = (client) => client.modern("tools/list");

function limited({ error, answer }) {
    assert.equal(answer.status, 429, answer.text);
    assert.match(answer.headers.get("retry-after"), /^[1-9]\d*$/);
    assert.equal(answer.messages[0].jsonrpc, "2.0");
    assert.ok(error ?? answer.messages[0].error, answer.text);
    assert.match((error ?? answer.messages[0].error).message, /too many requests/);
}

async function served(count, ask) {
    for (let i = 0; i < count; i++) {
        const { result, answer } = await ask();
        assert.ok(result, `request ${i + 1}: ${answer.status} ${answer.text}`);
    }
}

await report.check("a credential has its share, and nobody else pays for it", async () => {
    const client = await keyed("credential");
    await served(5, () => ping(client));
    limited(await ping(client));
    limited(await call(client, "desk__greeting"));
    await served(5, async () => ping(await keyed("credential")));
    // Also where what is asked is no call at all, or over plain HTTP.
    const { authorization } = client.headers;
    const plain = await site.http("GET", "/api/audit", { headers: { authorization } });
    assert.equal(plain.status, 429, plain.text);
    assert.ok(Number(plain.headers.get("retry-after")) > 0);
});

await report.check("the older era gets the same answer", async () => {
    const { secret } = await site.key(["mcp:read"], ["--org", "credential"]);
    const client = await site.legacy(secret); // one request
    let last;
    for (let i = 0; i < 5; i++) last = await client.call("tools/list");
    limited(last);
});

await report.check("all credentials of an organisation share its limit", async () => {
    const clients = [await keyed("org"), await keyed("org")];
    for (const client of clients) await served(3, () => ping(client));
    for (const client of clients) limited(await ping(client));
    await served(1, async () => ping(await keyed("free")));
});

await report.check("a tool has its own, by pattern; others and lists go on", async () => {
    const client = await keyed("tools");
    await served(2, () => call(client, "desk__greeting"));
    const refused = await call(client, "desk__greeting");
    limited(refused);
    assert.ok(refused.error.data.retry_after_seconds > 0);
    await served(1, () => call(client, "desk__version"));
    await served(4, () => ping(client));
    // It is the organisation's, whoever calls.
    limited(await call(await keyed("tools"), "desk__greeting"));
});

await report.check("what a tool calls in its caller's name counts", async () => {
    const client = await keyed("tools");
    const params = { name: "desk__recall", arguments: { key: "k" } };
    const recall = { method: "tools/call", params };
    const nested = () => call(client, "agent__within", recall);
    for (let i = 0; i < 3; i++) {
        const { result } = await nested();
        assert.equal(result.structuredContent.result.content[0].text, "nothing");
    }
    const { result } = await nested();
    assert.equal(result.isError, true);
    assert.equal(result.structuredContent.code, "busy");
    limited(await call(client, "desk__recall", { key: "k" }));
});

await report.check("registration and tokens have tighter ones for each address", async () => {
    const tries = async (path, init) => {
        const answers = [];
        for (let i = 0; i < 4; i++) {
            answers.push(await fetch(new URL(path, site.host.url), { method: "POST", ...init }));
        }
        assert.deepEqual(answers.map(({ status }) => status === 429), [false, false, true, true]);
        assert.ok(Number(answers[3].headers.get("retry-after")) > 0);
    };
    await tries("/oauth/register", {
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ redirect_uris: ["http://127.0.0.1:9/back"] }),
    });
    await tries("/oauth/token", { body: new URLSearchParams({ grant_type: "x" }) });
});

await report.check("by default: 200 requests a minute", async () => {
    const usual = await new Site().start();
    const client = usual.with((await usual.key()).secret);
    let count = 0;
    for (let status = 200; status === 200 && count < 1000; count++) {
        ({ status } = (await ping(client)).answer);
    }
    // Tokens come back while this goes on.
    assert.ok(count > 200 && count < 1000, String(count));
    await usual.host.stop();
});

await report.check("the host ends well", async () =>
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null }),
);
report.finish();
