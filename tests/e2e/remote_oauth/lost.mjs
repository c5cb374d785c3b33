// SPDX-License-Identifier: Apache-2.0
// The authorization server takes a sign-in back: whoever calls gets the link, in the way that the
// caller understands, the tools stay listed, and after a new sign-in the call succeeds.
import assert from "node:assert/strict";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { connect } from "../../clients/peer_v2.mjs";
import { Report } from "../../clients/report.mjs";
import { eventually } from "../remote/org.mjs";
import { Estate, oauth } from "./estate.mjs";

const report = new Report("remote_oauth_lost");
const names = ["modern", "legacy", "plain"];
const upstreams = await Promise.all(names.map(() => startUpstream()));
const named = Object.fromEntries(names.map((name, i) => [name, upstreams[i]]));
const estate = await Estate.open(
    upstreams,
    Object.fromEntries(names.map((name) => [name, oauth(named[name])])),
);
const tools = names.flatMap((name) => [`${name}__read`, `${name}__write`]).toSorted();
for (const name of names) {
    await estate.needsSignIn(name);
    await estate.signIn(name);
    await estate.ready(name);
}
await estate.lists(tools);

// As an administrator of the authorization server does it.
async function takeBack(upstream) {
    const { answer } = upstream.requests.findLast((each) => each.answer?.refresh_token);
    await upstream.revoke(upstream.tokens().at(-1));
    await upstream.revoke(answer.access_token);
    await upstream.revokeRefresh(answer.refresh_token);
}

const linkIn = (text) => text.match(/http:\S+/)[0];

await report.check("who cannot be asked gets the link in the call's error", async () => {
    await takeBack(named.plain);
    const first = await estate.outcome("plain__read");
    assert.deepEqual([first.code, first.category], ["needs_sign_in", "auth"]);
    assert.ok(linkIn(first.message).startsWith(named.plain.issuer), first.message);
    assert.equal((await estate.servers()).plain.status, "needs_sign_in");
    assert.deepEqual(await estate.tools(), tools);
    const again = await estate.outcome("plain__read");
    assert.equal(again.message, first.message, "one link as long as it is good");
    await estate.signIn("plain", linkIn(first.message));
    assert.equal(await estate.outcome("plain__read"), "read");
    await estate.ready("plain");
});

for (const era of ["modern", "legacy"]) {
    const peer = await connect({ url: estate.host.url }, era);
    const call = () => peer.call(`${era}__read`);

    await report.check(`a ${era} client is asked to open the link`, async () => {
        await takeBack(named[era]);
        peer.answers.elicit = async ({ url }) => {
            await estate.signIn(era, url);
            return { action: "accept" };
        };
        const { isError, content } = await call();
        assert.ok(!isError, JSON.stringify(content));
        assert.equal(content[0].text, "read");
        const [{ params }, ...more] = peer.asked.items;
        assert.deepEqual(more, []);
        assert.equal(params.mode, "url");
        assert.match(params.message, new RegExp(era));
        assert.ok(params.url.startsWith(named[era].issuer));
        await estate.ready(era);
    });

    await report.check(`a ${era} client's call waits for who is still signing in`, async () => {
        await takeBack(named[era]);
        let link;
        peer.answers.elicit = async ({ url }) => {
            link = url;
            return { action: "accept" };
        };
        const answer = call();
        await eventually(() => link, "the question");
        assert.equal((await estate.servers())[era].status, "needs_sign_in");
        assert.deepEqual(await estate.tools(), tools);
        await estate.signIn(era, link);
        assert.equal((await answer).content[0].text, "read");
    });

    await report.check(`a ${era} client that declines is told, and not asked twice`, async () => {
        await takeBack(named[era]);
        for (const action of ["decline", "cancel"]) {
            const before = peer.asked.items.length;
            peer.answers.elicit = async () => ({ action });
            const { isError, _meta } = await call();
            assert.ok(isError);
            assert.equal(_meta["patchbay/error"].category, "auth");
            assert.equal(peer.asked.items.length, before + 1);
            assert.equal((await estate.servers())[era].status, "needs_sign_in");
        }
        await estate.signIn(era);
        assert.equal((await call()).content[0].text, "read");
    });
    await peer.close();
}

await estate.close(report);
