// SPDX-License-Identifier: Apache-2.0
// The HTTP rules of both eras over captured exchanges (the shape is described in capture.mjs).
import {
    checkAsking,
    checkEnvelope,
    checkNotification,
    checkResponse,
    isModern,
    isNotification,
    isRequest,
    isResponse,
    levels,
    metaPrefix,
    modernVersionOf,
} from "./era_message.mjs";
import { modernVersion, rank } from "./vocabulary.mjs";

const subscriptionKey = `${metaPrefix}subscriptionId`;
const jsonType = "application/json";
const streamType = "text/event-stream";

// JSON-RPC code -> the HTTP statuses that a modern answer in one piece may have.
const modernStatus = {
    "-32700": [400],
    "-32600": [400],
    "-32601": [404],
    "-32602": [200, 400],
    "-32603": [200, 500],
    "-32020": [400],
    "-32021": [400],
    "-32022": [400],
};

const mediaType = (exchange) =>
    (exchange.responseHeaders?.["content-type"] ?? "").split(";")[0].trim().toLowerCase();

function parseJson(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

// Calls report(exchange, text, level) for each violation and counts what was seen in `stats`.
export function checkHttp(exchanges, report, stats) {
    const sessions = new Map();
    for (const exchange of exchanges) {
        const problem = (text, level = "must") => report(exchange, text, level);
        if (exchange.status === undefined) continue; // the client left before any answer
        if (exchange.method === "POST") {
            checkPost(exchange, sessions, problem, stats);
        } else {
            checkLegacyVerb(exchange, sessions, problem, stats);
        }
    }
    for (const session of sessions.values()) checkAnswered(session, report);
}

function checkPost(exchange, sessions, problem, stats) {
    const message = parseJson(exchange.requestBody);
    const claimed = modernVersionOf(message);
    const header = exchange.requestHeaders["mcp-protocol-version"];
    const modern =
        claimed !== undefined || (message?.method !== "initialize" && isModern(header ?? ""));
    stats[modern ? "modern" : "legacy"]++;
    if (modern) {
        checkModernPost(exchange, message, problem);
    } else {
        checkLegacyPost(exchange, message, sessions, problem);
    }
}

// ---- modern ----

function checkModernPost(exchange, message, problem) {
    for (const name of Object.keys(exchange.responseHeaders)) {
        if (name === "mcp-session-id") problem("a modern answer has the header Mcp-Session-Id");
    }
    if (isNotification(message)) {
        checkAccepted(exchange, problem);
        return;
    }
    if (mediaType(exchange) === streamType) {
        if (exchange.status !== 200) problem(`a stream has the status ${exchange.status}, not 200`);
        checkModernStream(exchange, message, problem);
        return;
    }
    if (mediaType(exchange) !== jsonType) {
        problem(`the answer's Content-Type is ${JSON.stringify(mediaType(exchange))}`);
        return;
    }
    const answer = parseJson(exchange.responseBody);
    if (!isResponse(answer)) {
        problem("the answer is not one JSON-RPC response");
        return;
    }
    checkModernAnswer(answer, message, problem);
    checkModernStatus(exchange, answer, message, problem);
}

function checkModernStatus(exchange, answer, message, problem) {
    const code = answer.error?.code;
    const meta = message?.params?._meta ?? {};
    const metaMissing =
        !(`${metaPrefix}protocolVersion` in meta) || !(`${metaPrefix}clientCapabilities` in meta);
    const allowed =
        code === undefined
            ? [200]
            : code === -32602 && metaMissing
              ? [400]
              : (modernStatus[code] ?? [200, 400, 401, 403, 404, 429, 500, 503]);
    if (!allowed.includes(exchange.status)) {
        problem(
            `the HTTP status is ${exchange.status} where ${code ?? "a result"} needs ` +
                allowed.join(" or "),
        );
    }
}

function checkModernAnswer(answer, message, problem) {
    if (isRequest(message) && answer.id !== message.id) {
        problem(
            `the answer has the id ${JSON.stringify(answer.id)}, the request ` +
                JSON.stringify(message.id),
        );
    }
    checkResponse(answer, message ?? {}, modernVersion, problem);
}

function checkModernStream(exchange, request, problem) {
    const listening = request.method === "subscriptions/listen";
    if (exchange.responseHeaders["x-accel-buffering"] !== "no") {
        problem("the stream lacks the header X-Accel-Buffering: no", "should");
    }
    let responses = 0;
    let notices = 0;
    for (const event of exchange.events) {
        if ("id" in event) problem("an event has an id, which belongs to the legacy era");
        if ("retry" in event) problem("an event has a retry time, which belongs to the legacy era");
        if (event.data === undefined) continue;
        const message = parseJson(event.data);
        if (responses > 0) problem("a message follows the response on the stream");
        if (isResponse(message)) {
            responses++;
            checkModernAnswer(message, request, problem);
            if (listening) checkSubscriptionId(message.result, request, problem);
        } else if (isNotification(message)) {
            checkNotification(message, modernVersion, problem);
            if (listening) checkListened(message, request, notices === 0, problem);
            else checkRelated(message, request, problem);
            notices++;
        } else {
            problem(`a server may not send ${event.data.slice(0, 80)} on a modern stream`);
        }
    }
    if (responses === 0 && exchange.end === "server") {
        problem("the stream ended without a response");
    }
}

function checkSubscriptionId(holder, request, problem) {
    if (holder?._meta?.[subscriptionKey] !== request.id) {
        problem(
            `_meta["${subscriptionKey}"] is ${JSON.stringify(holder?._meta?.[subscriptionKey])}, ` +
                `not the listen request's id`,
        );
    }
}

// A notification on a subscriptions/listen stream, also used for stdio.
export function checkListened(message, request, first, problem) {
    checkSubscriptionId(message.params, request, problem);
    const acknowledged = message.method === "notifications/subscriptions/acknowledged";
    if (first !== acknowledged) {
        problem(
            first
                ? `${message.method} came before the acknowledgment`
                : "a second acknowledgment came",
        );
    }
    const wanted = request.params?.notifications ?? {};
    const allowed = {
        "notifications/subscriptions/acknowledged": true,
        "notifications/tools/list_changed": wanted.toolsListChanged,
        "notifications/prompts/list_changed": wanted.promptsListChanged,
        "notifications/resources/list_changed": wanted.resourcesListChanged,
        "notifications/resources/updated": wanted.resourceSubscriptions?.length > 0,
        // The server's own end.
        "notifications/cancelled": message.params?.requestId === request.id,
    };
    if (!allowed[message.method]) problem(`${message.method} was not subscribed to`);
}

// A notification on the stream of one request, also used for stdio.
export function checkRelated(message, request, problem) {
    const meta = request.params?._meta ?? {};
    if (message.params?._meta?.[subscriptionKey] !== undefined) {
        problem(`${message.method} has a subscription id outside a subscription`);
    }
    if (message.method === "notifications/progress") {
        if (!("progressToken" in meta) || message.params.progressToken !== meta.progressToken) {
            problem(
                `progress has the token ${JSON.stringify(message.params?.progressToken)}, the ` +
                    `request ${JSON.stringify(meta.progressToken)}`,
            );
        }
    } else if (message.method === "notifications/message") {
        const wanted = levels.indexOf(meta[`${metaPrefix}logLevel`]);
        if (wanted < 0) problem("a log message came though the request asked for none");
        if (levels.indexOf(message.params?.level) < wanted) {
            problem(`a log message is below the level that the request asked for`);
        }
    } else {
        problem(`${message.method} does not relate to ${request.method}`);
    }
}

// ---- legacy ----

function checkAccepted(exchange, problem) {
    if (exchange.status === 202) {
        if (exchange.responseBody) problem("a 202 answer has a body");
    } else if (exchange.status < 400) {
        problem(`a notification is answered with ${exchange.status}, not 202`);
    }
}

function sessionOf(exchange, sessions) {
    const id = exchange.requestHeaders["mcp-session-id"];
    return id === undefined ? undefined : sessions.get(id);
}

function checkLegacyPost(exchange, body, sessions, problem) {
    const known = sessionOf(exchange, sessions);
    const version = known?.version ?? "2025-03-26";
    const messages = Array.isArray(body) ? body : [body];
    const requests = messages.filter(isRequest);
    if (known?.ended && exchange.status !== 404) {
        problem(`the session was ended, but the answer is ${exchange.status}, not 404`);
        return;
    }
    if (Array.isArray(body) && rank(version) !== 1) {
        if (exchange.status < 400) problem(`a batch is accepted, but ${version} has none`);
        return;
    }
    noteCancelled(messages, known);
    if (requests.length === 0) {
        if (body !== undefined) checkAccepted(exchange, problem);
        return;
    }
    const session =
        body.method === "initialize" ? openSession(exchange, body, sessions, problem) : known;
    if (exchange.status === 404 && exchange.requestHeaders["mcp-session-id"]) return;
    if (exchange.status >= 400) {
        checkRefusal(exchange, problem);
        return;
    }
    if (exchange.status !== 200) problem(`requests are answered with ${exchange.status}, not 200`);
    const state = session ?? {
        version,
        capabilities: {},
        requests: new Map(),
        eventIds: new Set(),
    };
    for (const request of requests)
        state.requests.set(request.id, { request, exchange, answers: 0 });
    if (mediaType(exchange) === streamType) {
        checkLegacyStream(exchange, state, requests, problem);
    } else if (mediaType(exchange) === jsonType) {
        const answer = parseJson(exchange.responseBody);
        if (Array.isArray(answer) !== Array.isArray(body)) {
            problem("a batch and only a batch is answered with a batch");
        }
        for (const one of [answer].flat()) checkLegacyAnswer(one, state, requests, problem);
    } else {
        problem(`the answer's Content-Type is ${JSON.stringify(mediaType(exchange))}`);
    }
}

function openSession(exchange, request, sessions, problem) {
    const id = exchange.responseHeaders["mcp-session-id"];
    const answer =
        mediaType(exchange) === streamType
            ? exchange.events.map((event) => parseJson(event.data ?? "")).find(isResponse)
            : parseJson(exchange.responseBody);
    const version = answer?.result?.protocolVersion;
    if (answer?.result && rank(version) === 0) {
        problem(`initialize is answered with the version ${JSON.stringify(version)}`);
    }
    const asked = request.params?.protocolVersion;
    if (answer?.result && rank(asked) > 0 && !isModern(asked) && version !== asked) {
        problem(`initialize asked for ${asked}, which is served, and is answered with ${version}`);
    }
    if (id !== undefined && !/^[\x21-\x7e]+$/.test(id))
        problem("Mcp-Session-Id is not visible ASCII");
    if (id !== undefined && sessions.has(id)) problem("the session id was given before");
    const session = {
        version: version ?? "2025-03-26",
        requests: new Map(),
        eventIds: new Set(),
        capabilities: request.params?.capabilities ?? {},
    };
    if (id !== undefined) sessions.set(id, session);
    return session;
}

function noteCancelled(messages, session) {
    for (const message of messages) {
        if (message?.method !== "notifications/cancelled") continue;
        const entry = session?.requests.get(message.params?.requestId);
        if (entry) entry.cancelled = true;
    }
}

function checkRefusal(exchange, problem) {
    const answer = parseJson(exchange.responseBody);
    if (mediaType(exchange) === jsonType && answer?.jsonrpc) {
        checkEnvelope(answer, problem);
        if (!("error" in answer)) problem(`a ${exchange.status} answer holds no error`);
        if (answer.error?.code <= -32020 && answer.error?.code >= -32099) {
            problem(`error code ${answer.error.code} belongs to the modern era`);
        }
    }
}

function checkLegacyAnswer(answer, session, requests, problem) {
    if (!isResponse(answer)) {
        problem("the answer is not a JSON-RPC response");
        return;
    }
    const entry = session.requests.get(answer.id);
    if (!entry || (requests && !requests.some((request) => request.id === answer.id))) {
        problem(`the answer's id ${JSON.stringify(answer.id)} is that of no request here`);
        return;
    }
    entry.answers++;
    checkResponse(answer, entry.request, session.version, problem);
}

// `requests`: those of the POST that the stream answers; undefined for a GET stream that resumes one,
// null for one that does not and so may carry no responses.
function checkLegacyStream(exchange, session, requests, problem) {
    for (const event of exchange.events) {
        if (event.id && session.eventIds.has(event.id))
            problem(`the event id ${event.id} came before`);
        if (event.id) session.eventIds.add(event.id);
        if (event.data === undefined) continue;
        if (event.data === "") {
            if (rank(session.version) < 3)
                problem(`${session.version} knows no events without data`);
            continue;
        }
        const body = parseJson(event.data);
        if (Array.isArray(body) && rank(session.version) !== 1) {
            problem(`a batch is sent, but ${session.version} has none`);
        }
        for (const message of [body].flat()) {
            if (isResponse(message)) {
                if (requests === null)
                    problem("a response is sent on a GET stream that resumes nothing");
                checkLegacyAnswer(message, session, requests ?? undefined, problem);
            } else if (isNotification(message)) {
                checkNotification(message, session.version, problem);
                checkLegacyProgress(message, session, problem);
            } else if (isRequest(message)) {
                checkEnvelope(message, problem);
                checkAsking(
                    message,
                    session.capabilities,
                    session.version,
                    "server request",
                    problem,
                );
            } else {
                problem("an event holds no JSON-RPC message");
            }
        }
    }
}

function checkLegacyProgress(message, session, problem) {
    if (message.method !== "notifications/progress") return;
    const token = message.params?.progressToken;
    for (const { request } of session.requests.values()) {
        if (request.params?._meta?.progressToken === token) return;
    }
    problem(`progress has the token ${JSON.stringify(token)}, which no request gave`);
}

function checkLegacyVerb(exchange, sessions, problem, stats) {
    stats.legacy++;
    const session = sessionOf(exchange, sessions);
    if (exchange.method === "DELETE") {
        if (exchange.status < 300 && session) session.ended = true;
        if (session === undefined && exchange.status < 400) {
            problem("DELETE without a known session is accepted");
        }
        return;
    }
    if (exchange.method !== "GET" || exchange.status >= 400) return;
    if (exchange.path?.startsWith("/.well-known/")) return; // no message
    if (mediaType(exchange) !== streamType) {
        problem(`GET is answered with the Content-Type ${JSON.stringify(mediaType(exchange))}`);
    } else if (session === undefined) {
        problem("GET without a known session is answered with a stream");
    } else if (session.ended) {
        problem("GET opens a stream of a session that was ended");
    } else {
        const resumes = exchange.requestHeaders["last-event-id"] !== undefined;
        checkLegacyStream(exchange, session, resumes ? undefined : null, problem);
    }
}

// Every request has one answer, unless the client gave it up.
function checkAnswered(session, report) {
    for (const { request, exchange, answers, cancelled } of session.requests.values()) {
        const problem = (text) => report(exchange, text, "must");
        if (answers > 1) problem(`${request.method} is answered ${answers} times`);
        if (answers === 0 && !cancelled && !session.ended && exchange.end === "server") {
            problem(`${request.method} is never answered`);
        }
    }
}
