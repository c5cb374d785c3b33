// SPDX-License-Identifier: Apache-2.0
// Returns from a sign-in that are not what they should be, and authorization servers and resources
// that are not who they say: each is refused in words, and nothing of it is kept.
import assert from "node:assert/strict";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { Report } from "../../clients/report.mjs";
import { eventually } from "../remote/org.mjs";
import { Estate, granted, oauth } from "./estate.mjs";

const report = new Report("remote_oauth_refused");
const guarded = await startUpstream();
const other = await startUpstream();
const liar = await startUpstream();
liar.metadata.resource = other.url;
const impostor = await startUpstream();
impostor.meddle = async (context, next) => {
    await next();
    if (context.path.includes("/.well-known/")) context.body.issuer = other.issuer;
};
const estate = await Estate.open([guarded, other, liar, impostor], {
    guarded: oauth(guarded),
    other: oauth(other),
    liar: oauth(liar),
    impostor: oauth(impostor),
});
// Another organisation with a server of the same name.
estate.place.writeOrg("second", estate.org());
for (const name of ["guarded", "other"]) await estate.needsSignIn(name);
const second = estate.callback("second");
const isThere = async () => (await estate.comeBack("", second)).status !== 404;
await eventually(isThere, "the second organisation");

const begin = async (name) => new URLSearchParams(await estate.browse(await estate.link(name)));
const kept = () => estate.kept().filter((name) => name.includes("/oauth.tokens."));

// A page for people, without anything in it that could run.
async function isRefused(query, why, callback) {
    const answer = await estate.comeBack(query, callback);
    assert.equal(answer.status, 400, answer.page);
    assert.match(answer.page, why);
    assert.deepEqual(kept(), []);
    assert.equal(granted(guarded, "/token") + granted(other, "/token"), 0);
    const servers = await estate.servers();
    for (const name of ["guarded", "other"]) assert.equal(servers[name].status, "needs_sign_in");
}

const without = (query, name) => {
    const rest = new URLSearchParams(query);
    rest.delete(name);
    return rest;
};
const changed = (query, name, value) => {
    const other = new URLSearchParams(query);
    other.set(name, value);
    return other;
};

await report.check("a state that nobody has", async () => {
    const query = await begin("guarded");
    const state = query.get("state");
    await isRefused(without(query, "state"), /no state/);
    await isRefused(changed(query, "state", ""), /not known/);
    await isRefused(changed(query, "state", "x".repeat(1000)), /not known/);
    await isRefused(changed(query, "state", `${state}x`), /no such sign-in/);
    await isRefused(changed(query, "state", state.slice(0, -1)), /no such sign-in/);
    const tampered = state.slice(0, -1) + (state.endsWith("A") ? "B" : "A");
    await isRefused(changed(query, "state", tampered), /no such sign-in/);
    await isRefused(changed(query, "state", state.slice(0, 16)), /no such sign-in/);
});

await report.check("another organisation's callback", async () => {
    const query = await begin("guarded");
    await isRefused(query, /not known/, second);
    const nowhere = await estate.comeBack(query, estate.callback("nobody"));
    assert.equal(nowhere.status, 404);
});

await report.check("parameters that are there twice", async () => {
    const query = await begin("guarded");
    for (const name of ["state", "code", "iss"]) {
        const twice = new URLSearchParams(query);
        twice.append(name, query.get(name));
        await isRefused(twice, /twice/);
    }
});

await report.check("the answer of another issuer", async () => {
    await isRefused(changed(await begin("guarded"), "iss", other.issuer), /another issuer/);
    await isRefused(changed(await begin("guarded"), "iss", `${guarded.issuer}/`), /another issuer/);
    await isRefused(without(await begin("guarded"), "iss"), /does not name its issuer/);
});

await report.check("one server's answer to another's sign-in", async () => {
    const mixed = changed(await begin("other"), "state", (await begin("guarded")).get("state"));
    await isRefused(mixed, /another issuer/);
});

await report.check("an answer without a code, or with an error", async () => {
    await isRefused(without(await begin("guarded"), "code"), /no code/);
    const failed = (error) => changed(without(begun, "code"), "error", error);
    let begun = await begin("guarded");
    await isRefused(failed("access_denied"), /declined/);
    begun = await begin("guarded");
    await isRefused(failed('<script>alert("x")</script>'), /&lt;script>alert\(\?x\?\)/);
});

await report.check("a code that the authorization server did not give", async () => {
    const invented = changed(await begin("guarded"), "code", "invented");
    await isRefused(invented, /refused: HTTP 400 invalid_grant/);
});

await report.check("what was refused cannot be mended afterwards", async () => {
    const query = await begin("guarded");
    await isRefused(changed(query, "iss", other.issuer), /another issuer/);
    await isRefused(query, /no such sign-in/);
});

for (const [name, server, what] of [
    ["liar", liar, "resource"],
    ["impostor", impostor, "issuer"],
])
    await report.check(`metadata that is of another ${what}`, async () => {
        const { failed } = await estate.admin("sign_in", { name });
        assert.match(failed.message, new RegExp(`another ${what}`));
        assert.equal((await estate.outcome(`${name}__read`)).code, -32602, "it has no tools");
        assert.ok(server.requests.every(({ path }) => path.startsWith("/.well-known/")));
    });

await report.check("after all that, a sign-in as it should be, once", async () => {
    const query = await begin("guarded");
    const { status, page } = await estate.comeBack(query);
    assert.equal(status, 200, page);
    await estate.ready("guarded");
    const again = await estate.comeBack(query);
    assert.equal(again.status, 400);
    assert.match(again.page, /no such sign-in/);
    assert.equal(await estate.outcome("guarded__read"), "read");
    assert.equal(kept().length, 1);
    await estate.needsSignIn("other");
});

await estate.close(report);
