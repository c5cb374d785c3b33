// SPDX-License-Identifier: Apache-2.0
// A server that is used as each person (acts_as user): each has tokens of their own, and the
// organisation's are never used in their place, nor the other way round.
import assert from "node:assert/strict";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { Report } from "../../clients/report.mjs";
import { Estate, granted, oauth } from "./estate.mjs";

const report = new Report("remote_oauth_people");
const guarded = await startUpstream();
// The same server twice: what one identity has would serve the other well.
const estate = await Estate.open([guarded], {
    ours: oauth(guarded),
    mine: oauth(guarded, {}, { acts_as: "user", serve_stale: 0 }),
});
const mineTools = ["mine__read", "mine__write"];
const oursTools = ["ours__read", "ours__write"];

await report.check("somebody else's sign-in does not serve", async () => {
    await estate.needsSignIn("ours");
    await estate.signIn("ours");
    assert.equal((await estate.ready("ours")).acts_as, "service");
    const { acts_as, reason } = await estate.needsSignIn("mine");
    assert.equal(acts_as, "user");
    assert.match(reason, /sign in/);
    const { failed } = await estate.admin("sync_server", { name: "mine" });
    assert.equal(failed.code, "needs_sign_in");
    await estate.lists(oursTools);
    assert.equal(guarded.tokens().length, 1);
});

await report.check("each signs in for themselves", async () => {
    await estate.signIn("mine");
    await estate.ready("mine");
    await estate.lists([...mineTools, ...oursTools]);
    assert.equal(await estate.outcome("mine__read"), "read");
    assert.equal(await estate.outcome("ours__read"), "read");
    assert.equal(guarded.tokens().length, 2);
    assert.equal(granted(guarded, "/token", "authorization_code"), 2);
    const kept = estate.kept().filter((name) => name.includes("/oauth.tokens."));
    assert.equal(new Set(kept.map((name) => name.split("/").slice(0, 3).join("/"))).size, 2);
});

await report.check("and is shown as themselves", async () => {
    const [ours, mine] = guarded.tokens();
    const shown = [];
    guarded.intercept = (request, response, body) => {
        if (body?.method === "tools/call") shown.push(request.headers.authorization.slice(7));
        return false;
    };
    for (const tool of ["mine__read", "ours__read", "mine__read"]) await estate.outcome(tool);
    guarded.intercept = null;
    assert.deepEqual(shown, [mine, ours, mine]);
    const records = estate.host
        .events("call.ended")
        .filter(({ provider, method }) => provider.includes("/mcp:") && method === "tools/call")
        .map(({ record }) => JSON.parse(record));
    assert.deepEqual(records.slice(-3), [
        { server: "mine", acts_as: "user" },
        { server: "ours", acts_as: "service" },
        { server: "mine", acts_as: "user" },
    ]);
});

await report.check("it outlives the host, and the tools are there before a call", async () => {
    await estate.restart();
    await estate.ready("mine");
    await estate.lists([...mineTools, ...oursTools]);
    assert.equal(await estate.outcome("mine__read"), "read");
    assert.equal(granted(guarded, "/token"), 2);
});

await report.check("whoever signs out is out, alone, and the tools stay listed", async () => {
    await estate.admin("sign_out", { name: "mine" });
    const [ours, mine] = guarded.tokens();
    assert.deepEqual([await guarded.isValid(ours), await guarded.isValid(mine)], [true, false]);
    const { code, category, message } = await estate.outcome("mine__read");
    assert.deepEqual([code, category], ["needs_sign_in", "auth"]);
    assert.equal(await estate.outcome("ours__read"), "read");
    await estate.lists([...mineTools, ...oursTools]);
    await estate.signIn("mine", message.match(/http:\S+/)[0]);
    assert.equal(await estate.outcome("mine__read"), "read");
    assert.equal(guarded.tokens().length, 3);
});

await report.check("the organisation's sign-out is not theirs", async () => {
    await estate.admin("sign_out", { name: "ours" });
    assert.equal((await estate.outcome("ours__read")).code, "needs_sign_in");
    assert.equal(await estate.outcome("mine__read"), "read");
});

await estate.close(report);
