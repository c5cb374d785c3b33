// SPDX-License-Identifier: Apache-2.0
// Two organisations with the same names everywhere: with the credentials of one nothing of the
// other is found, by list, guess, id, URI, cursor, requestState, session or subscription. Whatever
// the first one gets is searched for the other's marks; and what is there for the other answers
// like what is nowhere.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { EventStream, textOf } from "../wire.mjs";
import { checkHttp, covered } from "./isolation_http.mjs";
import { TwoOrgs, expectAbsent } from "./two_orgs.mjs";

const report = new Report("isolation");
const site = await new TwoOrgs().start();
const { acme, globex, witness } = site;

const lists = {
    "tools/list": { of: "tools", key: "name" },
    "resources/list": { of: "resources", key: "uri" },
    "resources/templates/list": { of: "resourceTemplates", key: "uriTemplate" },
    "prompts/list": { of: "prompts", key: "name" },
};
// Methods that have been tried, of the modern and of the legacy era.
const tried = { modern: new Set(Object.keys(lists)), legacy: new Set(Object.keys(lists)) };

// Both eras behind one face: ask(method, params) answers {result, error, answer}.
const modernFace = (side, headers) => {
    const client = side.modern(headers);
    return { era: "modern", ask: (method, params, more) => client.modern(method, params, more) };
};
const legacyFace = async (side) => {
    const client = await side.legacy();
    return { era: "legacy", ask: (method, params) => client.call(method, params), client };
};
const facesOf = async (side) => [modernFace(side), await legacyFace(side)];

// Everything that a list has, page by page, with the cursors.
async function all(face, method) {
    const { of, key } = lists[method];
    const found = { entries: [], cursors: [] };
    let cursor;
    do {
        const { result, error } = await face.ask(method, cursor ? { cursor } : {});
        assert.ok(result, `${method}: ${JSON.stringify(error)}`);
        found.entries.push(...result[of]);
        cursor = result.nextCursor;
        if (cursor) found.cursors.push(cursor);
    } while (cursor);
    found.ids = found.entries.map((entry) => entry[key]);
    return found;
}

async function allLists(face) {
    const found = {};
    for (const method of Object.keys(lists)) found[method] = await all(face, method);
    return found;
}

// For each kind of thing: how it is used. Templates are filled in.
const uses = {
    "tools/list": (name) => ["tools/call", { name, arguments: argumentsOf(name) }],
    "resources/list": (uri) => ["resources/read", { uri }],
    "resources/templates/list": (uri) => ["resources/read", { uri: uri.replace(/\{.*?\}/, "x") }],
    "prompts/list": (name) => ["prompts/get", { name, arguments: { what: "x", city: "Bergen" } }],
};
const argumentsOf = (name) =>
    ({
        vault__ask: { word: "x" },
        desk__remember: { key: "k", value: "of globex" },
        desk__recall: { key: "k" },
        desk__open: { tag: "t" },
        only__book_trip: { city: "Bergen" },
    })[name] ?? {};
// Those that do not come back by themselves, or have a check of their own.
const apart = /^desk__(wait|wait_for_file|awaited|ignore_everything|pour)$|^remote_mcp__|announce$/;

const acmeFaces = await facesOf(acme);
const globexFaces = await facesOf(globex);
const acmeHas = await allLists(acmeFaces[0]);
const [note, item] = ["resources/list", "resources/templates/list"].map((method) =>
    acmeHas[method].ids.find((uri) => /vault:\/\/(note|item)/.test(uri)),
);
// What acme alone has, in each list.
const onlyAcmes = {};

await report.check("acme finds its mark in every list; globex never does", async () => {
    for (const face of acmeFaces)
        for (const [method, { entries }] of Object.entries(await allLists(face)))
            assert.ok(JSON.stringify(entries).includes(acme.mark), method);
    for (const face of globexFaces) {
        const found = await allLists(face);
        for (const [method, { entries, ids }] of Object.entries(found)) {
            assert.ok(JSON.stringify(entries).includes(globex.mark), method);
            onlyAcmes[method] = acmeHas[method].ids.filter((id) => !ids.includes(id));
            assert.deepEqual(
                ids.toSorted(),
                acmeHas[method].ids.filter((id) => !onlyAcmes[method].includes(id)).toSorted(),
            );
            assert.ok(ids.length > 0 && onlyAcmes[method].length > 0, method);
        }
        assert.ok(found["tools/list"].cursors.length > 0, "more than a page");
    }
});

