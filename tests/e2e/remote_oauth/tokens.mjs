// SPDX-License-Identifier: Apache-2.0
// Tokens are kept fresh without anybody noticing: ahead of their end, after their end and when they
// are refused, each time once for all who call, and each time with the newest refresh token.
import assert from "node:assert/strict";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { Report } from "../../clients/report.mjs";
import { eventually } from "../remote/org.mjs";
import { Estate, oauth, refreshes } from "./estate.mjs";

const report = new Report("remote_oauth_tokens");
const crowd = 32;
const life = 8; // seconds; in the last two of them a token is renewed
const steady = await startUpstream();
const brief = await startUpstream({ ttl: { AccessToken: () => life } });
const upstreams = [steady, brief];
const estate = await Estate.open(upstreams, { steady: oauth(steady), brief: oauth(brief) });
const read = (name) => estate.outcome(`${name}__read`);
const together = (name) => Promise.all(Array.from({ length: crowd }, () => read(name)));
const all = Array(crowd).fill("read");
for (const name of ["steady", "brief"]) {
    await estate.needsSignIn(name);
    await estate.signIn(name);
    await estate.ready(name);
}

await report.check("a token is renewed before it ends", async () => {
    await eventually(async () => {
        assert.equal(await read("brief"), "read");
        return refreshes(brief) > 0;
    }, "a refresh");
    assert.equal(refreshes(brief), 1);
    assert.equal(await read("brief"), "read");
    assert.notEqual(brief.tokens().at(-1), brief.tokens().at(-2));
});

await report.check("what is refused is renewed once for all who call", async () => {
    await steady.revoke(steady.tokens().at(-1));
    assert.deepEqual(await together("steady"), all);
    assert.equal(refreshes(steady), 1);
    assert.ok(steady.refused[401] > 0);
});

await report.check("each time with what the last time gave, over a restart too", async () => {
    for (let round = 2; round <= 4; ++round) {
        if (round === 3) await estate.restart();
        await steady.revoke(steady.tokens().at(-1));
        assert.equal(await read("steady"), "read");
        assert.equal(refreshes(steady), round);
    }
    const answered = steady.requests.filter(({ answer }) => answer?.refresh_token);
    const given = answered.map(({ answer }) => answer.refresh_token);
    assert.equal(new Set(given).size, given.length, "it rotates");
    const shown = answered.slice(1).map(({ params }) => params.refresh_token);
    assert.deepEqual(shown, given.slice(0, -1));
});

await report.check("what has ended is renewed once for all who call", async () => {
    const before = refreshes(brief);
    const refused = brief.refused[401];
    const token = brief.tokens().at(-1);
    await eventually(async () => !(await brief.isValid(token)), "the token's end");
    assert.deepEqual(await together("brief"), all);
    assert.equal(refreshes(brief), before + 1);
    assert.equal(brief.refused[401], refused, "nobody showed what had ended");
});

await report.check("while the authorization server is down, calls fail, tools stay", async () => {
    brief.meddle = (context) => void (context.status = 503);
    await brief.revoke(brief.tokens().at(-1));
    const { category, message } = await read("brief");
    assert.equal(category, "transient");
    assert.match(message, /503/);
    const tools = ["brief__read", "brief__write", "steady__read", "steady__write"];
    assert.deepEqual(await estate.tools(), tools);
    brief.meddle = null;
    await eventually(async () => (await read("brief")) === "read", "it to work again");
});

await estate.close(report);
