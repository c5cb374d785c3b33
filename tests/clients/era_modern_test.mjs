// SPDX-License-Identifier: Apache-2.0
// The checker's own tests, modern era: captures that are right, and one change in each that is not and
// that it must name.
import {
    bad,
    cached,
    exchanges,
    good,
    handshake,
    meta,
    modernResult,
    notice,
    plain,
    report,
    result,
    serverMeta,
    stream,
    tool,
} from "./era_captures.mjs";

// ---- modern over HTTP ----
const list = (extra = {}, more) =>
    plain(
        "tools/list",
        { _meta: meta() },
        { result: { ...modernResult({ tools: [tool], ...cached }), ...extra } },
        more,
    );
await good("a modern list", exchanges(list()));
const discover = (extra) =>
    exchanges(
        plain(
            "server/discover",
            { _meta: meta() },
            {
                result: {
                    ...modernResult({ supportedVersions: [], capabilities: {}, ...cached }),
                    ...extra,
                },
            },
        ),
    );
await good("a modern discovery", discover({}));
await bad(
    "a handshake's version in a discovery",
    discover({ protocolVersion: "2025-11-25" }),
    /has "protocolVersion"/,
);
await bad(
    "a handshake's server info in a discovery",
    discover({ serverInfo: { name: "s", version: "1" } }),
    /has "serverInfo"/,
);
await bad("a missing resultType", exchanges(list({ resultType: undefined })), /lacks "resultType"/);
await bad("a missing ttlMs", exchanges(list({ ttlMs: undefined })), /lacks "ttlMs"/);
await bad("a negative ttlMs", exchanges(list({ ttlMs: -1 })), /ttlMs is -1/);
await bad("an unknown cacheScope", exchanges(list({ cacheScope: "all" })), /cacheScope is "all"/);
await bad("missing server info", exchanges(list({ _meta: {} })), /serverInfo/);
await bad(
    "execution in a modern tool",
    exchanges(list({ tools: [{ ...tool, execution: {} }] })),
    /has "execution"/,
);
await bad("a tool without a schema", exchanges(list({ tools: [{ name: "x" }] })), /inputSchema/);
await bad(
    "a session id in a modern answer",
    exchanges(
        list(
            {},
            { responseHeaders: { "content-type": "application/json", "mcp-session-id": "S" } },
        ),
    ),
    /Mcp-Session-Id/,
);
await bad(
    "a wrong content type",
    exchanges(list({}, { responseHeaders: { "content-type": "text/plain" } })),
    /Content-Type/,
);
await bad(
    "a wrong id",
    exchanges(
        list(
            {},
            { responseBody: JSON.stringify(result(modernResult({ tools: [], ...cached }), 8)) },
        ),
    ),
    /has the id 8/,
);
await bad("a result with status 400", exchanges(list({}, { status: 400 })), /status is 400/);
await bad(
    "ping in the modern era",
    exchanges(plain("ping", { _meta: meta() }, { result: modernResult({}) })),
    /no such method/,
);

const failed = (code, status, data, params = { _meta: meta() }) =>
    exchanges(plain("tools/call", params, { error: { code, message: "no", data } }, { status }));
await good("an unknown method", failed(-32601, 404));
await bad("an unknown method with 200", failed(-32601, 200), /status is 200/);
await good("a header mismatch", failed(-32020, 400));
await bad("a header mismatch with 200", failed(-32020, 200), /status is 200/);
await bad("a legacy code", failed(-32002, 400), /-32002 belongs to the legacy era/);
await bad("a reserved code", failed(-32050, 400), /reserved/);
await bad("a version error without data", failed(-32022, 400), /data.supported/);
await bad("a capability error without data", failed(-32021, 400), /requiredCapabilities/);
await bad(
    "missing metadata with 200",
    failed(-32602, 200, undefined, {
        _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" },
    }),
    /status is 200/,
);

const call = (messages, extraMeta) =>
    exchanges(stream("tools/call", { name: "add", _meta: meta(extraMeta) }, messages));
