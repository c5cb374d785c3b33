// SPDX-License-Identifier: Apache-2.0
// A tool that needs more permission than there is: the link asks for what there was and what is
// missing, the rest goes on, and a server that is never content is not asked for ever.
import assert from "node:assert/strict";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { connect } from "../../clients/peer_v2.mjs";
import { Report } from "../../clients/report.mjs";
import { Estate, granted, oauth, refreshes } from "./estate.mjs";

const report = new Report("remote_oauth_step_up");
const modest = await startUpstream();
const endless = await startUpstream();
const estate = await Estate.open([modest, endless], {
    modest: oauth(modest),
    endless: oauth(endless),
});
for (const name of ["modest", "endless"]) {
    await estate.needsSignIn(name);
    await estate.signIn(name);
    await estate.ready(name);
}
const scopesOf = (link) => new Set(new URL(link).searchParams.get("scope").split(" "));

await report.check("the link asks for what there was and what is missing", async () => {
    const { code, category, message } = await estate.outcome("modest__write");
    assert.deepEqual([code, category], ["needs_sign_in", "auth"]);
    const link = message.match(/http:\S+/)[0];
    assert.deepEqual(scopesOf(link), new Set(["read", "write", "offline_access"]));
    assert.equal(await estate.outcome("modest__read"), "read");
    const { status, reason } = (await estate.servers()).modest;
    assert.equal(status, "ready");
    assert.match(reason, /more permission.*write/);
    assert.equal(await estate.link("modest"), link);
});

await report.check("a client that can be asked is asked, and its call succeeds", async () => {
    const peer = await connect({ url: estate.host.url }, "modern");
    peer.answers.elicit = async ({ url }) => {
        await estate.signIn("modest", url);
        return { action: "accept" };
    };
    assert.equal((await peer.call("modest__write")).content[0].text, "written");
    assert.equal(peer.asked.items.length, 1);
    await peer.close();
    assert.equal(await estate.outcome("modest__read"), "read");
    assert.equal((await estate.ready("modest")).reason, undefined);
});

await report.check("what was granted stays granted", async () => {
    await modest.revoke(modest.tokens().at(-1));
    assert.equal(await estate.outcome("modest__write"), "written");
    assert.equal(refreshes(modest), 1);
    await estate.restart();
    assert.equal(await estate.outcome("modest__write"), "written");
});

await report.check("a server that is never content gets an end", async () => {
    endless.intercept = (request, response, body) => {
        if (body?.method !== "tools/call") return false;
        endless.refused[403] += 1;
        const asks = 'Bearer error="insufficient_scope", scope="write"';
        response.writeHead(403, { "WWW-Authenticate": asks }).end();
        return true;
    };
    const { message } = await estate.outcome("endless__write");
    await estate.signIn("endless", message.match(/http:\S+/)[0]);
    const before = [endless.refused[403], granted(endless, "/token")];
    const { code, category, message: why } = await estate.outcome("endless__write");
    assert.deepEqual([code, category], ["permission_denied", "auth"]);
    assert.match(why, /asked for already/);
    const after = [endless.refused[403], granted(endless, "/token")];
    assert.deepEqual(after, [before[0] + 1, before[1]]);
    assert.equal((await estate.servers()).endless.status, "ready");
});

await report.check("nor one that asks for something else each time", async () => {
    let asked = 0;
    endless.intercept = (request, response, body) => {
        if (body?.method !== "tools/call") return false;
        const asks = `Bearer error="insufficient_scope", scope="read more_${++asked}"`;
        response.writeHead(403, { "WWW-Authenticate": asks }).end();
        return true;
    };
    for (let i = 1; i <= 100; ++i) {
        const { category } = await estate.outcome("endless__read");
        assert.equal(category, "auth");
        assert.equal(asked, i, "one request for each call");
    }
    assert.ok(scopesOf(await estate.link("endless")).size < 100);
    endless.intercept = null;
    assert.equal(await estate.outcome("endless__read"), "read");
});

await estate.close(report);
