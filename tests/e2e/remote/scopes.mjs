// SPDX-License-Identifier: Apache-2.0
// Servers that a call brings along: seen by that call alone, in the documented order, shared by
// calls with the same ones, ended with the last of them, and nowhere kept.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { RecordingProxy } from "../../clients/capture.mjs";
import { everything } from "../../clients/remote/upstreams.mjs";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { Site, entries, eventually, plugin } from "./org.mjs";
import { Slowness, does } from "./sick.mjs";
import { Upstream } from "./upstream.mjs";

const report = new Report("remote_scopes");
const mostScopes = 256; // that the host keeps
const secret = "secret-of-a-scope";
const upstream = (name, era) => new Upstream(name, { era, tools: 2 }).start();

const real = await everything("streamableHttp");
const wire = await RecordingProxy.start(real.origin);
const [shop, agents, sessions, other] = await Promise.all(
    ["shop", "agents", "sessions", "other"].map((name) => upstream(name, "legacy")),
);
const outbound = { allow_private_cidrs: ["127.0.0.0/8"], allow_stdio: true };
const site = await new Site(entries([shop]), {
    config: { outbound },
    plugins: [plugin, built.agent],
}).start();

const mcpServers = (servers) => ({ mcpServers: servers });
const own = mcpServers({ mine: { url: `${wire.origin}/mcp`, headers: { "X-Key": secret } } });

// The result of a request within a scope, or how it failed.
async function within(scope, method, params = {}, options = {}) {
    const { result, error } = await site.client.modern(
        "tools/call",
        { name: "agent__within", arguments: { scope, method, params } },
        options,
    );
    assert.ok(result, JSON.stringify(error));
    const { isError, structuredContent } = result;
    return isError ? { failed: structuredContent } : structuredContent.result;
}

// Who answers a tool under the namespace "shop".
async function whoIs(scope, namespace = "shop") {
    const params = { name: `${namespace}__tool_00`, arguments: { text: "x" } };
    const { content, failed } = await within(scope, "tools/call", params);
    assert.equal(failed, undefined);
    return content[0].text.split(" ")[0];
}

const namesIn = ({ tools }) => tools.map(({ name }) => name);
const leftOut = ({ _meta }) => _meta?.["patchbay/left_out"] ?? [];
const echo = { name: "mine__echo", arguments: { message: "hello" } };

await site.state("shop", ({ status }) => status === "ready");
await eventually(async () => (await site.tools()).includes("shop__tool_00"), "the org's tools");

await report.check("a real server's tools, resources and prompts are listed and used", async () => {
    const tools = namesIn(await within([own], "tools/list"));
    for (const name of ["mine__echo", "mine__get-sum", "shop__tool_00", "agent__within"])
        assert.ok(tools.includes(name), `${name} in ${tools}`);
    const { content } = await within([own], "tools/call", echo);
    assert.equal(content[0].text, "Echo: hello");
    const { resources } = await within([own], "resources/list");
    const { uri } = resources.find((resource) => resource.uri.includes("mine"));
    assert.ok((await within([own], "resources/read", { uri })).contents.length);
    const { prompts } = await within([own], "prompts/list");
    const { name } = prompts.find((prompt) => prompt.name === "mine__simple-prompt");
    assert.ok((await within([own], "prompts/get", { name })).messages.length);
});

await report.check("nobody else sees it, nothing of it is kept or logged", async () => {
    assert.ok(!(await site.tools()).some((name) => name.startsWith("mine__")));
    const direct = await site.client.modern("tools/call", echo);
    assert.match(direct.error.message, /Unknown tool/);
    const without = await within(undefined, "tools/call", echo);
    assert.equal(without.failed.code, "not_found");
    await site.admin("add_server", { name: "registered", settings: { url: other.url } });
    await site.state("registered", ({ status }) => status === "ready");
    const rest = await (await fetch(new URL("/api/mcp-servers", site.host.url))).json();
    assert.deepEqual(rest.servers.map(({ name }) => name).toSorted(), ["registered", "shop"]);
    assert.deepEqual(Object.keys(await site.servers()).toSorted(), ["registered", "shop"]);
    const files = readdirSync(site.place.data, { recursive: true })
        .map((name) => path.join(site.place.data, name))
        .filter((file) => statSync(file).isFile());
    const held = (name) => files.filter((file) => path.basename(file).startsWith(name));
    const text = (all) => all.map((file) => readFileSync(file, "latin1")).join("");
    const kept = text(files);
    assert.ok(kept.includes("server/registered"), "what is registered is found in the store");
    for (const trace of [secret, wire.origin]) assert.ok(!kept.includes(trace), trace);
    // That it was called is in the trail, and nowhere else.
    assert.ok(text(held("audit.db")).includes("scope.1"));
    assert.ok(!text(files.filter((file) => !held("audit.db").includes(file))).includes("scope.1"));
    assert.ok(!site.host.err.includes(secret));
});

