// SPDX-License-Identifier: Apache-2.0
// The example plugins, all served by one host beside the lab, do what their READMEs say.
import assert from "node:assert/strict";
import { Inbox, within } from "../report.mjs";
import { textOf } from "./basic.mjs";
import { growing, progressOfLastCall } from "./calls.mjs";

export async function examples(peer, report, target) {
    await report.check("the example plugins are listed together", async () => {
        const { tools } = await peer.listTools();
        const spaces = new Set(tools.map(({ name }) => name.split("__")[0]));
        for (const space of ["countdown", "lab", "text_tools", "travel"]) {
            assert.ok(spaces.has(space), `no tool of ${space} in ${tools.map(({ name }) => name)}`);
        }
        assert.deepEqual(
            tools.map(({ name }) => name),
            tools
                .map(({ name }) => name)
                .toSorted((a, b) =>
                    a.split("__")[0] < b.split("__")[0]
                        ? -1
                        : Number(a.split("__")[0] > b.split("__")[0]),
                ),
        );
    });
    await booking(peer, report);
    await destinations(peer, report);
    await countdown(peer, report, target);
}

async function booking(peer, report) {
    const details = (nights) => ({
        action: "accept",
        content: { arrival: "2026-09-01", nights, room: "double" },
    });
    const agreed = (book) => ({ action: "accept", content: { book } });
    // Books with these answers, one to each form; the result, and what the forms said.
    const book = async (...answers) => {
        const from = peer.asked.items.length;
        peer.answers.elicit = async () => answers.shift();
        const result = await peer.call("travel__book_trip", { city: "Bergen" });
        const asked = peer.asked.items.slice(from).map(({ params }) => params.message);
        assert.deepEqual(answers, [], "an answer was not asked for");
        return { result, asked };
    };
    const when = "When do you want to be in Bergen?";
    const price = (euros) => `That is ${euros} euros in all. Book it?`;

    await report.check("a trip is booked once both forms are accepted", async () => {
        const { result, asked } = await book(details(2), agreed(true));
        assert.ok(!result.isError, textOf(result));
        assert.deepEqual(result.structuredContent, {
            city: "Bergen",
            arrival: "2026-09-01",
            nights: 2,
            total_price: 420,
        });
        assert.deepEqual(asked, [when, price(420)]);
    });
    await report.check("no nights at all are asked about again", async () => {
        const { result, asked } = await book(details(0), details(1), agreed(true));
        assert.equal(result.structuredContent.nights, 1);
        assert.deepEqual(asked, [when, when, price(210)]);
    });
    for (const [what, answers, reason] of [
        ["declined", [{ action: "decline" }], /did not want to book/],
        ["too expensive", [details(2), agreed(false)], /did not agree to the price/],
    ]) {
        await report.check(`a trip that is ${what} is not booked`, async () => {
            const { result } = await book(...answers);
            assert.equal(result.isError, true);
            assert.match(textOf(result), reason);
        });
    }
}

async function destinations(peer, report) {
    const city = "travel+travel://city/{name}";
    await report.check("the travel guide names every destination", async () => {
        const { contents } = await peer.read("travel+travel://guide");
        assert.equal(contents[0].mimeType, "text/markdown");
        for (const name of ["Bergen", "Bologna", "Lisbon", "Ljubljana"]) {
            assert.ok(contents[0].text.includes(`- ${name}: `), contents[0].text);
        }
    });
    await report.check("a city is completed and read", async () => {
        const { completion } = await peer.complete({
            ref: { type: "ref/resource", uri: city },
            argument: { name: "name", value: "B" },
        });
        assert.deepEqual(completion.values, ["Bergen", "Bologna"]);
        const { contents } = await peer.read(city.replace("{name}", completion.values[0]));
        assert.match(contents[0].text, /A night costs 140 euros/);
    });
    await report.check("a plan for a city comes with what is known of it", async () => {
        const { messages } = await peer.prompt("travel__plan_trip", { city: "Lisbon" });
        assert.match(messages[0].content.text, /three days in Lisbon/);
        assert.equal(messages[1].content.resource.uri, city.replace("{name}", "Lisbon"));
    });
}

async function countdown(peer, report, target) {
    const count = (from, interval_ms, options) =>
        peer.call("countdown__count_down", { from, interval_ms }, options);

    await report.check("a countdown reports its progress", async () => {
        const seen = [];
        const result = await count(3, 10, { onprogress: (progress) => seen.push(progress) });
        assert.deepEqual(result.structuredContent, { counted: 3, last_words: "lift-off" });
        growing(seen);
        const sent = progressOfLastCall(target.capture(), "countdown__count_down");
        const { progress, total, message } = sent.at(-1);
        assert.deepEqual({ progress, total, message }, { progress: 3, total: 3, message: "1" });
    });
    await report.check("a countdown ends when it is aborted", async () => {
        const abort = new AbortController();
        const started = new Inbox();
        const ended = count(10_000, 60_000, {
            signal: abort.signal,
            onprogress: (progress) => started.add(progress),
        }).then(
            () => "a result",
            () => "an error",
        );
        await started.next(() => true, "the first number");
        abort.abort("enough");
        assert.equal(await within(ended, "the aborted countdown"), "an error");
    });
}
