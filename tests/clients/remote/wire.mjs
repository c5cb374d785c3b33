// SPDX-License-Identifier: Apache-2.0
// What a recorded connection carried (capture.mjs), message by message, and one message as a tree in
// which nothing of its text is lost: JSON.parse alone would round numbers and unify escapes.
import assert from "node:assert/strict";
import { readShimCapture } from "../capture.mjs";

// Every number, string, true, false and null stays as it was written.
export function exact(text) {
    return JSON.parse(text, (_, value, { source }) =>
        source === undefined ? value : JSON.rawJSON(source),
    );
}

export const raw = (value) => JSON.rawJSON(JSON.stringify(value));
export const plain = (node) => JSON.parse(JSON.stringify(node));

// wire: {exchanges} of a RecordingProxy or {file} of the stdio shim. since: a mark() of before.
// Returns [{from: "client" | "server", text, message}], each stream in its order.
export function messages(wire, since = {}) {
    const all = [];
    const add = (from, text) => {
        if (!text) return;
        try {
            all.push({ from, text, message: JSON.parse(text) });
        } catch {
            // What is not JSON (an endpoint event, an error page) is no message.
        }
    };
    if (wire.file) {
        for (const { from, text } of linesOf(wire).slice(since.lines)) add(from, text);
        return all;
    }
    for (const [i, exchange] of wire.exchanges.entries()) {
        const seen = since.events?.[i];
        if (seen === undefined) add("client", exchange.requestBody);
        if (seen === undefined) add("server", exchange.responseBody);
        for (const { data } of (exchange.events ?? []).slice(seen)) add("server", data);
    }
    return all;
}

const linesOf = ({ file }) =>
    readShimCapture(file).flatMap(({ lines }) => lines.filter(({ from }) => from !== "stderr"));

// How far a wire is now.
export function mark(wire) {
    if (wire.file) return { lines: linesOf(wire).length };
    return { events: wire.exchanges.map(({ events }) => events?.length ?? 0) };
}

// The last request of `method` for which `matches(params)` holds, and what answered it:
// {id, params, answer: {result} | {error}} with the answer as an exact tree. `outcome`: what the
// client said, for the message if nothing was sent.
export function lastAnswer(wire, method, matches = () => true, outcome = undefined) {
    const all = messages(wire);
    const request = all.findLast(
        ({ from, message }) =>
            from === "client" && message.method === method && matches(message.params ?? {}),
    );
    assert.ok(request, `no ${method} was sent: ${outcome}`);
    const { id, params } = request.message;
    const answer = all.find(
        ({ from, message }) => from === "server" && message.id === id && !message.method,
    );
    assert.ok(answer, `no answer to ${method} came: ${outcome}`);
    const { result, error } = exact(answer.text);
    return { id, params, answer: error === undefined ? { result } : { error } };
}

// The params of the notifications of `method` since a mark.
export function heard(wire, method, since) {
    return messages(wire, since)
        .filter(({ from, message }) => from === "server" && message.method === method)
        .map(({ message }) => message.params);
}
