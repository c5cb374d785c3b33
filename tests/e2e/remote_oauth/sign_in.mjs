// SPDX-License-Identifier: Apache-2.0
// A server of the organisation's file that wants a sign-in: an administrator signs in for the
// organisation, and its tools are there, without a restart and after one.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { Report } from "../../clients/report.mjs";
import { Upstream } from "../remote/upstream.mjs";
import { Estate, granted, oauth } from "./estate.mjs";

const report = new Report("remote_oauth_sign_in");
const guarded = await startUpstream();
const open = await new Upstream("open", { tools: 3 }).start();
const estate = await Estate.open([guarded], { guarded: oauth(guarded), open: { url: open.url } });
const guardedTools = ["guarded__read", "guarded__write"];
const openTools = ["open__tool_00", "open__tool_01", "open__tool_02"];

await report.check("who needs a sign-in says so, and takes nothing from the others", async () => {
    const { reason, tools, acts_as } = await estate.needsSignIn("guarded");
    assert.match(reason, /sign in/);
    assert.equal(tools, 0);
    assert.equal(acts_as, "service");
    await estate.ready("open");
    const { status, body } = await estate.api("GET", "");
    assert.equal(status, 200);
    const states = Object.fromEntries(body.servers.map((each) => [each.name, each.status]));
    assert.deepEqual(states, { guarded: "needs_sign_in", open: "ready" });
    await estate.lists(openTools);
    assert.equal(await estate.outcome("open__tool_00"), "open tool_00 x");
});

await report.check("a person who declines has not signed in", async () => {
    const query = await estate.browse(await estate.link("guarded"), { decline: true });
    assert.match(query, /error=access_denied/);
    const { status, page } = await estate.comeBack(query);
    assert.equal(status, 400);
    assert.match(page, /declined/);
    assert.equal(granted(guarded, "/token"), 0);
    await estate.needsSignIn("guarded");
});

await report.check("after a sign-in its tools appear, and who listens hears of them", async () => {
    const stream = await estate.client.listen();
    const { page } = await estate.signIn("guarded");
    assert.match(page, /signed in.*guarded/is);
    await stream.heard("notifications/tools/list_changed");
    stream.close();
    await estate.ready("guarded");
    await estate.lists([...guardedTools, ...openTools]);
    assert.equal(await estate.outcome("guarded__read"), "read");
});

await report.check("the authorization server was asked as it should be", () => {
    const of = (method, path) =>
        guarded.requests.filter(
            (each) => each.method === method && each.path === path && each.status < 400,
        );
    const [registration, ...again] = of("POST", "/reg");
    assert.deepEqual(again, []);
    assert.deepEqual(registration.params.redirect_uris, [estate.callback()]);
    const asked = of("GET", "/auth").map(({ params }) => params);
    assert.equal(new Set(asked.map(({ state }) => state)).size, 2, "each sign-in has its own");
    const wanted = {
        response_type: "code",
        code_challenge_method: "S256",
        resource: guarded.url,
        redirect_uri: estate.callback(),
        client_id: registration.answer.client_id,
    };
    for (const params of asked) assert.partialDeepStrictEqual(params, wanted);
    const tokens = of("POST", "/token");
    assert.equal(tokens.length, 1);
    const { code_verifier: verifier, ...params } = tokens[0].params;
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    assert.equal(asked.at(-1).code_challenge, challenge);
    assert.partialDeepStrictEqual(params, {
        grant_type: "authorization_code",
        resource: guarded.url,
        redirect_uri: estate.callback(),
    });
    assert.deepEqual(guarded.tokens(), [tokens[0].answer.access_token]);
});

await report.check("no token reaches another server", () => {
    const secrets = estate.secrets();
    for (const header of open.headers)
        for (const secret of secrets) assert.ok(!header.includes(secret), header);
});

await report.check("a sign-in outlives the host", async () => {
    const before = guarded.requests.length;
    await estate.restart();
    assert.equal(await estate.outcome("guarded__read"), "read");
    await estate.ready("guarded");
    assert.equal(guarded.requests.length, before, "nobody was asked again");
});

await report.check("signing out revokes, and the tools stay listed", async () => {
    const token = guarded.tokens().at(-1);
    assert.equal(await guarded.isValid(token), true);
    const name = "guarded";
    assert.deepEqual(await estate.admin("sign_out", { name }), { signed_out: name });
    assert.equal(await guarded.isValid(token), false);
    assert.equal(granted(guarded, "/token/revocation"), 1);
    const { code, category } = await estate.outcome("guarded__read");
    assert.deepEqual([code, category], ["needs_sign_in", "auth"]);
    await estate.needsSignIn("guarded");
    assert.deepEqual(await estate.tools(), [...guardedTools, ...openTools]);
});

await report.check("and one can sign in again, with the same registration", async () => {
    await estate.signIn("guarded");
    assert.equal(await estate.outcome("guarded__read"), "read");
    await estate.ready("guarded");
    assert.equal(granted(guarded, "/reg"), 1);
});

await estate.close(report);
