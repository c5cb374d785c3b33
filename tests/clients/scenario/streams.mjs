// SPDX-License-Identifier: Apache-2.0
// Connections that break or are given back while a call runs (HTTP only): the legacy era resumes
// them by Last-Event-ID, in the modern era a broken stream is a cancelled call.
import assert from "node:assert/strict";
import { Inbox } from "../report.mjs";
import { textOf } from "./basic.mjs";

const isCallOf =
    (tool) =>
    ({ method, requestBody }) =>
        method === "POST" && requestBody.includes(`"${tool}"`);

export async function streams(peer, report, target) {
    await (peer.era === "modern" ? modernStreams : legacyStreams)(peer, report, target);
}

async function modernStreams(peer, report, { proxy }) {
    await report.check("a broken stream cancels its call in the plugin", async () => {
        const tag = `cut-${Math.random()}`;
        const started = new Inbox();
        // What the client makes of the broken stream is its own affair.
        peer.call("lab__hold", { tag }, { onprogress: (p) => started.add(p) }).catch(() => {});
        await started.next(() => true, "the call begins");
        assert.equal(proxy.cut(isCallOf("lab__hold")), 1);
        assert.equal(textOf(await peer.call("lab__was_cancelled", { tag })), "yes");
    });
}

async function legacyStreams(peer, report, { proxy }) {
    const resumed = (from) =>
        proxy.exchanges
            .slice(from)
            .filter(
                ({ method, requestHeaders }) =>
                    method === "GET" && requestHeaders["last-event-id"] !== undefined,
            );

    await report.check("a call that gives its connection back is polled for", async () => {
        const from = proxy.exchanges.length;
        assert.equal(textOf(await peer.call("lab__later")), "late");
        assert.ok(resumed(from).length > 0, "no GET with Last-Event-ID was seen");
        const [post] = proxy.exchanges.slice(from).filter(isCallOf("lab__later"));
        assert.equal(post.end, "server");
    });
    await report.check("a call survives its broken stream", async () => {
        const tag = `gate-${Math.random()}`;
        const from = proxy.exchanges.length;
        const started = new Inbox();
        const call = peer.call("lab__gate", { tag }, { onprogress: (p) => started.add(p) });
        await started.next(() => true, "the call begins");
        assert.equal(proxy.cut(isCallOf("lab__gate")), 1);
        await peer.call("lab__open", { tag });
        assert.equal(textOf(await call), `through ${tag}`);
        assert.ok(resumed(from).length > 0, "no GET with Last-Event-ID was seen");
    });
    await report.check("a change during a broken GET stream is not lost", async () => {
        const changed = ({ method }) => method === "notifications/tools/list_changed";
        let from = peer.notices.items.length;
        await peer.call("lab__toggle_sprout");
        await peer.notices.next(changed, "the first change", from);
        from = peer.notices.items.length;
        const exchanges = proxy.exchanges.length;
        assert.ok(proxy.cut(({ method }) => method === "GET") > 0);
        await peer.call("lab__toggle_sprout");
        await peer.notices.next(changed, "the change during the gap", from);
        assert.ok(resumed(exchanges).length > 0, "no GET with Last-Event-ID was seen");
    });
}

// After the client has closed: what its session is worth.
export async function afterClose(peer, report, target) {
    if (peer.era === "modern") {
        await report.check("no session was ever named", () =>
            assert.ok(
                target.proxy.exchanges.every(
                    ({ requestHeaders }) => requestHeaders["mcp-session-id"] === undefined,
                ),
            ),
        );
        return;
    }
    const last = target.proxy.exchanges.findLast(({ method }) => method === "DELETE");
    await report.check("the session is ended by DELETE", () => {
        assert.ok(last, "no DELETE was sent");
        assert.ok(
            last.status >= 200 && last.status < 300,
            `DELETE is answered with ${last.status}`,
        );
    });
    await report.check("the ended session is unknown", async () => {
        const answer = await fetch(target.url, {
            method: "POST",
            headers: {
                "content-type": "application/json",
                accept: "application/json, text/event-stream",
                "mcp-session-id": last.requestHeaders["mcp-session-id"],
                "mcp-protocol-version": peer.version,
            },
            body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
        });
        await answer.text();
        assert.equal(answer.status, 404);
    });
}
