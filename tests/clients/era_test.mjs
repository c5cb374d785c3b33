// SPDX-License-Identifier: Apache-2.0
// The checker's own tests: hand-made captures that are right, and one change in each that is not and
// that it must name.
import assert from "node:assert/strict";
import { checkEras } from "./era.mjs";
import { Report } from "./report.mjs";

const report = new Report("era checker");
const meta = (more = {}) => ({
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "c", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
    ...more,
});
const serverMeta = { "io.modelcontextprotocol/serverInfo": { name: "s", version: "1" } };

// An HTTP exchange with an answer in one piece.
function plain(method, params, answer, more = {}) {
    return {
        n: 1,
        method: "POST",
        path: "/mcp",
        requestHeaders: {},
        status: 200,
        events: [],
        requestBody: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }),
        responseHeaders: { "content-type": "application/json" },
        end: "server",
        responseBody: JSON.stringify({ jsonrpc: "2.0", id: 7, ...answer }),
        ...more,
    };
}
function stream(method, params, messages, more = {}) {
    return {
        ...plain(method, params, {}),
        responseBody: "",
        responseHeaders: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
        events: messages.map((m) => (m.data === undefined ? { data: JSON.stringify(m) } : m)),
        ...more,
    };
}
const result = (value, id = 7) => ({ jsonrpc: "2.0", id, result: value });
const notice = (method, params) => ({ jsonrpc: "2.0", method, params });
const modernResult = (value) => ({ resultType: "complete", _meta: serverMeta, ...value });
const cached = { ttlMs: 1000, cacheScope: "public" };
const tool = { name: "add", inputSchema: { type: "object" } };

const handshake = (version) => [
    plain(
        "initialize",
        { protocolVersion: version, capabilities: { roots: {} }, clientInfo: {} },
        {
            result: {
                protocolVersion: version,
                capabilities: { tools: {} },
                serverInfo: { name: "s", version: "1" },
            },
        },
        { responseHeaders: { "content-type": "application/json", "mcp-session-id": "S" } },
    ),
    {
        ...plain("", {}, {}),
        n: 2,
        status: 202,
        responseHeaders: {},
        responseBody: "",
        requestHeaders: { "mcp-session-id": "S" },
        requestBody: JSON.stringify(notice("notifications/initialized", {})),
    },
];
const inSession = (exchange, version = "2025-11-25") => [
    ...handshake(version),
    {
        ...exchange,
        n: 3,
        requestHeaders: { "mcp-session-id": "S" },
        requestBody: exchange.requestBody.replace('"id":7', '"id":8'),
        responseBody: exchange.responseBody.replace('"id":7', '"id":8'),
    },
];

const lines = (...list) => ({
    connections: [
        {
            id: 1,
            killed: false,
            lines: list.map((l, i) => ({
                n: i + 1,
                from: l[0],
                message: l[1],
                text: JSON.stringify(l[1]),
            })),
        },
    ],
});
const exchanges = (...list) => ({ exchanges: list.flat() });

async function good(name, capture) {
    await report.check(`accepts ${name}`, () => {
        const { problems, stats } = checkEras(capture);
        assert.deepEqual(problems, []);
        assert.ok(stats.modern + stats.legacy > 0);
    });
}
async function bad(name, capture, words) {
    await report.check(`finds ${name}`, () => {
        const { problems } = checkEras(capture);
        assert.ok(
            problems.some(({ text }) => words.test(text)),
            `reported ${JSON.stringify(problems.map((p) => p.text))}`,
        );
    });
}

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

// ---- legacy over HTTP ----
const legacyList = (extra, version) =>
    exchanges(inSession(plain("tools/list", {}, { result: { tools: [tool], ...extra } }), version));
