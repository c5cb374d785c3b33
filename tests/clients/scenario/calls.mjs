// SPDX-License-Identifier: Apache-2.0
// What happens while a call runs: progress, log messages, cancellation, many at once.
import assert from "node:assert/strict";
import { Inbox, within } from "../report.mjs";
import { textOf } from "./basic.mjs";

export async function running(peer, report, target) {
    await report.check("progress arrives in order", async () => {
        const seen = [];
        const result = await peer.call(
            "lab__steps",
            { count: 5 },
            { onprogress: (progress) => seen.push(progress) },
        );
        assert.equal(textOf(result), "5 steps");
        growing(seen);
        // The clients drop what they read in one piece with the response, so the end is judged on the
        // wire: progress may be coalesced, but the last one is not lost.
        const sent = progressOfLastCall(target.capture(), "lab__steps");
        growing(sent);
        assert.equal(sent.at(-1)?.progress, 5, "the last progress was not sent");
        assert.ok(sent.every(({ total }) => total === 5));
        assert.equal(sent.at(-1).message, "step 5");
    });
    await logs(peer, report);
    await cancels(peer, report);
    await report.check("calls run beside each other", async () => {
        const sums = await Promise.all(
            Array.from({ length: 20 }, (_, i) => peer.call("lab__sum", { a: i, b: 1000 })),
        );
        assert.deepEqual(
            sums.map(({ structuredContent }) => structuredContent.sum),
            Array.from({ length: 20 }, (_, i) => i + 1000),
        );
    });
}

export function growing(list) {
    const values = list.map(({ progress }) => progress);
    assert.deepEqual(
        values,
        [...new Set(values)].toSorted((a, b) => a - b),
    );
}

// The params of the progress notifications that answered the last call of `tool`, from the wire.
export function progressOfLastCall({ exchanges, connections }, tool) {
    const calls = (message) => message?.params?.name === tool;
    const ofToken = (messages, token) =>
        messages
            .map((message) => message?.params ?? {})
            .filter(
                ({ progressToken, progress }) => progress !== undefined && progressToken === token,
            );
    if (exchanges) {
        const exchange = exchanges.findLast(({ requestBody }) => requestBody.includes(`"${tool}"`));
        const token = JSON.parse(exchange.requestBody).params._meta.progressToken;
        return ofToken(
            exchange.events.map(({ data }) => data && JSON.parse(data)),
            token,
        );
    }
    const messages = connections.at(-1).lines;
    const call = messages.findLast(
        ({ from, message }) => from === "client" && calls(message),
    ).message;
    return ofToken(
        messages.filter(({ from }) => from === "server").map(({ message }) => message),
        call.params._meta.progressToken,
    );
}

async function logs(peer, report) {
    const isLog = ({ method }) => method === "notifications/message";
    await report.check("log messages arrive, all of them", async () => {
        const from = peer.notices.items.length;
        const options = await peer.wantLogs("info");
        await peer.call("lab__steps", { count: 3 }, options);
        await peer.notices.next(
            (n) => isLog(n) && n.params.data?.step === 3,
            "the third log message",
            from,
        );
        const seen = peer.notices.items.slice(from).filter(isLog);
        assert.deepEqual(
            seen.map(({ params }) => params.data.step),
            [1, 2, 3],
        );
        assert.ok(seen.every(({ params }) => params.level === "info"));
    });
    await report.check("log messages below the wanted level do not", async () => {
        const from = peer.notices.items.length;
        const options = await peer.wantLogs("error");
        await peer.call("lab__steps", { count: 2 }, options);
        await peer.call("lab__sum", { a: 1, b: 1 });
        assert.deepEqual(peer.notices.items.slice(from).filter(isLog), []);
    });
}

async function cancels(peer, report) {
    await report.check("an aborted call is cancelled in the plugin", async () => {
        const tag = `held-${Math.random()}`;
        const abort = new AbortController();
        const started = new Inbox();
        const call = peer.call(
            "lab__hold",
            { tag },
            { signal: abort.signal, onprogress: (p) => started.add(p) },
        );
        const ended = call.then(
            () => "a result",
            () => "an error",
        );
        await started.next(() => true, "the call begins");
        abort.abort("enough");
        assert.equal(await within(ended, "the aborted call"), "an error");
        assert.equal(textOf(await peer.call("lab__was_cancelled", { tag })), "yes");
    });
    await report.check("and others go on", async () =>
        assert.deepEqual((await peer.call("lab__sum", { a: 1, b: 2 })).structuredContent, {
            sum: 3,
        }),
    );
}
