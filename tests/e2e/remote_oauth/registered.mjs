// SPDX-License-Identifier: Apache-2.0
// Servers that are registered at run time: signed in to, changed, and removed with all that was
// issued for them.
import assert from "node:assert/strict";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { Report } from "../../clients/report.mjs";
import { Estate, granted, oauth } from "./estate.mjs";

const report = new Report("remote_oauth_registered");
const guarded = await startUpstream();
const estate = await Estate.open([guarded], {});
const before = estate.kept();
const add = () => estate.api("POST", "", { name: "guarded", ...oauth(guarded) });

await report.check("it is registered, signed in to and used", async () => {
    assert.equal((await add()).status, 201);
    await estate.needsSignIn("guarded");
    await estate.signIn("guarded");
    await estate.ready("guarded");
    assert.equal(await estate.outcome("guarded__read"), "read");
});

await report.check("a change of something else keeps the sign-in", async () => {
    const { status } = await estate.api("PATCH", "/guarded", { title: "Guarded" });
    assert.equal(status, 200);
    await estate.ready("guarded");
    assert.equal(await estate.outcome("guarded__read"), "read");
    assert.equal(granted(guarded, "/token"), 1);
});

await report.check("removing it revokes and forgets everything", async () => {
    const token = guarded.tokens().at(-1);
    assert.equal(await guarded.isValid(token), true);
    assert.notDeepEqual(estate.kept(), before);
    assert.deepEqual((await estate.api("DELETE", "/guarded")).body, { removed: "guarded" });
    assert.equal(await guarded.isValid(token), false);
    await estate.lists([]);
    assert.deepEqual(estate.kept(), before);
});

await report.check("what has its name later starts from nothing", async () => {
    await add();
    await estate.needsSignIn("guarded");
    assert.equal((await estate.state("guarded", () => true)).tools, 0);
    await estate.signIn("guarded");
    await estate.ready("guarded");
    assert.equal(granted(guarded, "/reg"), 2);
});

await report.check("one that is disabled is removed like that too", async () => {
    const { answer } = guarded.requests.findLast((each) => each.answer?.access_token);
    const token = answer.access_token;
    await estate.api("PATCH", "/guarded", { enabled: false });
    assert.equal(await guarded.isValid(token), true);
    await estate.api("DELETE", "/guarded");
    assert.equal(await guarded.isValid(token), false);
    assert.deepEqual(estate.kept(), before);
});

await report.check("a dead authorization server hinders nobody's removal", async () => {
    await add();
    await estate.needsSignIn("guarded");
    await estate.signIn("guarded");
    guarded.meddle = (context) => void (context.status = 503);
    assert.equal((await estate.api("DELETE", "/guarded")).status, 200);
    assert.deepEqual(estate.kept(), before);
    guarded.meddle = null;
});

await report.check("a sign-in that is on its way ends with the server", async () => {
    await add();
    await estate.needsSignIn("guarded");
    const query = await estate.browse(await estate.link("guarded"));
    await estate.api("DELETE", "/guarded");
    const tokens = granted(guarded, "/token");
    const { status, page } = await estate.comeBack(query);
    assert.equal(status, 400);
    assert.match(page, /not known/);
    assert.equal(granted(guarded, "/token"), tokens);
    assert.deepEqual(estate.kept(), before);
});

await estate.close(report);