await good("a legacy list", legacyList({}));
for (const [member, value] of Object.entries({
    resultType: "complete",
    ttlMs: 1,
    cacheScope: "public",
    inputRequests: {},
    requestState: "s",
})) {
    await bad(`${member} in a legacy result`, legacyList({ [member]: value }), new RegExp(member));
}
await bad("server info in a legacy _meta", legacyList({ _meta: serverMeta }), /serverInfo/);
await bad(
    "a nested modern _meta",
    legacyList({ tools: [{ ...tool, _meta: serverMeta }] }),
    /serverInfo/,
);
await good("icons in 2025-11-25", legacyList({ tools: [{ ...tool, icons: [{ src: "x" }] }] }));
await bad(
    "icons in 2025-06-18",
    legacyList({ tools: [{ ...tool, icons: [] }] }, "2025-06-18"),
    /icons/,
);
await good("a title in 2025-06-18", legacyList({ tools: [{ ...tool, title: "T" }] }, "2025-06-18"));
for (const member of ["title", "outputSchema", "_meta"]) {
    await bad(
        `${member} in 2025-03-26`,
        legacyList({ tools: [{ ...tool, [member]: {} }] }, "2025-03-26"),
        new RegExp(member),
    );
}
const legacyCall = (content, version) =>
    exchanges(inSession(plain("tools/call", { name: "x" }, { result: content }), version));
await bad(
    "structured content in 2025-03-26",
    legacyCall({ content: [], structuredContent: {} }, "2025-03-26"),
    /structuredContent/,
);
await bad(
    "a resource link in 2025-03-26",
    legacyCall({ content: [{ type: "resource_link", uri: "a:b", name: "n" }] }, "2025-03-26"),
    /resource_link/,
);
await bad(
    "a modern code in a legacy answer",
    exchanges(
        inSession(
            plain(
                "tools/call",
                { name: "x" },
                { error: { code: -32021, message: "no", data: {} } },
            ),
        ),
    ),
    /modern era/,
);
await bad(
    "extensions in a legacy handshake",
    exchanges(
        plain(
            "initialize",
            { protocolVersion: "2025-11-25", capabilities: {} },
            {
                result: {
                    protocolVersion: "2025-11-25",
                    capabilities: { extensions: {} },
                    serverInfo: { name: "s", version: "1" },
                },
            },
        ),
    ),
    /extensions/,
);
await bad(
    "a handshake without server info",
    exchanges(
        plain(
            "initialize",
            { protocolVersion: "2025-11-25" },
            { result: { protocolVersion: "2025-11-25", capabilities: {} } },
        ),
    ),
    /serverInfo/,
);
await bad(
    "a handshake to 2026-07-28",
    exchanges(
        plain(
            "initialize",
            { protocolVersion: "2025-11-25" },
            {
                result: {
                    protocolVersion: "2026-07-28",
                    capabilities: {},
                    serverInfo: { name: "s", version: "1" },
                },
            },
        ),
    ),
    /2026-07-28/,
);
await bad(
    "another version than was asked for",
    exchanges(
        plain(
            "initialize",
            { protocolVersion: "2025-06-18" },
            {
                result: {
                    protocolVersion: "2025-11-25",
                    capabilities: {},
                    serverInfo: { name: "s", version: "1" },
                },
            },
        ),
    ),
    /asked for 2025-06-18/,
);
const [open, initialized] = handshake("2025-11-25");
await bad(
    "a notification answered with 200",
    exchanges(open, { ...initialized, status: 200 }),
    /202/,
);
await bad("a 202 with a body", exchanges(open, { ...initialized, responseBody: "{}" }), /body/);
const asks = (method, params, version) =>
    exchanges(
        inSession(
            stream("tools/call", { name: "x" }, [
                { jsonrpc: "2.0", id: 1, method, params },
                result({ content: [] }, 8),
            ]),
            version,
        ),
    );