await report.check("every tool, resource and prompt of the same name is globex's own", async () => {
    await acmeFaces[0].ask("tools/call", {
        name: "desk__remember",
        arguments: { key: "k", value: acme.mark },
    });
    for (const face of globexFaces)
        for (const [method, { ids }] of Object.entries(acmeHas))
            await inTurns(ids, async (id) => {
                if (onlyAcmes[method].includes(id) || apart.test(id)) return;
                const [used, params] = uses[method](id);
                tried[face.era].add(used);
                const { result, error } = await face.ask(used, params);
                assert.ok(result, `${id}: ${JSON.stringify(error)}`);
                if (/vault|greeting/.test(id) && id !== "vault__ask")
                    assert.ok(JSON.stringify(result).includes(globex.mark), id);
            });
});

await report.check("what acme alone has is unknown like what nobody has", async () => {
    for (const face of globexFaces)
        for (const [method, ids] of Object.entries(onlyAcmes))
            for (const id of ids) {
                const own = uses[method](id)[1];
                const [used] = uses[method](id);
                const status = await expectAbsent(`${used} ${id}`, own.name ?? own.uri, (each) =>
                    answerOf(face.ask(used, { ...own, [own.name ? "name" : "uri"]: each })),
                );
                assert.ok([200, 404].includes(status), `${used} ${id}: ${status}`);
            }
});

await report.check("completion suggests nothing of acme's", async () => {
    const argument = { name: "city", value: "" };
    const refs = [
        { ref: { type: "ref/prompt", name: "vault__remember" }, argument: { name: "what" } },
        { ref: { type: "ref/resource", uri: item }, argument: { name: "id" } },
    ];
    for (const [face, mark] of [
        ...acmeFaces.map((each) => [each, acme.mark]),
        ...globexFaces.map((each) => [each, globex.mark]),
    ]) {
        tried[face.era].add("completion/complete");
        for (const { ref, argument: wanted } of refs) {
            const { result } = await face.ask("completion/complete", {
                ref,
                argument: { ...wanted, value: "" },
            });
            assert.deepEqual(result?.completion.values, [mark]);
        }
    }
    const prompt = onlyAcmes["prompts/list"][0];
    const template = onlyAcmes["resources/templates/list"][0];
    for (const face of globexFaces) {
        await expectAbsent("a prompt's completion", prompt, (name) =>
            answerOf(
                face.ask("completion/complete", { ref: { type: "ref/prompt", name }, argument }),
            ),
        );
        await expectAbsent("a template's completion", template, (uri) =>
            answerOf(
                face.ask("completion/complete", { ref: { type: "ref/resource", uri }, argument }),
            ),
        );
    }
});

await report.check("a cursor leads to nothing of acme's", async () => {
    const cursorAt = (name) => Buffer.from(name).toString("base64url");
    for (const face of globexFaces)
        for (const [method, { cursors }] of Object.entries(acmeHas)) {
            for (const cursor of cursors) {
                const { result } = await face.ask(method, { cursor });
                if (result) assert.ok(JSON.stringify(result).includes(globex.mark));
            }
            const only = onlyAcmes[method][0];
            await expectAbsent(`a cursor of ${method}`, only, (each) =>
                answerOf(face.ask(method, { cursor: cursorAt(each) })),
            );
        }
});

