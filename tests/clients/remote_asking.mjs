// SPDX-License-Identifier: Apache-2.0
// Questions of real servers behind Patchbay, in either era, reach official clients of either era,
// over every transport of the upstream; and where a client cannot be asked, that is said.
//
//   remote_asking.mjs --host BINARY --plugin remote_mcp.so
import assert from "node:assert/strict";
import { Report, parseArguments, within } from "./report.mjs";
import { Setup } from "./remote/setup.mjs";

const options = parseArguments();
const report = new Report("remote-asking");
const setup = await Setup.start(options, (upstreams) =>
    Promise.all([upstreams.everything(), upstreams.shelf()]),
);
await setup.ready();
const legacyServers = ["everyhttp", "everysse", "everyio"];
const modernServers = ["shelf", "shelfio"];
const clients = [
    ["v1", "legacy"],
    ["v2", "legacy"],
    ["v2", "modern"],
];
const page = { url: "https://example.com/a?b=c&d", message: "Open it", elicitationId: "id-1" };

const texts = (result) => result.content.map(({ text }) => text);
const sampled = (text) => ({
    role: "assistant",
    model: "test-model",
    stopReason: "endTurn",
    content: { type: "text", text },
});
const accepted = { action: "accept", content: { name: "Ada", check: true, integer: 7 } };

// What was asked of the user during `body`, and its result.
async function during(peer, body) {
    const from = peer.asked.items.length;
    const result = await within(body(), "a call that asks");
    return { result, asked: peer.asked.items.slice(from) };
}

// How server-everything, reached directly, asks and what it makes of the answers.
const direct = await setup.direct("everyhttp");

// The newest era knows no elicitationId: its official client hands none on.
const inEra = (era) => (asked) => {
    const { elicitationId, ...params } = asked.params;
    return era === "modern" ? { ...asked, params } : asked;
};

async function asDirectly(peer, name, tool, args, answers) {
    const outcomes = [];
    for (const [one, called] of [
        [direct, tool],
        [peer, `${name}__${tool}`],
    ]) {
        Object.assign(one.answers, answers);
        outcomes.push(await during(one, () => one.call(called, args)));
    }
    const [there, here] = outcomes;
    assert.deepEqual(here.result.content, there.result.content);
    assert.deepEqual(here.asked, there.asked.map(inEra(peer.era)));
    return here;
}

async function legacyUpstream(peer, title, name) {
    const check = (what, body) => report.check(`${title}: ${what}`, body);
    for (const answer of [accepted, { action: "decline" }, { action: "cancel" }]) {
        await check(`a form, ${answer.action}`, async () => {
            const { asked, result } = await asDirectly(
                peer,
                name,
                "trigger-elicitation-request",
                {},
                { elicit: async () => answer },
            );
            assert.equal(asked.length, 1);
            assert.equal(asked[0].params.requestedSchema.required[0], "name");
            assert.match(texts(result).at(-1), new RegExp(`"action": "${answer.action}"`));
        });
        await check(`a page, ${answer.action}`, async () => {
            const { asked } = await asDirectly(peer, name, "trigger-url-elicitation", page, {
                elicit: async () => ({ action: answer.action }),
            });
            assert.equal(asked.length, 1);
            assert.equal(asked[0].params.url, page.url);
        });
    }
    await check("the model", async () => {
        const { asked, result } = await asDirectly(
            peer,
            name,
            "trigger-sampling-request",
            { prompt: "why?", maxTokens: 7 },
            { sample: async () => sampled("because") },
        );
        assert.equal(asked[0].params.maxTokens, 7);
        assert.match(texts(result)[0], /because/);
    });
    // The server refuses with error -32042; whoever opens the page tries again.
    await check("a page that must be opened first", async () => {
        peer.answers.elicit = async () => ({ action: "accept" });
        const args = { ...page, url: `https://example.com/${title.replaceAll(" ", "-")}`, errorPath: true };
        const { asked, result } = await during(peer, () =>
            peer.call(`${name}__trigger-url-elicitation`, args),
        );
        assert.deepEqual(
            asked.map(({ params }) => [params.mode, params.url]),
            [
                ["url", "https://modelcontextprotocol.io"],
                ["url", args.url],
            ],
        );
        assert.match(texts(result)[0], /User completed/);
    });
}

async function modernUpstream(peer, title, name) {
    const check = (what, body) => report.check(`${title}: ${what}`, body);
    const ask = async (tool) => texts(await peer.call(`${name}__${tool}`))[0];
    for (const [answer, expected] of [
        [{ action: "accept", content: { name: "Ada" } }, "accept Ada"],
        [{ action: "decline" }, "decline"],
        [{ action: "cancel" }, "cancel"],
    ]) {
        await check(`a form, ${answer.action}`, async () => {
            peer.answers.elicit = async () => answer;
            assert.equal(await ask("ask_name"), expected);
            assert.deepEqual(peer.asked.items.at(-1).params.requestedSchema.required, ["name"]);
        });
        await check(`a page, ${answer.action}`, async () => {
            peer.answers.elicit = async () => ({ action: answer.action });
            assert.equal(await ask("ask_page"), answer.action);
            const { mode, url } = peer.asked.items.at(-1).params;
            assert.deepEqual([mode, url], ["url", "https://example.com/sign-in?a=b&c"]);
        });
    }
    await check("the model", async () => {
        peer.answers.sample = async () => sampled("because");
        assert.equal(await ask("ask_model"), "because");
        const { maxTokens, temperature } = peer.asked.items.at(-1).params;
        assert.deepEqual([maxTokens, temperature], [50, 0.5]);
    });
    await check("two questions, the second after the first", async () => {
        peer.answers.elicit = async ({ message }) => ({
            action: "accept",
            content: { value: message === "From?" ? "Bern" : "Rome" },
        });
        assert.equal(await ask("ask_trip"), "Bern to Rome");
    });
}

