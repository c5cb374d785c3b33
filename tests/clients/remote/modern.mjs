// SPDX-License-Identifier: Apache-2.0
// An upstream of the newest era alone, made with the official server library: what no legacy server
// has (questions as results, header parameters, subscriptions/listen) and members that nobody knows.
//
//   modern.mjs http     prints its port on standard output
//   modern.mjs stdio
import http from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import {
    McpServer,
    ResourceTemplate,
    completable,
    createMcpHandler,
    fromJsonSchema,
    inputRequired,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const note = "shelf://note/all%20of%20it?x=1";
const view = "ui://shelf/view.html";
const text = (value) => ({ content: [{ type: "text", text: value }] });
const object = (properties = {}, required = []) => ({ type: "object", properties, required });
const string = { type: "string" };
// Numbers as no JavaScript server writes them by itself: what a double cannot hold must arrive too.
const odd = [JSON.rawJSON("12345678901234567890"), JSON.rawJSON("2.50"), JSON.rawJSON("1E+2")];
const unknown = { "x-shelf": { odd, "ünï": 'a "b" \\ / \u2028 \u0001 😀' } };
const meta = { _meta: { "example.com/shelf": { row: 3, odd } } };
const icons = [{ src: "data:image/png;base64,iVBORw0KGgo=", mimeType: "image/png", sizes: ["8x8"] }];
const form = (message, name) =>
    inputRequired.elicit({ message, requestedSchema: object({ [name]: string }, [name]) });

// What lasts from one request to the next: each HTTP request has a server of its own. The server of
// a stdio connection stays (`live`), with what has grown on it.
const state = { note: "first", grown: false, held: new Map(), live: undefined, growth: [] };
let notifier;

function flag(name) {
    if (!state.held.has(name)) state.held.set(name, Promise.withResolvers());
    return state.held.get(name);
}

function grow(on) {
    state.grown = on;
    if (notifier) {
        notifier.toolsChanged();
        notifier.promptsChanged();
        notifier.resourcesChanged();
        return;
    }
    for (const one of state.growth.splice(0)) one.remove();
    if (on) state.growth = sprout(state.live);
}

function sprout(server) {
    const bloom = { messages: [{ role: "user", content: { type: "text", text: "bloom" } }] };
    return [
        server.registerTool("sprout", {}, () => text("green")),
        server.registerPrompt("bloom", {}, () => bloom),
        server.registerResource("leaf", "shelf://leaf", {}, () => ({ contents: [] })),
    ];
}

// name -> [definition without its name, handler]
const tools = {
    measure: [
        {
            title: "Measure",
            description: "Measures a city. Überall.",
            inputSchema: object(
                {
                    city: { ...string, "x-mcp-header": "City", description: "Which one" },
                    floors: { type: "integer", "x-mcp-header": "Floors" },
                    where: object({ deep: { type: "boolean", "x-mcp-header": "Deep" } }),
                },
                ["city"],
            ),
            outputSchema: object({ height: { type: "number" }, of: string }, ["height"]),
            annotations: { title: "M", readOnlyHint: true, openWorldHint: false, "x-hint": 1 },
            icons,
            ...unknown,
            ...meta,
        },
        ({ city, floors = 1 }) => ({
            ...text(JSON.stringify({ height: floors * 3.5, of: city })),
            structuredContent: { height: floors * 3.5, of: city },
            ...unknown,
            ...meta,
        }),
    ],
    gallery: [
        { inputSchema: object(), description: "Every kind of content" },
        () => ({
            content: [
                { type: "text", text: "", annotations: { audience: ["user"], priority: 0.25 } },
                { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png", ...meta },
                { type: "audio", data: "UklGRg==", mimeType: "audio/wav" },
                { type: "resource", resource: { uri: note, mimeType: "text/plain", text: "n" } },
                { type: "resource", resource: { uri: view, blob: "PGI+", mimeType: "text/html" } },
                { type: "resource_link", uri: note, name: "note", size: 5, icons, ...unknown },
            ],
        }),
    ],
    fail: [
        { inputSchema: object(), outputSchema: object({ a: string }, ["a"]) },
        () => ({ ...text("the shelf fell"), isError: true, structuredContent: { why: [null, 0] } }),
    ],
    paint: [
        {
            inputSchema: object(),
            _meta: { ui: { resourceUri: view, visibility: ["model", "app"] }, "ui/resourceUri": view },
        },
        () => ({ ...text("painted"), _meta: { ui: { note: "kept" } } }),
    ],
    steps: [{ inputSchema: object({ count: { type: "integer" } }, ["count"]) }, steps],
    hold: [{ inputSchema: object({ tag: string }, ["tag"]) }, hold],
    was_cancelled: [
        { inputSchema: object({ tag: string }, ["tag"]) },
        async ({ tag }) => {
            await flag(tag).promise;
            return text("yes");
        },
    ],
    write_note: [
        { inputSchema: object({ text: string }, ["text"]) },
        ({ text: value }) => {
            state.note = value;
            if (notifier) notifier.resourceUpdated(note);
            else state.live.server.sendResourceUpdated({ uri: note });
            return text("written");
        },
    ],
    grow: [
        { inputSchema: object({ on: { type: "boolean" } }, ["on"]) },
        ({ on }) => {
            grow(on);
            return text("done");
        },
    ],
    ask_name: asks(form("What is your name?", "name"), ({ action, content }) =>
        action === "accept" ? `accept ${content.name}` : action,
    ),
    ask_page: asks(
        inputRequired.elicitUrl({ message: "Sign in", url: "https://example.com/sign-in?a=b&c" }),
        ({ action }) => action,
    ),
    ask_model: asks(
        inputRequired.createMessage({
            maxTokens: 50,
            temperature: 0.5,
            messages: [{ role: "user", content: { type: "text", text: "why?" } }],
        }),
        ({ content }) => content.text,
    ),
    ask_trip: [{ inputSchema: object() }, trip],
};

// A tool that asks one question and says what came.
function asks(question, done) {
    const handler = (_, { mcpReq }) =>
        mcpReq.inputResponses?.answer
            ? text(done(mcpReq.inputResponses.answer))
            : inputRequired({ inputRequests: { answer: question } });
    return [{ inputSchema: object() }, handler];
}

// Two questions, the second after the first; in between only the state knows of the first.
function trip(_, { mcpReq }) {
    const { from, to } = mcpReq.inputResponses ?? {};
    const start = mcpReq.requestState() ?? from?.content.value;
    if (start === undefined) return inputRequired({ inputRequests: { from: form("From?", "value") } });
    if (to) return text(`${start} to ${to.content.value}`);
    return inputRequired({ inputRequests: { to: form("To?", "value") }, requestState: start });
}

async function steps({ count }, { mcpReq }) {
    for (let step = 1; step <= count; step++) {
        const progressToken = mcpReq._meta?.progressToken;
        if (progressToken !== undefined) {
            await mcpReq.notify({
                method: "notifications/progress",
                params: { progressToken, progress: step, total: count, message: `step ${step}` },
            });
        }
        await mcpReq.log("info", { step, unknown }, "shelf");
    }
    return text(`${count} steps`);
}

async function hold({ tag }, { mcpReq }) {
    const progressToken = mcpReq._meta?.progressToken;
    await mcpReq.notify({
        method: "notifications/progress",
        params: { progressToken, progress: 1 },
    });
    await new Promise((resolve) => mcpReq.signal.addEventListener("abort", resolve));
    flag(tag).resolve();
    return text("cancelled");
}

function serve({ era }) {
    if (era !== "modern") throw new Error("this server speaks the newest era alone");
    const server = new McpServer(
        { name: "shelf", title: "Shelf", version: "1.0.0" },
        {
            instructions: "Handle with care.",
            capabilities: {
                tools: { listChanged: true },
                resources: { listChanged: true, subscribe: true },
                prompts: { listChanged: true },
                completions: {},
                logging: {},
            },
        },
    );
    state.live = server;
    for (const [name, [definition, handler]] of Object.entries(tools)) {
        const { inputSchema, outputSchema, ...config } = definition;
        config.inputSchema = fromJsonSchema(inputSchema);
        if (outputSchema) config.outputSchema = fromJsonSchema(outputSchema);
        server.registerTool(name, config, handler);
    }
    // Definitions with all of their members: the library would leave out those it does not know.
    server.server.setRequestHandler("tools/list", () => ({
        tools: Object.entries({
            ...tools,
            ...(state.grown && { sprout: [{ inputSchema: object() }] }),
        }).map(([name, [definition]]) => ({ name, ...definition })),
        ttlMs: 60_000,
    }));
    resources(server);
    prompts(server);
    if (state.grown) state.growth = sprout(server);
    return server;
}

function resources(server) {
    server.registerResource("note", note, { mimeType: "text/plain", icons, ...meta }, () => ({
        contents: [{ uri: note, mimeType: "text/plain", text: state.note, ...unknown, ...meta }],
        ttlMs: 5000,
        cacheScope: "public",
        ...meta,
    }));
    server.registerResource(
        "view",
        view,
        { mimeType: "text/html;profile=mcp-app", _meta: { ui: { prefersBorder: true } } },
        () => ({
            contents: [
                {
                    uri: view,
                    mimeType: "text/html;profile=mcp-app",
                    text: "<!doctype html><p>paint</p>",
                    _meta: { ui: { csp: { connectDomains: ["https://example.com"] } } },
                },
            ],
        }),
    );
    server.registerResource(
        "book",
        new ResourceTemplate("shelf://books/{author}/{title}", {
            list: undefined,
            complete: {
                author: (typed) => ["ada", "alan", "grace"].filter((one) => one.startsWith(typed)),
                title: (typed, { arguments: known } = {}) => [`${typed} by ${known?.author}`],
            },
        }),
        { description: "A book", annotations: { priority: 0.5 }, icons, ...meta },
        (uri, { author, title }) => ({
            contents: [{ uri: uri.href, mimeType: "text/plain", text: `${title} by ${author}` }],
        }),
    );
}

function prompts(server) {
    const greeting = {
        title: "Greeting",
        description: "Greets somebody",
        icons,
        ...meta,
        argsSchema: z.object({
            name: z.string().describe("Whom"),
            tone: completable(z.string().optional(), (typed = "") =>
                ["formal", "friendly", "terse"].filter((one) => one.startsWith(typed)),
            ),
        }),
    };
    server.registerPrompt("greet", greeting, ({ name, tone }) => ({
        description: "A greeting",
        messages: [
            { role: "user", content: { type: "text", text: `Greet ${name}, ${tone ?? "friendly"}` } },
            { role: "assistant", content: { type: "resource_link", uri: note, name: "note" } },
        ],
        ...unknown,
    }));
}

if (process.argv[2] === "stdio") {
    serveStdio(serve, { legacy: "reject" });
} else {
    const handler = createMcpHandler(serve, { legacy: "reject" });
    notifier = handler.notify;
    const server = http.createServer(toNodeHandler(handler));
    server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
    process.on("SIGTERM", () => process.exit(0));
}
