// SPDX-License-Identifier: Apache-2.0
// The checker's own tests, legacy era and stdio: captures that are right, and one change in each that
// is not and that it must name.
import {
    bad,
    cached,
    exchanges,
    good,
    handshake,
    inSession,
    lines,
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
