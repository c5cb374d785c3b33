// SPDX-License-Identifier: Apache-2.0
// What changes while a client is connected: a resource, a plugin's own list, the plugins folder.
import assert from "node:assert/strict";
import { note, textOf } from "./basic.mjs";

const listChanged = "notifications/tools/list_changed";
const updated = "notifications/resources/updated";

export async function changes(peer, report, target) {
    const silentFrom = await resourceUpdates(peer, report);
    let close = () => {};
    if (peer.era === "modern") {
        await report.check("a stream of changes can be opened", async () => {
            close = await peer.listen({
                toolsListChanged: true,
                promptsListChanged: true,
                resourcesListChanged: true,
            });
        });
    }
    await report.check("a tool that a plugin adds appears", () =>
        change(peer, () => peer.call("lab__toggle_sprout"), "lab__sprout", true),
    );
    // The list change went the same way as an update would have gone before it.
    await report.check("a resource is silent after the subscription", () =>
        assert.deepEqual(
            peer.notices.items.slice(silentFrom).filter(({ method }) => method === updated),
            [],
        ),
    );
    await report.check("the new tool can be called", async () =>
        assert.equal(textOf(await peer.call("lab__sprout")), "green"),
    );
    await report.check("a tool that a plugin removes disappears", () =>
        change(peer, () => peer.call("lab__toggle_sprout"), "lab__sprout", false),
    );
    if (target.isHost) await pluginFiles(peer, report, target);
    await report.check("the stream of changes can be closed", () => close());
}

// A change notice comes, and the list that is asked for afterwards shows it.
async function change(peer, cause, tool, present) {
    const from = peer.notices.items.length;
    await cause();
    for (let seen = from; ;) {
        const notice = await peer.notices.next(
            ({ method }) => method === listChanged,
            `${listChanged} for ${tool}`,
            seen,
        );
        const { tools } = await peer.listTools();
        if (tools.some(({ name }) => name === tool) === present) return;
        seen = peer.notices.items.indexOf(notice, seen) + 1;
    }
}

async function pluginFiles(peer, report, target) {
    await report.check("a plugin file put into the folder is loaded and listed", () =>
        change(peer, () => target.addExtra(), "extra__hello", true),
    );
    await report.check("its tool can be called", async () =>
        assert.equal(textOf(await peer.call("extra__hello", { name: "Ada" })), "hello Ada"),
    );
    await report.check("a plugin file taken away is gone from the list", () =>
        change(peer, () => target.removeExtra(), "extra__hello", false),
    );
    await report.check("its tool is unknown then", async () => {
        const outcome = await peer.call("extra__hello", { name: "Ada" }).then(
            () => undefined,
            (error) => error,
        );
        assert.equal(outcome?.code, -32602);
    });
    await report.check("the same file can come back", async () => {
        await change(peer, () => target.addExtra(), "extra__hello", true);
        assert.equal(textOf(await peer.call("extra__hello", { name: "Bob" })), "hello Bob");
        await change(peer, () => target.removeExtra(), "extra__hello", false);
    });
}

// Returns the place in the notices from which on none may be about the resource.
async function resourceUpdates(peer, report) {
    let unsubscribe = async () => {};
    await report.check("a subscribed resource tells of its change", async () => {
        unsubscribe = await peer.subscribe(note);
        const from = peer.notices.items.length;
        await peer.call("lab__edit_note", { text: "second" });
        const notice = await peer.notices.next(({ method }) => method === updated, updated, from);
        assert.equal(notice.params.uri, note);
        assert.equal((await peer.read(note)).contents[0].text, "second");
    });
    await report.check("the subscription can be ended", () => unsubscribe());
    const from = peer.notices.items.length;
    await report.check("the resource changes again", () =>
        peer.call("lab__edit_note", { text: "third" }),
    );
    return from;
}
