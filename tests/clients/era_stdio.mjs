// SPDX-License-Identifier: Apache-2.0
// The stdio rules of both eras over captured lines (the shape is described in capture.mjs).
import {
    checkAsking,
    checkEnvelope,
    checkNotification,
    checkResponse,
    isModern,
    isNotification,
    isRequest,
    isResponse,
    metaPrefix,
    modernVersionOf,
} from "./era_message.mjs";
import { checkListened, checkRelated } from "./era_http.mjs";
import { modernVersion, rank } from "./vocabulary.mjs";

const subscriptionKey = `${metaPrefix}subscriptionId`;

export function checkStdio(connections, report, stats) {
    for (const connection of connections) {
        const state = { legacy: undefined, capabilities: {}, requests: new Map(), report, stats };
        for (const line of connection.lines) {
            if (line.from === "client") noteClient(line, state);
            if (line.from === "server") checkServer(line, state);
        }
        for (const entry of state.requests.values()) {
            const open = entry.request.method === "subscriptions/listen" || entry.cancelled;
            if (!open && entry.answers === 0 && !connection.killed) {
                report(entry.line, `${entry.request.method} is never answered`, "must");
            }
        }
    }
}

function noteClient(line, state) {
    for (const message of [line.message].flat()) {
        if (isRequest(message)) {
            const claimed = modernVersionOf(message);
            const modern = claimed !== undefined;
            state.stats[modern ? "modern" : "legacy"]++;
            if (message.method === "initialize") {
                state.capabilities = message.params?.capabilities ?? {};
            }
            state.requests.set(message.id, {
                request: message,
                line,
                modern,
                answers: 0,
                notices: 0,
                batch: Array.isArray(line.message),
            });
        } else if (message?.method === "notifications/cancelled") {
            const entry = state.requests.get(message.params?.requestId);
            if (entry) entry.cancelled = true;
        }
    }
}

function checkServer(line, state) {
    const problem = (text, level = "must") => state.report(line, text, level);
    if (line.message === undefined) {
        problem("standard output holds a line that is not JSON");
        return;
    }
    if (Array.isArray(line.message) && rank(state.legacy) !== 1) {
        problem("a batch is sent outside 2025-03-26");
    }
    for (const message of [line.message].flat()) {
        if (isResponse(message)) checkStdioResponse(message, state, problem);
        else if (isNotification(message)) checkStdioNotification(message, state, problem);
        else if (isRequest(message)) checkStdioRequest(message, state, problem);
        else problem("a line holds no JSON-RPC message");
    }
}

function checkStdioResponse(message, state, problem) {
    const entry = state.requests.get(message.id);
    if (!entry) {
        const unreadable = "error" in message && (message.id === null || message.id === undefined);
        if (!unreadable)
            problem(`the answer's id ${JSON.stringify(message.id)} is that of no request`);
        return;
    }
    if (++entry.answers > 1) problem(`${entry.request.method} is answered ${entry.answers} times`);
    if (entry.request.method === "initialize" && message.result) {
        state.legacy = message.result.protocolVersion;
        if (rank(state.legacy) === 0 || isModern(state.legacy)) {
            problem(`initialize is answered with the version ${JSON.stringify(state.legacy)}`);
        }
    }
    const version = entry.modern ? modernVersion : (state.legacy ?? "2025-11-25");
    checkResponse(message, entry.request, version, problem);
}

function checkStdioNotification(message, state, problem) {
    const subscription = message.params?._meta?.[subscriptionKey];
    if (subscription !== undefined) {
        const entry = state.requests.get(subscription);
        if (entry?.request.method !== "subscriptions/listen") {
            problem(
                `${message.method} names the subscription ${JSON.stringify(subscription)}, which ` +
                    "no listen request opened",
            );
            return;
        }
        checkNotification(message, modernVersion, problem);
        checkListened(message, entry.request, entry.notices++ === 0, problem);
        return;
    }
    if (message.method === "notifications/progress") {
        const token = message.params?.progressToken;
        const entry = [...state.requests.values()].find(
            ({ request }) => request.params?._meta?.progressToken === token,
        );
        if (!entry) {
            problem(`progress has the token ${JSON.stringify(token)}, which no request gave`);
            return;
        }
        if (entry.answers > 0) problem("progress comes after the response");
        if (entry.modern) checkRelated(message, entry.request, problem);
    }
    const modernLog = message.method === "notifications/message" && state.legacy === undefined;
    if (modernLog) {
        const asked = [...state.requests.values()].some(
            ({ request, answers }) =>
                answers === 0 && request.params?._meta?.[`${metaPrefix}logLevel`] !== undefined,
        );
        if (!asked) problem("a log message came though no open request asked for one");
    } else if (message.method !== "notifications/progress" && state.legacy === undefined) {
        problem(`${message.method} belongs to no subscription and no request`);
    }
    checkNotification(message, state.legacy ?? modernVersion, problem);
}

function checkStdioRequest(message, state, problem) {
    checkEnvelope(message, problem);
    if (state.legacy === undefined) {
        problem(`the server asks for ${message.method} without a legacy session`);
        return;
    }
    checkAsking(message, state.capabilities, state.legacy, "server request", problem);
}
