// SPDX-License-Identifier: Apache-2.0
// What a credential may do: a tool outside its scopes is in no list and unknown when called, or
// refused with the scope that it needs; what an organisation forbids stays forbidden; and a call
// that a tool makes in its caller's name may do no more.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { allow } from "./person.mjs";
import { Site, challenge, eventually } from "./site.mjs";

const report = new Report("access_scopes");
const both = ["mcp:read", "mcp:write"];
const rules = [
    { tools: ["desk__open"] },
    { capabilities: ["text_tools"], levels: ["read"] },
    { roles: ["member"], tools: ["desk__re*"] },
    { roles: ["admin", "owner"], levels: ["write"] },
];
const orgs = {
    default: {},
    ask: { access: { out_of_scope: "challenge", forbidden: [{ tools: ["desk__open"] }] } },
    rules: { access: { forbidden: rules } },
};
const site = await new Site({ orgs }).start();
const keyed = async (scopes, org = "default") =>
    site.with((await site.key(scopes, ["--org", org])).secret);
const call = (client, name, args = {}) =>
    client.modern("tools/call", { name, arguments: args });
const note = { key: "k", value: "v" };

async function unknown(client, name, args) {
    const { error, answer } = await call(client, name, args);
    assert.equal(error?.code, -32602, answer.text);
    assert.match(error.message, /Unknown tool/);
    assert.equal(answer.headers.get("www-authenticate"), null);
}

const all = await (await keyed([...both, "mcp:admin"])).tools();
const having = async (client, wanted, absent) => {
    const tools = await client.tools();
    for (const name of wanted) assert.ok(tools.includes(name), `${name} in ${tools}`);
    for (const name of absent) {
        assert.ok(all.includes(name), `${name} in ${all}`);
        assert.ok(!tools.includes(name), `no ${name} in ${tools}`);
    }
};

await report.check("who may read sees what reads; the rest is unknown", async () => {
    const client = await keyed(["mcp:read"]);
    await having(client, ["desk__recall", "text_tools__word_count"], ["desk__remember"]);
    await unknown(client, "desk__remember", note);
    assert.equal(await client.tool("desk__recall", { key: "k" }), "nothing");
    // Word for word what is said of a tool that nobody has, but for the name.
    const texts = ["desk__remember", "desk__rememba"].map(async (name) =>
        (await call(client, name, note)).answer.text.replaceAll(name, "x").replace(/"id":\d+/, ""),
    );
    const [real, none] = await Promise.all(texts);
    assert.equal(real, none);
});

await report.check("a level stands for itself: who may change may not read", async () => {
    await having(await keyed(["mcp:write"]), ["desk__remember"], ["desk__recall"]);
});

await report.check("action: leaves one capability, in lists and calls", async () => {
    const client = await keyed([...both, "action:desk"]);
    await having(client, ["desk__recall", "desk__remember"], ["text_tools__word_count"]);
    await unknown(client, "text_tools__word_count", { text: "a" });
});

await report.check("the older era is treated alike", async () => {
    const { secret } = await site.key(["mcp:read"]);
    const client = await site.legacy(secret);
    assert.ok(!(await client.tools()).includes("desk__remember"));
    const params = { name: "desk__remember", arguments: note };
    const { error } = await client.call("tools/call", params);
    assert.match(error.message, /Unknown tool/);
});

await report.check("challenge: in no list, but the call says which scope it needs", async () => {
    const client = await keyed(["mcp:read"], "ask");
    await having(client, ["desk__recall"], ["desk__remember"]);
    const { error, answer } = await call(client, "desk__remember", note);
    assert.equal(answer.status, 403, answer.text);
    assert.ok(error.code < 0 && error.message);
    const said = challenge(answer.headers);
    assert.equal(said.error, "insufficient_scope");
    assert.equal(said.scope, "mcp:read mcp:write");
    assert.match(said.resource_metadata, /\/\.well-known\/oauth-protected-resource\/mcp$/);
    await unknown(client, "desk__rememba", note);
    // What no scope would open is not worth asking for.
    await unknown(client, "desk__open", { tag: "t" });
    const narrow = await keyed(["mcp:read", "action:desk"], "ask");
    const elsewhere = await call(narrow, "text_tools__word_count", { text: "a" });
    assert.equal(
        challenge(elsewhere.answer.headers).scope,
        "mcp:read action:desk action:text_tools",
        "what it needs, and what it has and would lose otherwise",
    );
});