const elicits = {
    meta: { "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } } },
};
const question = { name: "vault__ask", arguments: { word: "x" } };
const answers = {
    word: { action: "accept", content: { word: "password" } },
    sure: { action: "accept", content: { yes: true } },
};

await report.check("a requestState is good for who was asked alone", async () => {
    // The second question of two: its state holds the answer to the first one.
    const asked = async (side) => {
        const params = { ...question, inputResponses: { word: answers.word } };
        const { result, error } = await side.modern().modern("tools/call", params, elicits);
        assert.equal(result?.resultType, "input_required", JSON.stringify(error ?? result));
        assert.deepEqual(Object.keys(result.inputRequests), ["sure"]);
        assert.ok(JSON.stringify(result.inputRequests).includes(side.mark));
        return result.requestState;
    };
    const go = (side, requestState, headers = {}) => {
        const params = { ...question, requestState, inputResponses: { sure: answers.sure } };
        return side.modern(headers).modern("tools/call", params, elicits);
    };
    const state = await asked(acme);
    witness.keep(state);
    await expectAbsent("acme's requestState", state, (each) => answerOf(go(globex, each)));
    const { result, error } = await go(globex, state);
    assert.ok(!result && error, "it is an error");
    // Nor for another program of the same organisation.
    const other = await site.makeKey(acme, "second");
    const stranger = { authorization: `Bearer ${other.secret}` };
    assert.ok((await go(acme, state, stranger)).error);
    assert.equal(textOf(await go(acme, state)), `${acme.mark} heard password`);
    assert.equal(textOf(await go(globex, await asked(globex))), `${globex.mark} heard password`);
});

await report.check("a session is nobody else's", async () => {
    const theirs = await acme.legacy();
    witness.keep(theirs.session);
    const stream = await theirs.listen();
    const ways = [
        ["a request", { body: { jsonrpc: "2.0", id: 1, method: "tools/list" } }],
        ["a notification", { body: { jsonrpc: "2.0", method: "notifications/initialized" } }],
        ["an answer", { body: { jsonrpc: "2.0", id: 1, result: {} } }],
        ["the stream", { method: "GET" }],
        ["a stream's rest", { method: "GET", headers: { "last-event-id": "1" } }],
        ["its end", { method: "DELETE" }],
    ];
    for (const [what, { body, method = "POST", headers = {} }] of ways) {
        const client = globex.legacySession();
        const status = await expectAbsent(what, theirs.session, (each) => {
            const type = body ? {} : { "content-type": null };
            return client.send(body, {
                method,
                headers: { ...headers, ...type, "mcp-session-id": each },
            });
        });
        assert.equal(status, 404, what);
    }
    assert.equal(await theirs.tool("vault__mark"), acme.mark);
    stream.close();
});

await report.check("what runs and asks in one session is not reached from another", async () => {
    const theirs = await acme.legacy("2025-11-25", { elicitation: {} });
    const ours = await globex.legacy("2025-11-25", { elicitation: {} });
    const waiting = await theirs.open("desk__wait", { tag: "isolation" });
    await waiting.heard("notifications/progress");
    let asked;
    const asking = new Promise((resolve) => (asked = resolve));
    let answered;
    const answering = new Promise((resolve) => (answered = resolve));
    const told = theirs.call("tools/call", question, {
        onRequest: (message) => {
            if (!message.params.message.startsWith("A word")) return answers.sure;
            asked(message);
            return answering;
        },
    });
    const { id } = await asking;
    // The same ids, in a session of one's own: all that could be guessed.
    for (const params of [{ requestId: waiting.id }, { requestId: String(waiting.id) }])
        await ours.send({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    const eve = { action: "accept", content: { word: "eve" } };
    await ours.send({ jsonrpc: "2.0", id, result: eve });
    answered({ action: "accept", content: { word: "acme" } });
    assert.equal(textOf(await told), `${acme.mark} heard acme`);
    // Both have an occasion of this name.
    await ours.tool("desk__open", { tag: "isolation" });
    assert.equal(waiting.messages.items.filter((message) => message.result).length, 0);
    await theirs.tool("desk__open", { tag: "isolation" });
    assert.equal((await waiting.answer(waiting.id)).result.content[0].text, "came isolation");
    for (const method of ["initialize", "ping"]) tried.legacy.add(method);
});

await report.check("changes and messages are heard by their own alone", async () => {
    const wanted = {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: [note, onlyAcmes["resources/list"][0]],
    };
    const listen = async (side) => {
        const listening = { notifications: wanted };
        const stream = await side.modern().open("subscriptions/listen", listening);
        await stream.heard("notifications/subscriptions/acknowledged");
        const session = await side.legacy();
        await session.call("logging/setLevel", { level: "debug" });
        const legacyStream = await session.listen();
        for (const uri of wanted.resourceSubscriptions)
            await session.call("resources/subscribe", { uri });
        return { modern: stream, legacy: legacyStream, session };
    };
    const theirs = await listen(acme);
    const ours = await listen(globex);
    const acknowledged = ours.modern.messages.items[0].params.notifications;
    assert.deepEqual(acknowledged.resourceSubscriptions, [note]);
    await expectAbsent("subscribing", wanted.resourceSubscriptions[1], (uri) =>
        answerOf(ours.session.call("resources/subscribe", { uri })),
    );
    await expectAbsent("unsubscribing", wanted.resourceSubscriptions[1], (uri) =>
        answerOf(ours.session.call("resources/unsubscribe", { uri })),
    );
    const both = ["notifications/tools/list_changed", "notifications/resources/updated"];
    const hears = async (listener) => {
        for (const stream of [listener.modern, listener.legacy])
            for (const method of both) await stream.heard(method);
    };
    const counts = ({ modern, legacy }) =>
        [modern, legacy].flatMap(({ messages }) =>
            both.map((each) => messages.items.filter(({ method }) => method === each).length),
        );
    await theirs.session.tool("vault__announce");
    await theirs.session.call("tools/call", { name: "vault__tell", arguments: {} });
    await hears(theirs);
    await ours.session.tool("vault__announce");
    await hears(ours);
    assert.deepEqual(counts(ours), [1, 1, 1, 1]);
    assert.deepEqual(counts(theirs), [1, 1, 1, 1]);
    for (const stream of [ours.modern, ours.legacy, theirs.modern, theirs.legacy]) stream.close();
    witness.look(JSON.stringify([ours.modern.messages.items, ours.legacy.messages.items]), "");
    tried.modern.add("subscriptions/listen");
    for (const each of ["logging/setLevel", "resources/subscribe", "resources/unsubscribe"])
        tried.legacy.add(each);
});

await report.check("a stream is not resumed from another session", async () => {
    const theirs = await acme.legacy();
    const told = await theirs.call("tools/call", {
        name: "vault__tell",
        arguments: {},
        _meta: { progressToken: 1 },
    });
    assert.ok(JSON.stringify(told.answer.messages).includes(acme.mark));
    const ours = await globex.legacy();
    const headers = { ...ours.headers, "mcp-session-id": ours.session };
    delete headers["content-type"];
    // Ids of events are short numbers, with or without the stream's.
    for (const id of ["0", "1", "2", "3", "1-0", "1-1", "0-0", "1_1", "1:1"]) {
        const init = { headers: { ...headers, "last-event-id": id } };
        const stream = await EventStream.open(ours.url, init).catch(() => undefined);
        await ours.call("ping");
        if (stream) witness.look(JSON.stringify(stream.messages.items), "");
        stream?.close();
    }
});

await report.check("instructions are globex's own; another's name is refused", async () => {
    const discovered = await globex.modern().modern("server/discover");
    assert.ok(JSON.stringify(discovered.result).includes(globex.mark));
    tried.modern.add("server/discover");
    const status = await expectAbsent("acme's name in X-Org-ID", acme.name, (name) =>
        answerOf(globex.modern({ "x-org-id": name }).modern("tools/list")),
    );
    assert.equal(status, 400);
    const own = await globex.modern({ "x-org-id": globex.name }).modern("server/discover");
    assert.ok(own.result);
});

await report.check("a credential that permits less sees less, whoever looked before", async () => {
    const { secret } = await site.makeKey(globex, "narrow", ["mcp:read", "action:desk"]);
    const narrow = { authorization: `Bearer ${secret}` };
    for (let i = 0; i < 2; ++i) {
        const full = (await all(modernFace(globex), "tools/list")).ids;
        const some = (await all(modernFace(globex, narrow), "tools/list")).ids;
        assert.ok(full.includes("vault__mark") && full.includes("desk__remember"));
        assert.ok(some.includes("desk__greeting"));
        const wrong = some.filter((name) => !name.startsWith("desk__") || /remember/.test(name));
        assert.deepEqual(wrong.slice(0, 3), []);
    }
});

await checkHttp(report, site);

// The tables above are held against the host's own: whoever adds a way in adds it here as well.
const source = (file) => fs.readFileSync(path.join(built.source, file), "utf8");

await report.check("no method of the protocol is left out", () => {
    const row = /Method\{"([^"]+)", (true|false), (true|false)/g;
    let seen = 0;
    for (const [, method, modern, legacy] of source("host/mcp/server.cpp").matchAll(row)) {
        if (modern === "true") assert.ok(tried.modern.has(method), `modern ${method}`);
        if (legacy === "true") assert.ok(tried.legacy.has(method), `legacy ${method}`);
        ++seen;
    }
    assert.ok(seen > 10);
});

await report.check("no path is left out", () => {
    const missing = new Set();
    const look = (file, row, pathOf) => {
        const rows = [...source(file).matchAll(row)].map(pathOf);
        assert.ok(rows.length > 0, file);
        for (const each of rows) if (!covered.has(each)) missing.add(each);
    };
    look(
        "host/admin/api.cpp",
        /\{"(\w+)", (true|false), "([A-Z]+)", Need/g,
        ([, resource, one, method]) => `${method} /api/${resource}${one === "true" ? "/:id" : ""}`,
    );
    look("host/oauth/metadata.h", /"(\/oauth\/[^"]+)"/g, ([, each]) => each);
    look("plugins/remote_mcp/routes.cpp", /route\("([^"]+)"/g, ([, each]) => each);
    look("host/app/front.cpp", /path [!=]= "([^"]+)"/g, ([, each]) => each);
    assert.deepEqual([...missing], []);
});

await report.check("the host ends well, and the witness has looked", async () => {
    assert.ok(witness.looked > 1000, `only ${witness.looked} answers`);
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
});
report.finish();

// For expectAbsent(): the whole answer of a request.
async function answerOf(asked) {
    return (await asked).answer;
}

// A few at a time, in order.
async function inTurns(items, work) {
    const queue = [...items];
    const next = async () => {
        for (let item; (item = queue.shift()) !== undefined; ) await work(item);
    };
    await Promise.all(Array.from({ length: 8 }, next));
}
