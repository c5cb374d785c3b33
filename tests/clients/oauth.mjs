// SPDX-License-Identifier: Apache-2.0
// Patchbay's OAuth client against oidc-provider, unmodified, in front of an MCP server: registration,
// code flow with PKCE, a sign-in that outlives a restart, refresh, step-up, revocation, and a client
// that the authorization server has forgotten.
//
//   oauth.mjs --driver build/tests/clients/oauth-under-test
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { parseArgs } from "node:util";
import { signIn } from "./oauth/browser.mjs";
import { startUpstream } from "./oauth/upstream.mjs";

const CALLBACK = "http://127.0.0.1:3999/oauth/callback"; // nobody listens: the browser stops there

const { values: options } = parseArgs({ options: { driver: { type: "string" } } });

let upstream;
let child;
let answers;

async function tell(command) {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await answers.next();
    assert.ok(!done, "the driver has ended");
    return JSON.parse(value);
}

async function good(command) {
    const answer = await tell(command);
    assert.ok(answer.ok, `${JSON.stringify(command)}: ${answer.message}`);
    return answer;
}

async function signInAgain(more = {}) {
    const { url } = await good({ do: "begin", ...more });
    return good({ do: "finish", query: await signIn(url, CALLBACK) });
}

// How often the authorization server has granted something.
const granted = (path, grant) =>
    upstream.requests.filter(
        (each) => each.path === path && each.status < 400 && (!grant || each.grant === grant),
    ).length;

before(async () => {
    upstream = await startUpstream();
    child = spawn(options.driver, [upstream.url, CALLBACK], { stdio: ["pipe", "pipe", "inherit"] });
    answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
});

after(() => {
    child.kill("SIGKILL");
    upstream.stop();
});

test("nothing goes without a sign-in, and the error says so", async () => {
    const answer = await tell({ do: "list" });
    assert.equal(answer.ok, false);
    assert.match(answer.message, /sign in/);
    assert.equal((await good({ do: "status" })).state, "needs_sign_in");
});

test("a person who declines has not signed in", async () => {
    const { url } = await good({ do: "begin" });
    const query = await signIn(url, CALLBACK, { decline: true });
    assert.match(query, /error=access_denied/);
    const answer = await tell({ do: "finish", query });
    assert.match(answer.message, /declined/);
});

test("registered, signed in, and served, with a restart in between", async () => {
    const { url } = await good({ do: "begin" });
    const query = await signIn(url, CALLBACK);
    await good({ do: "finish", query });
    assert.equal((await tell({ do: "finish", query })).ok, false, "a code is used once");
    assert.deepEqual((await good({ do: "list" })).tools, ["read", "write"]);
    await good({ do: "restart" });
    const { result } = await good({ do: "call", tool: "read" });
    assert.equal(result.content[0].text, "read");
    assert.equal(granted("/reg"), 1);
    assert.equal(granted("/token", "authorization_code"), 1);
});

test("a token that is over is refreshed without a person, each time with the rotated one", async () => {
    for (let round = 1; round <= 3; ++round) {
        await upstream.revoke(upstream.tokens().at(-1));
        await good({ do: "call", tool: "read" });
        assert.equal(granted("/token", "refresh_token"), round);
        if (round === 2) await good({ do: "restart" });
    }
});

test("more permission is asked for where it is needed, and the rest goes on", async () => {
    const answer = await tell({ do: "call", tool: "write" });
    assert.equal(answer.ok, false);
    assert.match(answer.message, /write/);
    assert.equal((await good({ do: "status" })).state, "needs_permission");
    await good({ do: "call", tool: "read" });
    await signInAgain();
    const status = await good({ do: "status" });
    assert.equal(status.state, "ready");
    assert.deepEqual(status.scopes, ["read", "write"]);
    assert.equal((await good({ do: "call", tool: "write" })).result.content[0].text, "written");
    await good({ do: "call", tool: "read" });
});

test("signing out revokes", async () => {
    const token = upstream.tokens().at(-1);
    assert.equal(await upstream.isValid(token), true);
    await good({ do: "sign_out" });
    assert.equal(await upstream.isValid(token), false);
    assert.ok(granted("/token/revocation") > 0);
    assert.equal((await tell({ do: "call", tool: "read" })).ok, false);
});

test("a new registration where it is wanted", async () => {
    const registered = granted("/reg");
    await signInAgain();
    assert.equal(granted("/reg"), registered, "the old one is good");
    await signInAgain({ anew: true });
    assert.equal(granted("/reg"), registered + 1);
    await good({ do: "call", tool: "read" });
});