await report.check("what is forbidden is not there, whatever a key says", async () => {
    const client = await keyed([...both, "mcp:admin"], "rules");
    await having(client, ["desk__recall", "desk__remember"], ["desk__open", "text_tools__slugify"]);
    await unknown(client, "desk__open", { tag: "t" });
    await unknown(client, "text_tools__word_count", { text: "a" });
});

await report.check("and by role, whatever a person allowed", async () => {
    const token = async (role) => {
        const login = `${role}@example.com`;
        await site.person(login, role, ["--org", "rules"]);
        return (await allow(site, login, "mcp:read mcp:write mcp:admin")).access_token;
    };
    const member = site.with(await token("member"));
    await having(member, ["desk__greeting", "desk__fail"], ["desk__recall", "desk__remember"]);
    await unknown(member, "desk__recall", { key: "k" });
    const secret = await token("owner");
    const owner = site.with(secret);
    await having(owner, ["desk__recall"], ["desk__remember", "desk__fail"]);
    await unknown(owner, "desk__remember", note);
    // Nor with a key of their own making.
    const body = { name: "k", scopes: [...both, "mcp:admin"] };
    const made = await site.http("POST", "/api/keys", { secret, body });
    assert.equal(made.body.role, "owner", made.text);
    await having(site.with(made.body.secret), ["desk__recall"], ["desk__remember", "desk__fail"]);
    await unknown(site.with(made.body.secret), "desk__remember", note);
});

await report.check("a rule counts as soon as the file says so, also on open streams", async () => {
    const client = await keyed(both);
    const stream = await client.listen();
    assert.equal(await client.tool("desk__recall", { key: "none" }), "nothing");
    site.place.writeOrg("default", { access: { forbidden: [{ tools: ["desk__recall"] }] } });
    await stream.heard("notifications/tools/list_changed");
    await eventually(async () => !(await client.tools()).includes("desk__recall"), "the rule");
    await unknown(client, "desk__recall", { key: "none" });
    const before = stream.messages.items.length;
    site.place.writeOrg("default", {});
    await stream.heard("notifications/tools/list_changed", before);
    await eventually(async () => (await client.tools()).includes("desk__recall"), "its end");
    stream.close();
});

// What a tool of the agent brings back from the host in its caller's name; {code} of a refusal.
async function nested(client, tool, method, params = {}) {
    const { result, error } = await call(client, tool, { method, params });
    assert.ok(result, JSON.stringify(error));
    const { isError, structuredContent } = result;
    return isError ? { refused: structuredContent.code } : structuredContent.result;
}

await report.check("a nested call sees and may no more than its caller", async () => {
    const reader = await keyed(["mcp:read"]);
    const seen = (await nested(reader, "agent__look", "tools/list")).tools.map(({ name }) => name);
    assert.deepEqual(seen.toSorted(), await reader.tools());
    const write = { name: "desk__remember", arguments: { key: "nested", value: "v" } };
    const refused = await nested(reader, "agent__look", "tools/call", write);
    assert.deepEqual(refused, { refused: "not_found" });
    const read = { name: "desk__recall", arguments: { key: "nested" } };
    const recalled = await nested(reader, "agent__look", "tools/call", read);
    assert.equal(recalled.content[0].text, "nothing");
    const narrow = await keyed([...both, "action:agent"]);
    const out = await nested(narrow, "agent__within", "tools/call", write);
    assert.deepEqual(out, { refused: "not_found" });
    // Whoever may, may so too.
    const writer = await keyed(both);
    const kept = await nested(writer, "agent__look", "tools/call", write);
    assert.equal(kept.content[0].text, "kept");
});

await report.check("where scopes are told, a nested call is refused all the same", async () => {
    const reader = await keyed(["mcp:read"], "ask");
    const write = { name: "desk__remember", arguments: note };
    const refused = await nested(reader, "agent__look", "tools/call", write);
    assert.deepEqual(refused, { refused: "not_found" });
});

await report.check("the host ends well", async () =>
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null }),
);
report.finish();