await good("a legacy server request", asks("roots/list", {}));
await bad("sampling that was not declared", asks("sampling/createMessage", {}), /did not declare/);
await bad(
    "elicitation in 2025-03-26",
    asks("elicitation/create", {}, "2025-03-26"),
    /has no elicitation/,
);
await bad(
    "a request that was never answered",
    exchanges(inSession(stream("tools/call", { name: "x" }, []))),
    /never answered/,
);
await bad(
    "two answers",
    exchanges(
        inSession(
            stream("tools/call", { name: "x" }, [
                result({ content: [] }, 8),
                result({ content: [] }, 8),
            ]),
        ),
    ),
    /answered 2 times/,
);
await bad(
    "an event without data in 2025-06-18",
    exchanges(
        inSession(
            stream("tools/call", { name: "x" }, [
                { id: "1", data: "" },
                result({ content: [] }, 8),
            ]),
            "2025-06-18",
        ),
    ),
    /without data/,
);
const got = (more) => ({
    ...initialized,
    n: 3,
    method: "GET",
    requestBody: "",
    status: 200,
    responseHeaders: { "content-type": "text/event-stream" },
    events: [],
    end: "client",
    ...more,
});
await good(
    "a GET stream",
    exchanges(
        open,
        initialized,
        got({
            events: [{ id: "1", data: JSON.stringify(notice("notifications/tools/list_changed")) }],
        }),
    ),
);
await bad(
    "a response on a GET stream",
    exchanges(open, initialized, got({ events: [{ data: JSON.stringify(result({}, 7)) }] })),
    /resumes nothing/,
);
await bad(
    "an event id used twice",
    exchanges(
        open,
        initialized,
        got({
            events: [
                { id: "1", data: "" },
                { id: "1", data: "" },
            ],
        }),
    ),
    /came before/,
);
const deleted = { ...initialized, n: 3, method: "DELETE", requestBody: "", status: 200 };
await bad(
    "a session that outlives DELETE",
    exchanges(open, initialized, deleted, {
        ...inSession(plain("tools/list", {}, { result: { tools: [] } }))[2],
        n: 4,
    }),
    /not 404/,
);

// ---- stdio ----
const ask = (id, method, params) => ({ jsonrpc: "2.0", id, method, params });
const hello = [
    ["client", ask(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {} })],
    [
        "server",
        result(
            {
                protocolVersion: "2025-11-25",
                capabilities: {},
                serverInfo: { name: "s", version: "1" },
            },
            1,
        ),
    ],
];
await good(
    "legacy lines",
    lines(
        ...hello,
        ["client", ask(2, "tools/list", {})],
        ["server", result({ tools: [tool] }, 2)],
        ["server", notice("notifications/tools/list_changed")],
    ),
);
await bad(
    "a modern member on a legacy line",
    lines(
        ...hello,
        ["client", ask(2, "tools/list", {})],
        ["server", result({ tools: [], ttlMs: 1 }, 2)],
    ),
    /ttlMs/,
);
await good(
    "modern lines",
    lines(
        ["client", ask(1, "tools/list", { _meta: meta() })],
        ["server", result(modernResult({ tools: [tool], ...cached }), 1)],
    ),
);
await bad(
    "a list notice without a subscription",
    lines(
        ["client", ask(1, "tools/list", { _meta: meta() })],
        ["server", result(modernResult({ tools: [], ...cached }), 1)],
        ["server", notice("notifications/tools/list_changed")],
    ),
    /no subscription/,
);
await bad(
    "a modern server request",
    lines(
        ["client", ask(1, "tools/call", { _meta: meta() })],
        ["server", ask(1, "roots/list", {})],
    ),
    /without a legacy session/,
);
await bad(
    "a line that is no JSON",
    { connections: [{ id: 1, killed: false, lines: [{ n: 1, from: "server", text: "hello" }] }] },
    /not JSON/,
);
await bad(
    "an unanswered line",
    lines(["client", ask(1, "tools/list", { _meta: meta() })]),
    /never answered/,
);
await bad("an answer to nothing", lines(["server", result({}, 9)]), /that of no request/);
report.finish();
