// SPDX-License-Identifier: Apache-2.0
// testSignIn: what every client goes through. It finds the authorization server, registers, sends the
// person there, gets tokens, calls, refreshes, and is shut out when the person ends its access.
// testStepUp: one that needs more later asks for more.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Person } from "./person.mjs";

const READS = "lab__sum";
const WRITES = "lab__edit_note";
const OTHERS = "text_tools__";

// place: what openPlace() answers, with `who`; make(more): a new client of the kind under test.
export function testSignIn({ place, browser, name, make, url, described }) {
    const wire = (method, path) =>
        place.exchanges.filter(
            (each) => each.method === method && new URL(each.path, url).pathname === path,
        );
    const tokenRequests = (grant) =>
        wire("POST", "/oauth/token")
            .filter(({ status }) => status === 200)
            .map(({ requestBody }) => Object.fromEntries(new URLSearchParams(requestBody)))
            .filter(({ grant_type }) => grant_type === grant);
    let person;
    let client;

    after(async () => {
        await client?.end();
    });

    test("without a token it is told where to get one, and the person gives it", async () => {
        person = await Person.at(browser, place.who, name);
        client = await make();
        const ask = (to, callback) =>
            person.authorize(to, callback, {
                wrongFirst: true,
                choices: { level: ["mcp:read"], action: ["action:lab"] },
            });
        assert.equal(await client.connect(ask), true);
        assert.deepEqual(person.seen.slice(0, 2), ["Sign in", "Sign in"]);
        assert.match(person.seen[2], /^Give .* access\?$/);

        const metadata = `${place.origin}/.well-known/oauth-protected-resource/mcp`;
        const told = place.exchanges.find(({ path, status }) => path === "/mcp" && status === 401);
        assert.ok(told.responseHeaders["www-authenticate"].includes(metadata));
        assert.ok(wire("GET", "/.well-known/oauth-protected-resource/mcp").length > 0);
        assert.ok(wire("GET", "/.well-known/oauth-authorization-server").length > 0);
    });

    test("it registered, and proved that it is the one that asked", async () => {
        const registered = wire("POST", "/oauth/register").map(({ status }) => status);
        assert.deepEqual(registered, described ? [] : [201]);
        const [asked] = wire("GET", "/oauth/authorize");
        const sent = new URL(asked.path, url).searchParams;
        assert.equal(sent.get("code_challenge_method"), "S256");
        assert.equal(sent.get("resource"), url);
        if (described) assert.equal(sent.get("client_id"), described);
        const [exchanged, ...more] = tokenRequests("authorization_code");
        assert.equal(more.length, 0);
        assert.ok(exchanged.code_verifier);
        assert.equal(exchanged.resource, url);
    });

    test("what was ticked can be used, the rest is not there", async () => {
        const tools = await client.tools();
        assert.ok(tools.includes(READS), tools.join());
        assert.ok(!tools.includes(WRITES), "it may not change anything");
        assert.ok(!tools.some((tool) => tool.startsWith(OTHERS)), "another capability");
        const { structuredContent } = await client.call(READS, { a: 2, b: 3 });
        assert.equal(structuredContent.sum, 5);
        await assert.rejects(() => succeeds(client.call(WRITES, { text: "mine" })));
        assert.deepEqual(client.tokens.scope.split(" ").sort(), ["action:lab", "mcp:read"]);
    });

    test("a token that is over is refreshed without the person", async () => {
        for (let round = 1; round <= 2; ++round) {
            const before = client.tokens;
            await client.close();
            await client.loseAccess();
            await client.connect();
            const { structuredContent } = await client.call(READS, { a: 2, b: round });
            assert.equal(structuredContent.sum, 2 + round);
            assert.equal(tokenRequests("refresh_token").length, round);
            assert.notEqual(client.tokens.access_token, before.access_token);
            assert.notEqual(client.tokens.refresh_token, before.refresh_token, "rotated");
        }
        assert.equal(tokenRequests("authorization_code").length, 1);
    });

    test("a person who declines has given nothing", async () => {
        const other = await make();
        try {
            const ask = (to, callback) => person.authorize(to, callback, { decision: "deny" });
            assert.equal(await other.connect(ask), false);
            assert.match(person.seen.at(-1), /^Give /, "signed in they still were");
            assert.ok(!other.tokens?.access_token);
        } finally {
            await other.end();
        }
    });

    test("the person ends the access, and it is over at once", async () => {
        await client.call(READS, { a: 1, b: 1 });
        assert.equal(await person.endAccess(`${place.origin}/oauth/grants`), 1);
        await assert.rejects(() => succeeds(client.call(READS, { a: 1, b: 1 })));
    });
}

// At an organisation that tells clients which permission they lack.
export function testStepUp({ place, browser, name, make }) {
    let client;

    after(async () => {
        await client?.end();
    });

    test("a client that may not change something asks for that, and gets it", async () => {
        const person = await Person.at(browser, place.who, `${name}-step_up`);
        client = await make();
        const choices = { level: ["mcp:read"], action: ["action:lab"] };
        await client.connect((to, callback) => person.authorize(to, callback, { choices }));
        assert.ok(!(await client.tools()).includes(WRITES), "it is in no list");
        let asked;
        const { isError } = await client.call(WRITES, { text: "mine" }, (to, callback) => {
            asked = to.searchParams.get("scope").split(" ");
            return person.authorize(to, callback, {
                choices: { level: ["mcp:read", "mcp:write"], action: ["action:lab"] },
            });
        });
        assert.ok(!isError);
        assert.ok(asked.includes("mcp:write"), asked.join());
        assert.ok(client.tokens.scope.split(" ").includes("mcp:write"));
        assert.ok((await client.tools()).includes(READS), "what it had it keeps");
        await client.call(READS, { a: 1, b: 1 });
    });
}

async function succeeds(call) {
    const { isError, content } = await call;
    if (isError) throw new Error(content[0].text);
}
