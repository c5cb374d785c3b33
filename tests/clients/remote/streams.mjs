// SPDX-License-Identifier: Apache-2.0
// What an upstream says beside its answers reaches the client that it concerns: progress and log
// messages in their order, changes of resources and lists; and a client's cancellation reaches the
// upstream.
import assert from "node:assert/strict";
import { within, Inbox } from "../report.mjs";
import { exposedUri } from "./same.mjs";
import { until } from "./setup.mjs";
import { heard, mark, messages } from "./wire.mjs";

const text = (result) => result.content[0].text;
export async function running(peer, report, setup) {
    const { all } = setup.upstreams;
    for (const name of Object.keys(all).filter((each) => /^(every|shelf)/.test(each))) {
        await report.check(`${name}: progress arrives in its order`, () => progress(peer, name, all));
        await report.check(`${name}: a cancelled call is cancelled there`, () =>
            name.startsWith("every") ? cancelLegacy(peer, name, all) : cancelModern(peer, name),
        );
    }
    for (const name of ["shelf", "shelfio"])
        await report.check(`${name}: log messages arrive, all, in order and unchanged`, async () => {
            const from = mark(peer.wire);
            const options = await peer.wantLogs("info");
            await peer.call(`${name}__steps`, { count: 4 }, options);
            const seen = heard(peer.wire, "notifications/message", from);
            assert.deepEqual(
                seen.map(({ data }) => data.step),
                [1, 2, 3, 4],
            );
            const upstream = heard(all[name].toward, "notifications/message").slice(-4);
            const bare = ({ _meta, ...params }) => params;
            assert.deepEqual(seen.map(bare), upstream.map(bare));
        });
    // Over one stream for everything, the message comes before the answer.
    for (const name of ["everyio", "everysse"])
        await report.check(`${name}: a log message of the call arrives`, async () => {
            const options = await peer.wantLogs("debug");
            const from = mark(peer.wire);
            await peer.call(`${name}__toggle-simulated-logging`, {}, options);
            await peer.call(`${name}__toggle-simulated-logging`);
            const [first, ...more] = heard(peer.wire, "notifications/message", from);
            assert.match(first.data, /level.message/);
            assert.deepEqual(more, []);
        });
}

async function progress(peer, name, all) {
    const from = mark(peer.wire);
    const before = mark(all[name].toward);
    const seen = [];
    const options = { onprogress: (params) => seen.push(params) };
    if (name.startsWith("every"))
        await peer.call(
            `${name}__trigger-long-running-operation`,
            { duration: 0.3, steps: 4 },
            options,
        );
    else await peer.call(`${name}__steps`, { count: 4 }, options);
    const bare = ({ progressToken, _meta, ...params }) => params;
    const upstream = heard(all[name].toward, "notifications/progress", before).map(bare);
    const relayed = heard(peer.wire, "notifications/progress", from).map(bare);
    assert.equal(upstream.length, 4);
    // A step may be left out for a later one, none changed and not the last.
    let at = -1;
    for (const each of relayed) {
        const found = upstream.findIndex(
            (one, i) => i > at && JSON.stringify(one) === JSON.stringify(each),
        );
        assert.ok(found > at, `${JSON.stringify(each)} is not next`);
        at = found;
    }
    assert.equal(at, 3, "the last progress is missing");
    assert.ok(seen.every((each, i) => i === 0 || each.progress > seen[i - 1].progress));
}

async function aborted(peer, tool, args) {
    const abort = new AbortController();
    const begun = new Inbox();
    const ended = peer
        .call(tool, args, { signal: abort.signal, onprogress: (each) => begun.add(each) })
        .then(
            () => "a result",
            () => "an error",
        );
    await begun.next(() => true, `${tool} begins`);
    abort.abort("enough");
    assert.equal(await within(ended, "the aborted call"), "an error");
}

// server-everything does not look whether it was cancelled; the wire to it shows that it was told.
async function cancelLegacy(peer, name, all) {
    const wire = all[name].toward;
    const from = mark(wire);
    await aborted(peer, `${name}__trigger-long-running-operation`, { duration: 2, steps: 40 });
    await until("the upstream is told", () => {
        const sent = messages(wire, from).filter((each) => each.from === "client");
        const { id } = sent.find(({ message }) => message.method === "tools/call").message;
        return sent.some(
            ({ message }) =>
                message.method === "notifications/cancelled" && message.params.requestId === id,
        );
    });
}

