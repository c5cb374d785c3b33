// SPDX-License-Identifier: Apache-2.0
// A tool asks the user, the model or the client's roots. The plugin is the same in both eras.
import assert from "node:assert/strict";
import { textOf } from "./basic.mjs";

export async function asking(peer, report) {
    const ask = async (tool, args) => textOf(await peer.call(tool, args));

    await report.check("elicitation, accepted", async () => {
        peer.answers.elicit = async () => ({ action: "accept", content: { name: "Ada" } });
        assert.equal(await ask("lab__ask_name"), "accept Ada");
        const { params } = peer.asked.items.at(-1);
        assert.equal(params.message, "What is your name?");
        assert.deepEqual(params.requestedSchema.required, ["name"]);
        assert.equal(params.requestedSchema.properties.name.type, "string");
    });
    await report.check("elicitation, declined", async () => {
        peer.answers.elicit = async () => ({ action: "decline" });
        assert.equal(await ask("lab__ask_name"), "decline");
    });
    await report.check("elicitation, cancelled", async () => {
        peer.answers.elicit = async () => ({ action: "cancel" });
        assert.equal(await ask("lab__ask_name"), "cancel");
    });
    await report.check("two questions, the second after the first", async () => {
        const asked = [];
        peer.answers.elicit = async ({ message }) => {
            asked.push(message);
            return { action: "accept", content: { value: message === "From?" ? "Bern" : "Rome" } };
        };
        assert.equal(await ask("lab__ask_trip"), "Bern to Rome");
        assert.deepEqual(asked, ["From?", "To?"]);
    });
    await report.check("elicitation of a visit to a page", async () => {
        let params;
        peer.answers.elicit = async (given) => {
            params = given;
            return { action: "accept" };
        };
        assert.equal(await ask("lab__ask_page"), "accept");
        assert.equal(params.mode, "url");
        assert.equal(params.url, "https://example.com/sign-in");
    });
    await report.check("sampling", async () => {
        peer.answers.sample = async ({ messages }) => ({
            role: "assistant",
            model: "test-model",
            stopReason: "endTurn",
            content: { type: "text", text: `re: ${messages[0].content.text}` },
        });
        assert.equal(await ask("lab__ask_model", { question: "why?" }), "re: why?");
        assert.equal(peer.asked.items.at(-1).params.maxTokens, 50);
    });
    await report.check("roots", async () => {
        peer.answers.roots = async () => ({
            roots: [{ uri: "file:///home/ada", name: "home" }, { uri: "file:///srv" }],
        });
        assert.equal(await ask("lab__ask_roots"), "file:///home/ada file:///srv");
    });
    await report.check("two calls that ask at once keep their answers apart", async () => {
        peer.answers.sample = async ({ messages }) => ({
            role: "assistant",
            model: "test-model",
            content: { type: "text", text: `re: ${messages[0].content.text}` },
        });
        const texts = await Promise.all(
            ["one", "two", "three"].map((question) => ask("lab__ask_model", { question })),
        );
        assert.deepEqual(texts, ["re: one", "re: two", "re: three"]);
    });
}