const done = result(modernResult({ content: [{ type: "text", text: "x" }] }));
const progress = notice("notifications/progress", { progressToken: 3, progress: 1 });
await good("a modern stream", call([progress, done], { progressToken: 3 }));
await bad("progress with another token", call([progress, done], { progressToken: 4 }), /token 3/);
await bad("progress after the response", call([done, progress], { progressToken: 3 }), /follows/);
await bad(
    "a log message unasked",
    call([notice("notifications/message", { level: "info", data: 1 }), done]),
    /asked for none/,
);
await bad("a stream without a response", call([]), /without a response/);
await bad(
    "a server request on a modern stream",
    call([
        {
            jsonrpc: "2.0",
            id: 1,
            method: "elicitation/create",
            params: { message: "x", requestedSchema: {} },
        },
        done,
    ]),
    /may not send/,
);
await bad(
    "an event id on a modern stream",
    call([{ id: "1", data: JSON.stringify(done) }]),
    /event has an id/,
);
await bad(
    "a retry time on a modern stream",
    call([{ retry: "5", data: JSON.stringify(done) }]),
    /retry time/,
);
await bad(
    "an unknown content type",
    call([result(modernResult({ content: [{ type: "film" }] }))]),
    /unknown content type/,
);

const asking = (value, capabilities = { elicitation: {} }) =>
    exchanges(
        plain(
            "tools/call",
            {
                name: "x",
                _meta: meta({ "io.modelcontextprotocol/clientCapabilities": capabilities }),
            },
            { result: { resultType: "input_required", _meta: serverMeta, ...value } },
        ),
    );
const form = {
    method: "elicitation/create",
    params: { mode: "form", message: "name?", requestedSchema: { type: "object" } },
};
await good("a request for input", asking({ inputRequests: { a: form }, requestState: "s" }));
await bad("a request for nothing", asking({}), /neither inputRequests nor requestState/);
await bad(
    "asking what was not declared",
    asking({ inputRequests: { a: form } }, {}),
    /did not declare it/,
);
const sampling = {
    method: "sampling/createMessage",
    params: { maxTokens: 9, messages: [] },
};
const page = {
    method: "elicitation/create",
    params: { mode: "url", message: "sign in", url: "https://example.com" },
};
for (const [what, { method, params }] of Object.entries({ form, page, sampling })) {
    const ask = (more) =>
        asking(
            { inputRequests: { a: { method, params: { ...params, ...more } } } },
            { elicitation: { form: {}, url: {} }, sampling: {} },
        );
    await good(`a modern ${what}`, ask({}));
    await bad(`_meta in a modern ${what}`, ask({ _meta: {} }), /has "_meta"/);
    await bad(`a task in a modern ${what}`, ask({ task: {} }), /has "task"/);
}
await bad("caching of a request for input", asking({ requestState: "s", ttlMs: 1 }), /has "ttlMs"/);
await bad(
    "asking in a list",
    exchanges(list({ resultType: "input_required", requestState: "s" })),
    /may not be answered with input_required/,
);

const listen = (...messages) =>
    exchanges(
        stream(
            "subscriptions/listen",
            { _meta: meta(), notifications: { toolsListChanged: true } },
            messages,
            { end: "client" },
        ),
    );
const sub = { _meta: { "io.modelcontextprotocol/subscriptionId": 7 } };
const ack = notice("notifications/subscriptions/acknowledged", { ...sub, notifications: {} });
const changed = notice("notifications/tools/list_changed", sub);
await good("a subscription", listen(ack, changed));
await bad("a notice before the acknowledgment", listen(changed, ack), /before the acknowledgment/);
await bad(
    "a notice without its subscription",
    listen(ack, notice("notifications/tools/list_changed")),
    /subscriptionId/,
);
await bad(
    "a notice that nobody wanted",
    listen(ack, notice("notifications/prompts/list_changed", sub)),
    /not subscribed/,
);
report.finish();