async function cancelModern(peer, name) {
    const tag = `${peer.era}-${name}`;
    await aborted(peer, `${name}__hold`, { tag });
    assert.equal(text(await peer.call(`${name}__was_cancelled`, { tag })), "yes");
}

// A notice that comes because of what `cause` does; it may also come too often.
async function notice(peer, method, cause, matches = () => true) {
    const from = peer.notices.items.length;
    await cause();
    return peer.notices.next((each) => each.method === method && matches(each.params), method, from);
}

const updates = {
    shelf: ["shelf://note/all%20of%20it?x=1", (call) => call("write_note", { text: "second" })],
    memory: ["memory://knowledge-graph", (call) => call("read_graph", {})],
    every: [
        "demo://resource/dynamic/text/1",
        async (call) => {
            await call("toggle-subscriber-updates", {});
            await call("toggle-subscriber-updates", {});
        },
    ],
};

export async function changes(peer, report, setup) {
    const { all } = setup.upstreams;
    for (const name of Object.keys(all)) {
        const kind = Object.keys(updates).find((each) => name.startsWith(each));
        if (!kind) continue;
        await report.check(`${name}: a subscriber hears of a change`, async () => {
            const [local, change] = updates[kind];
            const uri = exposedUri(name, local);
            const close = await peer.subscribe(uri);
            await subscribed(all[name].toward, local);
            const call = (tool, args) => peer.call(`${name}__${tool}`, args);
            const graph = {
                entities: [{ name: "New", entityType: "t", observations: [] }],
            };
            await notice(
                peer,
                "notifications/resources/updated",
                () => (kind === "memory" ? call("create_entities", graph) : change(call)),
                (params) => params.uri === uri,
            );
            if (kind === "memory") await call("delete_entities", { entityNames: ["New"] });
            await close();
        });
    }
    let close = () => {};
    if (peer.era === "modern")
        close = await peer.listen({
            toolsListChanged: true,
            promptsListChanged: true,
            resourcesListChanged: true,
        });
    for (const name of ["everyhttp", "everysse", "everyio"])
        await report.check(`${name}: a new resource is told of, listed and read`, () =>
            grownLegacy(peer, name),
        );
    for (const name of ["shelf", "shelfio"])
        await report.check(`${name}: changed lists are told of and listed`, () =>
            grownModern(peer, name),
        );
    await close();
}

// The host's subscription has reached the server: its request, in either era, was answered.
async function subscribed(wire, uri) {
    await until(`${uri} is subscribed`, () => {
        const all = messages(wire);
        const request = all.findLast(
            ({ from, message }) =>
                from === "client" &&
                (message.params?.notifications?.resourceSubscriptions?.includes(uri) ||
                    (message.method === "resources/subscribe" && message.params.uri === uri)),
        );
        const key = "io.modelcontextprotocol/subscriptionId";
        return (
            request &&
            all.some(
                ({ from, message }) =>
                    from === "server" &&
                    (message.id === request.message.id ||
                        message.params?._meta?.[key] === request.message.id),
            )
        );
    });
}

async function grownLegacy(peer, name) {
    const uri = exposedUri(name, "demo://resource/session/new.gz");
    const args = { name: "new.gz", data: "data:text/plain,hi" };
    await notice(peer, "notifications/resources/list_changed", () =>
        peer.call(`${name}__gzip-file-as-resource`, args),
    );
    const { resources } = await peer.listResources();
    assert.ok(resources.some((each) => each.uri === uri));
    assert.equal((await peer.read(uri)).contents[0].uri, uri);
}

async function grownModern(peer, name) {
    const there = async () => [
        (await peer.listTools()).tools.some((each) => each.name === `${name}__sprout`),
        (await peer.listPrompts()).prompts.some((each) => each.name === `${name}__bloom`),
        (await peer.listResources()).resources.some(
            (each) => each.uri === exposedUri(name, "shelf://leaf"),
        ),
    ];
    for (const on of [true, false]) {
        const from = peer.notices.items.length;
        await peer.call(`${name}__grow`, { on });
        for (const list of ["tools", "prompts", "resources"]) {
            const method = `notifications/${list}/list_changed`;
            await peer.notices.next((each) => each.method === method, method, from);
        }
        assert.deepEqual(await there(), [on, on, on]);
    }
}
