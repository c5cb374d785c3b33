// SPDX-License-Identifier: Apache-2.0
// The official suite's authorization server scenarios against Patchbay's own: every revision, for a
// client that registered and for one that is known by the document at its client_id.
//
//   authorization.mjs --host build/host/patchbay --plugins build/conformance/plugins [--out DIR]
//   authorization.mjs --url http://127.0.0.1:PORT --client-id ID     any server that is running and
//                                                                    lets people pass unasked
//
// Exit code 0 only if expected-authorization-counts.json is met in full. With --out the suite's
// files are kept.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startDescription } from "../clients/sign_in/description.mjs";
import { letsIn, startGuarded } from "./guarded.mjs";
import { Person } from "./person.mjs";
import { conclude, runAll } from "./suite.mjs";

const ADA = { login: "ada@example.com", password: "correct horse battery staple" };

const { values: options } = parseArgs({
    options: {
        host: { type: "string" },
        plugins: { type: "string" },
        url: { type: "string" },
        "client-id": { type: "string" },
        out: { type: "string" },
    },
});
if (!(options.host && options.plugins) && !(options.url && options["client-id"])) {
    console.error("authorization.mjs: give --host and --plugins, or --url and --client-id");
    process.exit(2);
}

const expected = JSON.parse(
    readFileSync(join(import.meta.dirname, "expected-authorization-counts.json"), "utf8"),
);
const out = options.out ?? mkdtempSync(join(tmpdir(), "patchbay-conformance-"));
const port = await freePort();
const callback = `http://127.0.0.1:${port}/callback`;
const problems = [];
let checks = 0;
let host;
let description;
try {
    const clients = options.url ? { given: options["client-id"] } : await start();
    const url = options.url ?? host.url;
    const person = new Person(ADA);
    for (const [name, id] of Object.entries(clients)) {
        console.log(`\n--- client: ${name}`);
        checks += await runAll({
            expected,
            target: ["authorization", ...target(url, id)],
            out: join(out, name),
            problems,
            onLine: whenBothAreSaid((link) => goThere(person, link)),
        });
    }
} catch (error) {
    problems.push(error.message);
} finally {
    description?.stop();
    const code = await host?.stop();
    if (host && code !== 0) problems.push(`the host ended with ${code}\n${host.log()}`);
    if (!options.out) rmSync(out, { recursive: true, force: true });
}
conclude({ expected, checks, problems });

function target(url, id) {
    return ["--url", url, "--client-id", id, "--resource", `${url}/mcp`, "--port", String(port)];
}

// A host with a person and two clients: their ids.
async function start() {
    description = await startDescription("Conformance suite");
    const outbound = { ca_file: description.ca };
    const access = { oauth: { allow_private_cidrs: ["127.0.0.1/32"] } };
    host = await startGuarded({
        binary: options.host,
        plugins: options.plugins,
        config: { outbound, access },
    });
    problems.push(...[await letsIn(host.mcp)].filter(Boolean));
    await host.command(["users", "add", ADA.login, "--role", "owner"], `${ADA.password}\n`);
    return { registered: await register(), described: description.url };
}

async function register() {
    const response = await fetch(`${host.url}/oauth/register`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
            client_name: "Conformance suite",
            redirect_uris: [callback],
            token_endpoint_auth_method: "none",
        }),
    });
    const answer = await response.text();
    assert.equal(response.status, 201, answer);
    return JSON.parse(answer).client_id;
}

// The suite prints the link that its person shall follow, and that it listens for the way back, in
// whichever order: the person begins when it has said both.
function whenBothAreSaid(begin) {
    let link;
    let listens = false;
    return (line) => {
        if (line.startsWith("Callback server started")) listens = true;
        if (/^https?:\S+[?&]code_challenge=/.test(line)) link = line;
        if (!link || !listens) return;
        begin(link);
        link = undefined;
        listens = false;
    };
}

// The suite waits for minutes. What kept the person from coming back is said to it in their place:
// so it goes on, and reports that.
async function goThere(person, link) {
    try {
        await person.allow(link);
    } catch (error) {
        const why = `${error.message} ${error.cause?.message ?? ""}`.slice(0, 2000);
        const told = new URLSearchParams({ error: "no_way_back", error_description: why });
        await fetch(`${callback}?${told}`, { headers: { Connection: "close" } }).catch(() => {});
    }
}

// The suite listens at a port that is named beforehand: one of those that are not given by chance.
async function freePort() {
    for (;;) {
        const wanted = 20_000 + Math.floor(Math.random() * 12_000);
        const server = net.createServer();
        const free = await new Promise((resolve) => {
            server.on("error", () => resolve(false));
            server.listen(wanted, "127.0.0.1", () => server.close(() => resolve(true)));
        });
        if (free) return wanted;
    }
}
