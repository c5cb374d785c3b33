// SPDX-License-Identifier: Apache-2.0
// What one message from a server may hold, by protocol version: the rules that do not depend on the
// transport. Each function reports through problem(text, level = 'must').
import {
    askingMethods,
    checkResultShape,
    checkShape,
    legacyOnlyResultMembers,
    methodVersions,
    modernOnlyResultMembers,
    modernVersion,
    notificationShapes,
    rank,
} from "./vocabulary.mjs";

export const metaPrefix = "io.modelcontextprotocol/";
export const levels = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

export const isModern = (version) => rank(version) >= rank(modernVersion);
export const isRequest = (message) => typeof message?.method === "string" && "id" in message;
export const isNotification = (message) =>
    typeof message?.method === "string" && !("id" in message);
export const isResponse = (message) =>
    Boolean(message) && !("method" in message) && ("result" in message || "error" in message);

// The protocol version that a request names in its _meta; undefined in the legacy era.
export const modernVersionOf = (message) =>
    message?.params?._meta?.[`${metaPrefix}protocolVersion`];

const modernCodes = {
    "-32020": "HeaderMismatch",
    "-32021": "MissingRequiredClientCapability",
    "-32022": "UnsupportedProtocolVersion",
};

export function checkEnvelope(message, problem) {
    if (message?.jsonrpc !== "2.0") problem('the message lacks "jsonrpc": "2.0"');
    if (isRequest(message) && typeof message.id !== "string" && !Number.isInteger(message.id)) {
        problem("the request id is neither a string nor an integer");
    }
    if (!isRequest(message) && !isNotification(message) && !isResponse(message)) {
        problem("the message is neither request, notification nor response");
    }
    if ("result" in message && "error" in message)
        problem("the response has both result and error");
}

// A response to `request` in `version`.
export function checkResponse(message, request, version, problem) {
    checkEnvelope(message, problem);
    if ("error" in message) {
        checkError(message.error, request, version, problem);
    } else {
        checkResult(message.result, request, version, problem);
    }
}

export function checkError(error, request, version, problem) {
    if (!Number.isInteger(error?.code)) problem("error.code is not an integer");
    if (typeof error?.message !== "string" || error.message === "") {
        problem("error.message is not a text");
    }
    const code = error?.code;
    if (!isModern(version)) {
        if (code <= -32020 && code >= -32099) {
            problem(`error code ${code} belongs to the modern era and answers ${version}`);
        }
        return;
    }
    if (code === -32002 || code === -32042) {
        problem(`error code ${code} belongs to the legacy era and answers ${version}`);
    }
    if (code <= -32020 && code >= -32099 && !(code in modernCodes)) {
        problem(`error code ${code} lies in the range reserved for the specification`);
    }
    if (code === -32021 && typeof error.data?.requiredCapabilities !== "object") {
        problem("error -32021 lacks data.requiredCapabilities");
    }
    if (code === -32022) {
        if (!Array.isArray(error.data?.supported)) problem("error -32022 lacks data.supported");
        const requested = modernVersionOf(request);
        if (error.data?.requested !== requested) {
            problem(
                `error -32022 has data.requested ${JSON.stringify(error.data?.requested)} where the ` +
                    `request named ${JSON.stringify(requested)}`,
            );
        }
    }
}

export function checkResult(result, request, version, problem) {
    const method = request.method;
    if (typeof result !== "object" || result === null || Array.isArray(result)) {
        problem("result is not an object");
        return;
    }
    const span = methodVersions[method];
    if (span && (rank(version) < span[0] || rank(version) > span[1])) {
        problem(`${method} is answered with a result, but ${version} has no such method`);
    }
    if (isModern(version)) {
        checkModernResult(result, request, problem);
    } else {
        checkLegacyResult(result, method, version, problem);
    }
}

function checkLegacyResult(result, method, version, problem) {
    for (const member of modernOnlyResultMembers) {
        if (member in result) problem(`result has "${member}", which ${version} does not know`);
    }
    checkMeta(result, version, "result", problem);
    const shown = problemsOnce(problem);
    checkResultShape(method, result, version, shown);
    if (method === "initialize" && isModern(result.protocolVersion)) {
        problem(`initialize is answered with ${result.protocolVersion}, which has no handshake`);
    }
}

function checkModernResult(result, request, problem) {
    const method = request.method;
    const type = result.resultType;
    if (!(`${metaPrefix}serverInfo` in (result._meta ?? {}))) {
        problem(`result._meta lacks "${metaPrefix}serverInfo"`, "should");
    }
    for (const member of legacyOnlyResultMembers) {
        if (member in result) problem(`result has "${member}", which belongs to the legacy era`);
    }
    if (type === "input_required") {
        checkInputRequired(result, request, problem);
        return;
    }
    checkResultShape(method, result, modernVersion, problem);
    if ("inputRequests" in result || "requestState" in result) {
        problem("a complete result has inputRequests or requestState");
    }
    if ("ttlMs" in result && !(Number.isInteger(result.ttlMs) && result.ttlMs >= 0)) {
        problem(`ttlMs is ${JSON.stringify(result.ttlMs)}, not an integer of 0 or more`);
    }
    if ("cacheScope" in result && !["public", "private"].includes(result.cacheScope)) {
        problem(
            `cacheScope is ${JSON.stringify(result.cacheScope)}, neither "public" nor "private"`,
        );
    }
    if (type !== undefined && type !== "complete") {
        problem(`resultType is ${JSON.stringify(type)}, which the core protocol does not define`);
    }
}