// A client that declared nothing to answer with: nothing is asked, and the answer says so.
async function unable(library, era) {
    const peer = await setup.client(library, era, {});
    const title = `${library} ${era} without capabilities`;
    for (const name of legacyServers) {
        for (const [tool, args] of [
            ["trigger-elicitation-request", {}],
            ["trigger-url-elicitation", page],
            ["trigger-sampling-request", { prompt: "why?" }],
        ])
            await report.check(`${title}, ${name}: ${tool}`, async () => {
                const result = await within(peer.call(`${name}__${tool}`, args), tool);
                assert.equal(result.isError, true);
                assert.match(texts(result)[0], /client cannot be asked/);
            });
    }
    for (const name of modernServers) {
        for (const [tool, needed] of Object.entries({
            ask_name: { elicitation: { form: {} } },
            ask_page: { elicitation: { url: {} } },
            ask_model: { sampling: {} },
        }))
            await report.check(`${title}, ${name}: ${tool}`, async () => {
                const outcome = await within(
                    peer.call(`${name}__${tool}`).catch((error) => error),
                    tool,
                );
                if (era === "modern") {
                    assert.equal(outcome.code, -32021);
                    assert.deepEqual(outcome.data.requiredCapabilities, needed);
                } else {
                    assert.equal(outcome.isError, true);
                    assert.match(texts(outcome)[0], /capability that the client did not declare/);
                }
            });
    }
    await report.check(`${title}: nobody was asked`, () =>
        assert.deepEqual(peer.asked.items, []),
    );
}

// Clients whose questions are open at the same time: none is answered before each was asked.
async function together(peers, name, call, key) {
    const waiting = [];
    const everybody = Promise.withResolvers();
    const outcomes = peers.map((peer, i) => {
        peer.answers[key] = async (params) => {
            waiting.push(i);
            if (waiting.length === peers.length) everybody.resolve();
            await everybody.promise;
            return answerFor(key, params, i);
        };
        return during(peer, () => call(peer, i));
    });
    return within(Promise.all(outcomes), `questions of ${name}`);
}

const answerFor = (key, params, i) =>
    key === "sample"
        ? sampled(`client ${i} says re: ${params.messages[0].content.text}`)
        : { action: "accept", content: { name: `client ${i}` } };

// One stream for everything does not say which call a question belongs to. While one is open there,
// another's is refused: nobody is shown what may be another's.
async function oneAtATime([first, second], name) {
    const open = Promise.withResolvers();
    const shown = Promise.withResolvers();
    first.answers.sample = async () => {
        shown.resolve();
        await open.promise;
        return sampled("the first");
    };
    const call = (peer, prompt) =>
        during(peer, () => peer.call(`${name}__trigger-sampling-request`, { prompt }));
    const slow = call(first, "one");
    await within(shown.promise, "the first question");
    const refused = await call(second, "two");
    assert.deepEqual(refused.asked, []);
    assert.equal(refused.result.isError, true);
    assert.match(texts(refused.result)[0], /cannot be told which request/);
    open.resolve();
    assert.match(texts((await slow).result)[0], /the first/);
    // And then it can be asked again.
    second.answers.sample = async () => sampled("the second");
    assert.match(texts((await call(second, "three")).result)[0], /the second/);
}

const peers = [];
for (const [library, era] of clients) {
    const peer = await setup.client(library, era);
    peers.push(peer);
    for (const name of legacyServers) await legacyUpstream(peer, `${library} ${era} ${name}`, name);
    for (const name of modernServers) await modernUpstream(peer, `${library} ${era} ${name}`, name);
}
for (const [library, era] of clients) await unable(library, era);

await report.check("everyhttp: three clients, each asked what is its own", async () => {
    const outcomes = await together(
        peers,
        "everyhttp",
        (peer, i) => peer.call("everyhttp__trigger-sampling-request", { prompt: `prompt ${i}` }),
        "sample",
    );
    for (const [i, { asked, result }] of outcomes.entries()) {
        assert.equal(asked.length, 1);
        assert.match(asked[0].params.messages[0].content.text, new RegExp(`prompt ${i}$`));
        assert.match(texts(result)[0], new RegExp(`client ${i} says re: .*prompt ${i}`));
    }
});
for (const name of ["everysse", "everyio"])
    await report.check(`${name}: one open question at a time, never another's`, () =>
        oneAtATime([peers[2], peers[0]], name),
    );
for (const name of modernServers)
    await report.check(`${name}: three clients, each answers for itself`, async () => {
        const outcomes = await together(peers, name, (peer) => peer.call(`${name}__ask_name`), "elicit");
        for (const [i, { asked, result }] of outcomes.entries()) {
            assert.equal(asked.length, 1);
            assert.deepEqual(texts(result), [`accept client ${i}`]);
        }
    });

await report.check("the host ends with exit code 0", async () => {
    const log = setup.host.log();
    assert.equal(await setup.stop(), 0);
    assert.deepEqual(
        log.split("\n").filter((line) => /^\S+ (error|critical) /.test(line)),
        [],
    );
});
report.finish();