await report.check("the session's server comes before the agent's, before the org's", async () => {
    const of = ({ url }) => mcpServers({ shop: { url } });
    assert.equal(await whoIs(undefined), "shop");
    assert.equal(await whoIs([]), "shop");
    assert.equal(await whoIs([of(agents)]), "agents");
    assert.equal(await whoIs([of(agents), of(sessions)]), "sessions");
    assert.equal(await whoIs([of(sessions), of(agents)]), "agents");
    // It is the namespace that hides, whatever the server is called.
    const called = mcpServers({ x: { url: agents.url, namespace: "shop" } });
    assert.equal(await whoIs([called]), "agents");
    assert.equal(await whoIs([mcpServers({ x: { url: agents.url } })]), "shop");
    const clash = await within([of(sessions), called], "tools/list");
    assert.equal(clash.failed.code, "invalid");
    assert.match(clash.failed.message, /'shop' is that of the server 'shop' and of 'x'/);
});

await report.check("names that are nearly the same are two servers", async () => {
    const both = mcpServers({
        "a b": { url: agents.url, namespace: "one" },
        "a-b": { url: sessions.url, namespace: "two" },
    });
    assert.equal(await whoIs([both], "one"), "agents");
    assert.equal(await whoIs([both], "two"), "sessions");
});

await report.check("what cannot be a scoped server is refused with what would do", async () => {
    const marker = path.join(tmpdir(), `never-made-by-a-scope-${process.pid}`);
    const wrong = [
        [{ command: "touch", args: [marker] }, /a scoped server must be a remote one/],
        [{ url: other.url, auth: { type: "oauth" } }, /give it a token/],
        [{ url: other.url, acts_as: "user" }, /acts_as/],
        [{ url: "ftp://example.com" }, /url/],
        [{ url: other.url, namespace: "No__t" }, /namespace/],
    ];
    for (const [definition, says] of wrong) {
        const { failed } = await within([mcpServers({ mine: definition })], "tools/list");
        assert.equal(failed.code, "invalid", JSON.stringify(failed));
        assert.equal(failed.retryable, false);
        assert.match(failed.message, says);
    }
    assert.equal((await within([{ servers: {} }], "tools/list")).failed.code, "invalid");
    assert.ok(!existsSync(marker));
});

await report.check("references in a scope are its own words", async () => {
    const headers = { "X-Probe": "${env:PATH} ${secret:a}" };
    await within([mcpServers({ mine: { url: other.url, headers } })], "tools/list");
    assert.ok(other.headers.has("x-probe: ${env:PATH} ${secret:a}"));
});

await report.check("a server that cannot be used costs its own calls and says why", async () => {
    const [dead, silent, closed] = await Promise.all(
        ["dead", "silent", "closed"].map((name) => upstream(name, "modern")),
    );
    await dead.kill();
    const silence = new Slowness(silent, 1e9);
    closed.misbehave = does((request, answer) => answer.writeHead(401).end());
    const scope = [
        own,
        mcpServers({
            ...entries([dead, silent, closed]),
            inside: { url: "http://169.254.169.254/latest/meta-data" },
        }),
    ];
    const reasons = {
        dead: /refused/,
        silent: /has not answered yet/,
        closed: /401/,
        inside: /169\.254\.169\.254/,
    };
    const check = (texts) => {
        for (const [name, reason] of Object.entries(reasons)) {
            const text = texts.find((each) => each.includes(`'${name}'`));
            assert.match(text ?? `nothing of ${name} in ${texts}`, reason);
        }
    };
    const before = wire.exchanges.length;
    const [list, called, lost] = await Promise.all([
        within(scope, "tools/list"),
        within(scope, "tools/call", echo),
        within(scope, "tools/call", { name: "dead__tool_00" }),
        // Meanwhile others are served.
        within([own], "tools/call", echo),
    ]);
    assert.ok(wire.exchanges.length > before);
    check(leftOut(list));
    assert.equal(leftOut(list).length, 4);
    assert.ok(namesIn(list).includes("mine__echo"));
    assert.equal(called.content[0].text, "Echo: hello");
    assert.equal(lost.failed.code, "not_found");
    check(lost.failed.message.split("; "));
    // Once they work, they are there.
    await dead.start();
    silence.cure();
    closed.misbehave = null;
    const alive = [dead, silent, closed].map(({ name }) => `${name}__tool_00`);
    await eventually(async () => {
        const names = namesIn(await within(scope, "tools/list"));
        return alive.every((name) => names.includes(name));
    }, "the tools of those that came back");
});

