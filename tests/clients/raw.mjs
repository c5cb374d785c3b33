// SPDX-License-Identifier: Apache-2.0
// What clients in the field send that the official libraries do not: batches of 2025-03-26, missing
// and unusual headers, other orders, mistakes. Against a host over HTTP.
//
//   raw.mjs --host BINARY --plugins DIR,DIR... --out DIR
import assert from "node:assert/strict";
import { RawClient, RawModernClient } from "./raw_client.mjs";
import { Report, parseArguments } from "./report.mjs";
import { openTarget } from "./target.mjs";

const options = parseArguments();
const report = new Report("raw clients");
const target = await openTarget({
    name: "raw",
    target: "host",
    transport: "http",
    out: options.out,
    host: options.host,
    plugins: options.plugins.split(","),
});
const text = (response) => response.result.content.map((block) => block.text).join("");

// ---- 2025-03-26: batches, and the members that it does not know ----
{
    const client = new RawClient(target.url);
    await report.check("2025-03-26 is served", async () => {
        const result = await client.initialize("2025-03-26");
        assert.equal(result.protocolVersion, "2025-03-26");
    });
    await report.check("a batch is answered with a batch", async () => {
        const batch = [
            client.request("ping"),
            { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "none" } },
            client.request("tools/list"),
            client.request("tools/call", { name: "lab__sum", arguments: { a: 1, b: 2 } }),
        ];
        const { status, messages } = await client.send(batch);
        assert.equal(status, 200);
        const ids = batch.filter((m) => "id" in m).map(({ id }) => id);
        assert.deepEqual(
            messages.map(({ id }) => id).toSorted((a, b) => a - b),
            ids,
        );
        const sum = messages.find(({ id }) => id === batch[3].id);
        assert.deepEqual(JSON.parse(text(sum)), { sum: 3 });
        assert.ok(!("structuredContent" in sum.result));
    });
    await report.check("a batch of notifications is accepted", async () => {
        const note = { jsonrpc: "2.0", method: "notifications/roots/list_changed" };
        const { status, text: body } = await client.send([note, note]);
        assert.equal(status, 202);
        assert.equal(body, "");
    });
    await report.check("an unknown method in a batch fails alone", async () => {
        const batch = [client.request("nothing/here"), client.request("ping")];
        const { messages } = await client.send(batch);
        assert.equal(messages.find(({ id }) => id === batch[0].id).error.code, -32601);
        assert.deepEqual(messages.find(({ id }) => id === batch[1].id).result, {});
    });
    await report.check("an empty batch is refused", async () =>
        assert.equal((await client.send([])).status, 400),
    );
    await report.check("initialize in a batch is refused", async () => {
        const other = new RawClient(target.url);
        const { status, headers } = await other.send([
            other.request("initialize", {
                protocolVersion: "2025-03-26",
                capabilities: {},
                clientInfo: { name: "x", version: "1" },
            }),
        ]);
        assert.equal(status, 400);
        assert.equal(headers.get("mcp-session-id"), null);
    });
    await report.check("tools are listed in the words of 2025-03-26", async () => {
        const { result } = await client.call("tools/list");
        const sum = result.tools.find(({ name }) => name === "lab__sum");
        assert.ok(sum);
        assert.ok(!("outputSchema" in sum) && !("title" in sum));
    });
    await report.check("a resource link becomes something that 2025-03-26 knows", async () => {
        const { result } = await client.call("tools/call", { name: "lab__gallery", arguments: {} });
        assert.ok(result.content.every(({ type }) => type !== "resource_link"));
        assert.ok(JSON.stringify(result.content.at(-1)).includes("memo://note"));
    });
    await report.check("a tool that needs to ask says that this client cannot answer", async () => {
        const { result } = await client.call("tools/call", {
            name: "lab__ask_name",
            arguments: {},
        });
        assert.equal(result.isError, true);
    });
    await report.check("the session ends", async () =>
        assert.ok((await client.end()).status < 300),
    );
}

