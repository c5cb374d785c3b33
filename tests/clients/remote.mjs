// SPDX-License-Identifier: Apache-2.0
// Real MCP servers behind Patchbay: what an official client gets of them at /mcp equals what it gets
// of them directly (remote/same.mjs says what "equal" is).
//
//   remote.mjs --client v1|v2 --era legacy|modern --host BINARY --plugin remote_mcp.so
import assert from "node:assert/strict";
import { Report, parseArguments, within } from "./report.mjs";
import { exposedUri, same, sameList } from "./remote/same.mjs";
import {
    checkComplete,
    completions,
    partFor,
    prompts,
    reads,
    stepsFor,
    toolsFor,
} from "./remote/script.mjs";
import { Setup } from "./remote/setup.mjs";
import { changes, running } from "./remote/streams.mjs";
import { lastAnswer } from "./remote/wire.mjs";

const options = parseArguments();
const report = new Report(`remote-${options.client}-${options.era}`);
const setup = await Setup.start(options, async (upstreams) => {
    upstreams.filesystem();
    upstreams.memory();
    await Promise.all([upstreams.everything(), upstreams.shelf()]);
});
await setup.ready();
const servers = Object.keys(setup.upstreams.all);
const peer = await setup.client(options.client, options.era);
const direct = Object.fromEntries(
    await Promise.all(servers.map(async (name) => [name, await setup.direct(name)])),
);

// The answers of the user, always the same.
for (const one of [peer, ...Object.values(direct)]) {
    one.answers.elicit = async ({ mode, requestedSchema }) => {
        if (mode === "url") return { action: "accept" };
        const name = requestedSchema.required[0];
        return { action: "accept", content: { [name]: `the ${name}` } };
    };
    one.answers.sample = async ({ messages }) => ({
        role: "assistant",
        model: "test-model",
        stopReason: "endTurn",
        content: { type: "text", text: `re: ${messages[0].content.text}` },
    });
}

// One request of one client, and what the wire carried back; a refusal is an answer too.
async function asked(one, method, ask, key) {
    const outcome = await within(
        ask().catch((error) => error),
        `${method} ${key ?? ""}`,
    );
    const matches = (params) => key === undefined || key === (params.uri ?? params.name);
    return lastAnswer(one.wire, method, matches, outcome).answer;
}

async function both(name, method, ask, key, rewrite) {
    const there = direct[name];
    const via = key && rewrite(name, key);
    return {
        direct: await asked(there, method, () => ask(there, key), key),
        via: await asked(peer, method, () => ask(peer, via), via),
        namespace: name,
        era: peer.era,
        method,
    };
}

const exposedName = (name, local) => `${name}__${local}`;

async function lists() {
    const kinds = [
        ["tools/list", "tools", "name", (one) => one.listTools()],
        ["resources/list", "resources", "uri", (one) => one.listResources()],
        ["resources/templates/list", "resourceTemplates", "uriTemplate", (one) => one.listTemplates()],
        ["prompts/list", "prompts", "name", (one) => one.listPrompts()],
    ];
    for (const [method, member, key, list] of kinds) {
        await list(peer);
        const via = lastAnswer(peer.wire, method).answer.result[member];
        for (const name of servers) {
            const can = direct[name].client.getServerCapabilities();
            if (!can[member === "resourceTemplates" ? "resources" : member]) continue;
            await report.check(`${name}: ${method}, every member of every definition`, async () => {
                const answer = await list(direct[name]);
                if (member === "tools")
                    checkComplete(toolsFor(name, setup.upstreams), answer.tools);
                sameList({
                    direct: lastAnswer(direct[name].wire, method).answer,
                    via,
                    namespace: name,
                    member,
                    key,
                    era: peer.era,
                });
            });
        }
    }
}

// All steps directly and then all of them through the host, so that what a server keeps of one step
// meets the next in the same way.
async function steps(name) {
    const script = stepsFor(name, setup.upstreams);
    const answers = [];
    for (const [side, one] of Object.entries({ direct: direct[name], via: peer })) {
        if (name === "files") setup.upstreams.files();
        for (const [i, [what, args]] of script.entries()) {
            const method = args ? "tools/call" : "resources/read";
            const local = args ? exposedName(name, what) : exposedUri(name, what);
            const key = side === "via" ? local : what;
            const ask = () => (args ? one.callAnyway(key, args) : one.read(key));
            answers[i] ??= { method, namespace: name, era: peer.era };
            answers[i][side] = await asked(one, method, ask, key);
        }
    }
    for (const [i, [what, args = {}, blur]] of script.entries())
        await report.check(`${name}: ${what} ${JSON.stringify(args).slice(0, 60)}`, () =>
            same({ ...answers[i], blur }),
        );
}

async function others(name) {
    for (const [uri, blur] of partFor(reads, name)) {
        const read = (one, key) => one.read(key);
        await report.check(`${name}: read ${uri}`, async () =>
            same({ ...(await both(name, "resources/read", read, uri, exposedUri)), blur }),
        );
    }
    for (const [prompt, args, blur] of partFor(prompts, name)) {
        const get = (one, key) => one.prompt(key, args);
        await report.check(`${name}: prompt ${prompt} ${JSON.stringify(args ?? {})}`, async () =>
            same({ ...(await both(name, "prompts/get", get, prompt, exposedName)), blur }),
        );
    }
    for (const params of partFor(completions, name)) {
        await report.check(`${name}: complete ${JSON.stringify(params.ref)}`, async () => {
            const ask = (one) => {
                const ref = { ...params.ref };
                if (one === peer && ref.name) ref.name = exposedName(name, ref.name);
                if (one === peer && ref.uri) ref.uri = exposedUri(name, ref.uri);
                return one.complete({ ...params, ref });
            };
            same(await both(name, "completion/complete", ask));
        });
    }
}

await lists();
for (const name of servers) {
    await steps(name);
    await others(name);
}
await running(peer, report, setup);
await changes(peer, report, setup);
await report.check("the host ends with exit code 0", async () => {
    const log = setup.host.log();
    assert.equal(await setup.stop(), 0);
    assert.deepEqual(log.split("\n").filter((line) => /^\S+ (error|critical) /.test(line)), []);
});
report.finish();