function checkInputRequired(result, request, problem) {
    if (!askingMethods.includes(request.method)) {
        problem(`${request.method} may not be answered with input_required`);
    }
    if (!("inputRequests" in result) && !("requestState" in result)) {
        problem("an input_required result has neither inputRequests nor requestState");
    }
    for (const member of ["ttlMs", "cacheScope"]) {
        if (member in result) problem(`an input_required result has "${member}"`);
    }
    if ("requestState" in result && typeof result.requestState !== "string") {
        problem("requestState is not a text");
    }
    const capabilities = request.params?._meta?.[`${metaPrefix}clientCapabilities`] ?? {};
    for (const [key, wanted] of Object.entries(result.inputRequests ?? {})) {
        checkAsking(wanted, capabilities, modernVersion, `inputRequests.${key}`, problem);
        if ("id" in wanted || "jsonrpc" in wanted) problem(`inputRequests.${key} has an envelope`);
    }
}

// What a server asks of a client: as a request of its own (legacy) or inside inputRequests (modern).
export function checkAsking(request, capabilities, version, at, problem) {
    const params = request?.params ?? {};
    switch (request?.method) {
        case "ping":
            if (isModern(version)) problem(`${at}: ${version} has no ping`);
            return;
        case "roots/list":
            if (!capabilities.roots)
                problem(`${at}: roots/list, but the client did not declare roots`);
            return;
        case "sampling/createMessage":
            if (!capabilities.sampling) {
                problem(`${at}: sampling/createMessage, but the client did not declare sampling`);
            }
            checkShape("CreateMessage", params, version, `${at}.params`, problem);
            return;
        case "elicitation/create":
            checkElicitation(params, capabilities, version, at, problem);
            return;
        default:
            problem(`${at}: a server may not ask a client for ${JSON.stringify(request?.method)}`);
    }
}

function checkElicitation(params, capabilities, version, at, problem) {
    const declared = capabilities.elicitation;
    if (rank(version) < 2) problem(`${at}: ${version} has no elicitation`);
    if (!declared) problem(`${at}: elicitation, but the client did not declare it`);
    const url = params.mode === "url";
    if (url && declared && !declared.url)
        problem(`${at}: the client did not declare elicitation.url`);
    if (!url && declared?.url && !declared.form) {
        problem(`${at}: the client did not declare elicitation.form`);
    }
    if (url && rank(version) === 3 && !params.elicitationId) {
        problem(`${at}: ${version} requires elicitationId in url mode`);
    }
    checkShape(url ? "ElicitUrl" : "ElicitForm", params, version, `${at}.params`, problem);
}

// A notification from the server; `request` is the one whose stream carries it, if it has one.
export function checkNotification(message, version, problem) {
    checkEnvelope(message, problem);
    const shape = notificationShapes[message.method];
    const legacyOnly = [
        "notifications/elicitation/complete",
        "notifications/tasks/status",
        "notifications/cancelled",
    ];
    if (!shape && !legacyOnly.includes(message.method)) {
        problem(`a server may not send ${JSON.stringify(message.method)}`);
    }
    if (message.method === "notifications/subscriptions/acknowledged" && !isModern(version)) {
        problem(`${message.method} answers ${version}`);
    }
    if (legacyOnly.slice(0, 2).includes(message.method) && rank(version) !== 3) {
        problem(`${message.method} belongs to 2025-11-25 alone and answers ${version}`);
    }
    if (shape) checkShape(shape, message.params ?? {}, version, "params", problem);
    if (!isModern(version)) checkMeta(message.params ?? {}, version, "params", problem);
    if (message.method === "notifications/message" && !levels.includes(message.params?.level)) {
        problem(`the log level ${JSON.stringify(message.params?.level)} is unknown`);
    }
}

// No _meta of a legacy answer may hold keys that the specification reserved later. Tool data is not
// looked into: it is the tool's own.
function checkMeta(value, version, at, problem) {
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
        if (["structuredContent", "inputSchema", "outputSchema", "data"].includes(name)) continue;
        if (name === "_meta" && typeof inner === "object" && inner !== null) {
            for (const key of Object.keys(inner)) {
                const task = key === `${metaPrefix}related-task` && version === "2025-11-25";
                if (key.startsWith(metaPrefix) && !task) {
                    problem(`${at}._meta has "${key}", which ${version} does not know`);
                }
            }
        }
        checkMeta(inner, version, `${at}.${name}`, problem);
    }
}

function problemsOnce(problem) {
    const seen = new Set();
    return (text, level) => {
        // The common modern members were reported by name already.
        if (modernOnlyResultMembers.some((m) => text.startsWith(`result has "${m}"`))) return;
        if (!seen.has(text)) problem(text, level);
        seen.add(text);
    };
}