// ---- Gemini CLI: 2025-06-18 and never a version header ----
{
    const client = new RawClient(target.url);
    await report.check("without a version header the session says the version", async () => {
        assert.equal((await client.initialize("2025-06-18")).protocolVersion, "2025-06-18");
        const { result } = await client.call("tools/list");
        const sum = result.tools.find(({ name }) => name === "lab__sum");
        assert.equal(sum.title, "Sum");
        assert.ok(sum.outputSchema);
    });
    await report.check("structured content of 2025-06-18", async () => {
        const { result } = await client.call("tools/call", {
            name: "lab__sum",
            arguments: { a: 3, b: 4 },
        });
        assert.deepEqual(result.structuredContent, { sum: 7 });
    });
    await report.check("a batch is refused since 2025-06-18", async () =>
        assert.equal((await client.send([client.request("ping")])).status, 400),
    );
    await report.check("the session ends", async () =>
        assert.ok((await client.end()).status < 300),
    );
}

// ---- Codex: 2025-06-18, Accept in the other order, a GET to see whether a log-in is needed ----
{
    const client = new RawClient(target.url, { accept: "text/event-stream, application/json" });
    await report.check("a GET without a session is refused, not challenged", async () => {
        const { status, headers } = await client.send(undefined, { method: "GET" });
        assert.ok(status === 405 || status === 400, `GET is answered with ${status}`);
        assert.equal(headers.get("www-authenticate"), null);
    });
    await report.check("Accept in the other order", async () => {
        assert.equal(
            (await client.initialize("2025-06-18", { elicitation: {} })).protocolVersion,
            "2025-06-18",
        );
        client.headers["mcp-protocol-version"] = "2025-06-18";
        assert.ok((await client.call("tools/list")).result.tools.length > 0);
    });
    await report.check("elicitation in the words of 2025-06-18", async () => {
        const asked = [];
        const response = await client.call(
            "tools/call",
            { name: "lab__ask_name", arguments: {} },
            {
                onRequest: async (message) => {
                    asked.push(message);
                    return { action: "accept", content: { name: "Bob" } };
                },
            },
        );
        assert.equal(text(response), "accept Bob");
        assert.deepEqual(
            asked.map(({ method }) => method),
            ["elicitation/create"],
        );
        assert.ok(!("mode" in asked[0].params));
    });
    await report.check("what this client did not declare is not asked", async () => {
        const asked = [];
        const { result } = await client.call(
            "tools/call",
            { name: "lab__ask_roots", arguments: {} },
            {
                onRequest: async (message) => asked.push(message) && { roots: [] },
            },
        );
        assert.equal(result.isError, true);
        assert.deepEqual(asked, []);
    });
    await report.check("DELETE ends the session", async () => {
        assert.ok((await client.end()).status < 300);
        const { answer } = await client.call("tools/list");
        assert.equal(answer.status, 404);
    });
}

// ---- mcp-remote: a GET first, well-known probes, then the handshake; mcp-method in the old era ----
{
    const client = new RawClient(target.url);
    await report.check("the probes for a log-in find where there is one, and ask for none", async () => {
        const probe = await client.send(undefined, {
            method: "GET",
            headers: { "content-type": null },
        });
        assert.ok(probe.status === 405 || probe.status === 400);
        for (const path of [
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-authorization-server/mcp",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration/mcp",
            "/.well-known/openid-configuration",
        ]) {
            const { status, text } = await client.send(undefined, { method: "GET", path });
            assert.equal(status, 200, `${path} is answered with ${status}`);
            const { resource, issuer } = JSON.parse(text);
            assert.ok((resource ?? issuer).startsWith("http://127.0.0.1:"), text);
        }
    });
    await report.check("a handshake with the header mcp-method", async () => {
        client.headers["mcp-method"] = "initialize";
        assert.equal((await client.initialize("2025-11-25")).protocolVersion, "2025-11-25");
        client.headers["mcp-protocol-version"] = "2025-11-25";
        client.headers["mcp-method"] = "tools/list";
        assert.ok((await client.call("tools/list")).result.tools.length > 0);
    });
    await client.end();
}