await report.check("calls with the same servers share a session; others do not", async () => {
    const opened = other.count("initialize");
    const { url } = other;
    const key = (text) => ({ url, headers: { "X-Key": text } });
    const one = mcpServers({ twin: key("same") });
    const call = { name: "twin__tool_00", arguments: {} };
    const all = await Promise.all(
        Array.from({ length: 16 }, (_, i) =>
            // The same servers, whichever object of the scope they come from.
            within(i % 2 ? [one] : [mcpServers({ twin: key("hidden") }), one], "tools/call", call),
        ),
    );
    for (const { failed } of all) assert.equal(failed, undefined);
    assert.equal(other.count("initialize"), opened + 1);
    await within([mcpServers({ twin: key("another") })], "tools/call", call);
    assert.equal(other.count("initialize"), opened + 2);
});

await report.check("a cancelled call is cancelled at the server", async () => {
    const tool = "trigger-long-running-operation";
    const bodies = () => wire.exchanges.map(({ requestBody }) => requestBody);
    const cancel = new AbortController();
    const lasting = { name: `mine__${tool}`, arguments: { duration: 3_600, steps: 1 } };
    const call = within([own], "tools/call", lasting, { signal: cancel.signal });
    const outcome = call.catch((error) => error.name);
    await eventually(() => bodies().some((body) => body.includes(tool)), "the call to arrive");
    cancel.abort();
    assert.equal(await outcome, "AbortError");
    const told = (body) => body.includes("notifications/cancelled");
    await eventually(() => bodies().some(told), "the server to be told");
    const failed = (line) => line.message === "ended" && line.failed;
    await site.host.event("plugin.log", failed);
    assert.equal((await within([own], "tools/call", echo)).content[0].text, "Echo: hello");
});

await report.check("a server's session ends when nobody uses it, running calls first", async () => {
    const held = Promise.withResolvers();
    const last = await upstream("last", "legacy");
    last.misbehave = (request, answer, message) => {
        if (message.method !== "tools/call") return false;
        held.promise.then(() => last.serveLegacy(request, answer, message));
        return true;
    };
    const running = whoIs([mcpServers(entries([last]))], "last");
    await eventually(() => last.count("tools/call") === 1, "the call to arrive");
    // So many others that all before have to make room.
    const url = "http://127.0.0.1:1/";
    for (let i = 0; i < mostScopes; i += 16)
        await Promise.all(
            Array.from({ length: 16 }, async (_, k) => {
                const scope = [mcpServers({ [`n${i + k}`]: { url, enabled: false } })];
                assert.ok((await within(scope, "tools/list")).tools);
            }),
        );
    const ends = () => wire.exchanges.filter(({ method, end }) => method === "DELETE" && end);
    const begun = wire.exchanges.filter(({ requestBody }) => requestBody.includes('"initialize"'));
    await eventually(() => ends().length === begun.length, "the real server's sessions' end");
    for (const { status } of ends()) assert.equal(status, 200);
    assert.equal(last.sessions.size, 1);
    held.resolve();
    assert.equal(await running, "last");
    await eventually(() => last.sessions.size === 0, "the session's end");
    // And what comes back is opened again.
    assert.equal((await within([own], "tools/call", echo)).content[0].text, "Echo: hello");
});

await report.check("the host ends well, and every session with it", async () => {
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    for (const each of [shop, agents, sessions, other])
        assert.deepEqual([...each.sessions], [], each.name);
});
await wire.stop();
await real.stop();
report.finish();