// ---- versions and sessions that cannot be ----
await report.check("an unknown old version gets the newest with a handshake", async () => {
    for (const version of ["1999-01-01", "2024-11-05"]) {
        const client = new RawClient(target.url);
        const { protocolVersion } = await client.initialize(version);
        assert.equal(protocolVersion, "2025-11-25");
        await client.end();
    }
});
await report.check("an unknown session is not found", async () => {
    const client = new RawClient(target.url);
    client.session = "no-such-session";
    assert.equal((await client.call("tools/list")).answer.status, 404);
});
await report.check("a request without any session is refused", async () =>
    assert.equal((await new RawClient(target.url).call("tools/list")).answer.status, 400),
);
await report.check("an unknown version header in a session is refused", async () => {
    const client = new RawClient(target.url);
    await client.initialize("2025-11-25");
    const { answer } = await client.call(
        "tools/list",
        {},
        { headers: { "mcp-protocol-version": "2025-99-99" } },
    );
    assert.equal(answer.status, 400);
    await client.end();
});
await report.check("a foreign Origin is forbidden", async () => {
    const { status } = await new RawClient(target.url).send(
        {},
        { headers: { origin: "https://evil.example" } },
    );
    assert.equal(status, 403);
});
await report.check("a body that is no JSON", async () => {
    const { status, messages } = await new RawClient(target.url).send('{"jsonrpc":');
    assert.equal(status, 400);
    assert.equal(messages[0]?.error?.code, -32700);
});

// ---- modern mistakes ----
{
    const client = new RawModernClient(target.url);
    const refused = (name, status, code, ask) =>
        report.check(name, async () => {
            const { error, answer } = await ask();
            assert.equal(error?.code, code);
            assert.equal(answer.status, status);
        });
    await report.check("a modern call without any discovery", async () => {
        const response = await client.modern("tools/call", {
            name: "lab__sum",
            arguments: { a: 1, b: 1 },
        });
        assert.deepEqual(response.result.structuredContent, { sum: 2 });
    });
    await refused("an unknown modern method", 404, -32601, () => client.modern("nothing/here"));
    await refused("ping is unknown in the modern era", 404, -32601, () => client.modern("ping"));
    await refused("another version in the header", 400, -32020, () =>
        client.modern("tools/list", {}, { headers: { "mcp-protocol-version": "2025-11-25" } }),
    );
    await refused("another method in the header", 400, -32020, () =>
        client.modern("tools/list", {}, { headers: { "mcp-method": "prompts/list" } }),
    );
    await refused("another name in the header", 400, -32020, () =>
        client.modern(
            "tools/call",
            { name: "lab__sum", arguments: { a: 1, b: 1 } },
            { headers: { "mcp-name": "lab__fail" } },
        ),
    );
    await refused("a missing header", 400, -32020, () =>
        client.modern("tools/list", {}, { headers: { "mcp-method": null } }),
    );
    await refused("missing capabilities", 400, -32602, () =>
        client.modern(
            "tools/list",
            {},
            { meta: { "io.modelcontextprotocol/clientCapabilities": null } },
        ),
    );
    await refused("a version from the future", 400, -32022, () =>
        client.modern(
            "tools/list",
            {},
            {
                meta: { "io.modelcontextprotocol/protocolVersion": "2030-01-01" },
                headers: { "mcp-protocol-version": "2030-01-01" },
            },
        ),
    );
    await report.check("a name in the base64 form", async () => {
        const encoded = `=?base64?${Buffer.from("lab__sum").toString("base64")}?=`;
        const { result } = await client.modern(
            "tools/call",
            { name: "lab__sum", arguments: { a: 2, b: 2 } },
            { headers: { "mcp-name": encoded } },
        );
        assert.deepEqual(result.structuredContent, { sum: 4 });
    });
    await report.check("a session id in a modern request is ignored", async () => {
        const { result, answer } = await client.modern(
            "tools/list",
            {},
            { headers: { "mcp-session-id": "whatever" } },
        );
        assert.ok(result.tools.length > 0);
        assert.equal(answer.headers.get("mcp-session-id"), null);
    });
    await report.check("a modern batch is refused", async () => {
        const { status } = await client.send([client.request("tools/list", {})], {
            headers: { "mcp-protocol-version": "2026-07-28" },
        });
        assert.equal(status, 400);
    });
    await report.check("what a modern client did not declare is not asked", async () => {
        const { result, error } = await client.modern("tools/call", {
            name: "lab__ask_name",
            arguments: {},
        });
        assert.ok(
            result?.isError === true || error?.code === -32021,
            JSON.stringify(result ?? error),
        );
    });
}
await target.stop(report);
await target.checkWire(report, ["modern", "legacy"]);
report.finish();
