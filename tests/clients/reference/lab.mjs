// SPDX-License-Identifier: Apache-2.0
// What the reference server serves: the tools, resources and prompts of plugin/lab.cpp under the
// names that a host gives them.
import {
    McpServer,
    ProtocolError,
    ResourceTemplate,
    completable,
    inputRequired,
} from "@modelcontextprotocol/server";
import { z } from "zod";

const pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const note = "lab+memo://note";
const text = (value) => ({ content: [{ type: "text", text: value }] });
const startingWith = (values) => (typed) => values.filter((value) => value.startsWith(typed));
const form = (message, name) =>
    inputRequired.elicit({
        message,
        requestedSchema: {
            type: "object",
            properties: { [name]: { type: "string" } },
            required: [name],
        },
    });

export class Lab {
    constructor() {
        this.note = "first";
        this.sprout = false;
        this.servers = new Map(); // live server -> its era, subscriptions and sprout
        this.flags = new Map(); // name -> {seen: Promise, raise()}
    }

    flag(name) {
        if (!this.flags.has(name)) {
            const flag = {};
            flag.seen = new Promise((resolve) => (flag.raise = resolve));
            this.flags.set(name, flag);
        }
        return this.flags.get(name);
    }

    server(era) {
        const server = new McpServer(
            { name: "reference", version: "1.0.0" },
            {
                capabilities: {
                    tools: { listChanged: true },
                    resources: { listChanged: true, subscribe: true },
                    prompts: { listChanged: true },
                    completions: {},
                    logging: {},
                },
            },
        );
        const state = { era, uris: new Set() };
        if (era === "legacy" || !this.notifier) this.servers.set(server, state);
        if (era === "legacy") this.subscriptions(server, state);
        this.tools(server);
        this.asking(server);
        this.waiting(server);
        this.resources(server);
        this.prompts(server);
        if (this.sprout) this.plant(server, state);
        return server;
    }

    subscriptions(server, state) {
        server.server.setRequestHandler("resources/subscribe", ({ params }) => {
            state.uris.add(params.uri);
            return {};
        });
        server.server.setRequestHandler("resources/unsubscribe", ({ params }) => {
            state.uris.delete(params.uri);
            return {};
        });
    }

    plant(server, state) {
        state.sprout = server.registerTool("lab__sprout", {}, () => text("green"));
    }

    tools(server) {
        server.registerTool(
            "lab__sum",
            {
                title: "Sum",
                annotations: { readOnlyHint: true },
                inputSchema: z.object({ a: z.number(), b: z.number() }),
                outputSchema: z.object({ sum: z.number() }),
            },
            ({ a, b }) => ({
                ...text(JSON.stringify({ sum: a + b })),
                structuredContent: { sum: a + b },
            }),
        );
        server.registerTool("lab__gallery", {}, () => ({
            content: [
                { type: "text", text: "gallery" },
                { type: "image", data: pixel, mimeType: "image/png" },
                { type: "audio", data: "UklGRg==", mimeType: "audio/wav" },
                {
                    type: "resource",
                    resource: { uri: note, mimeType: "text/plain", text: this.note },
                },
                { type: "resource_link", uri: note, name: "note" },
            ],
        }));
        server.registerTool("lab__fail", {}, () => ({
            ...text("the lab is closed"),
            isError: true,
        }));
        server.registerTool(
            "lab__edit_note",
            { inputSchema: z.object({ text: z.string() }) },
            ({ text: value }) => {
                this.note = value;
                this.notifier?.resourceUpdated(note);
                for (const [live, state] of this.servers) {
                    // Over modern stdio the library itself knows who listens.
                    if (state.era === "modern" || state.uris.has(note))
                        live.server.sendResourceUpdated({ uri: note });
                }
                return text("done");
            },
        );
        server.registerTool("lab__toggle_sprout", {}, () => {
            this.sprout = !this.sprout;
            this.notifier?.toolsChanged();
            for (const [live, state] of this.servers) {
                if (this.sprout) this.plant(live, state);
                else state.sprout.remove();
            }
            return text("done");
        });
    }

    asking(server) {
        const ask = (name, inputSchema, requests, done) =>
            server.registerTool(name, { inputSchema }, (args, { mcpReq }) =>
                mcpReq.inputResponses?.answer
                    ? text(done(mcpReq.inputResponses.answer))
                    : inputRequired({ inputRequests: { answer: requests(args) } }),
            );
        ask(
            "lab__ask_name",
            z.object({}),
            () => form("What is your name?", "name"),
            ({ action, content }) => (action === "accept" ? `accept ${content.name}` : action),
        );
        ask(
            "lab__ask_page",
            z.object({}),
            () =>
                inputRequired.elicitUrl({ message: "Sign in", url: "https://example.com/sign-in" }),
            ({ action }) => action,
        );
        ask(
            "lab__ask_model",
            z.object({ question: z.string() }),
            ({ question }) =>
                inputRequired.createMessage({
                    maxTokens: 50,
                    messages: [{ role: "user", content: { type: "text", text: question } }],
                }),
            ({ content }) => content.text,
        );
        ask(
            "lab__ask_roots",
            z.object({}),
            () => inputRequired.listRoots(),
            ({ roots }) => roots.map(({ uri }) => uri).join(" "),
        );
        server.registerTool("lab__ask_trip", {}, ({ mcpReq }) => {
            const { from, to } = mcpReq.inputResponses ?? {};
            const start = mcpReq.requestState() ?? from?.content.value;
            if (start === undefined)
                return inputRequired({ inputRequests: { from: form("From?", "value") } });
            if (to) return text(`${start} to ${to.content.value}`);
            return inputRequired({
                inputRequests: { to: form("To?", "value") },
                requestState: start,
            });
        });
    }

    waiting(server) {
        const tag = z.object({ tag: z.string() });
        const begin = ({ _meta, notify }) =>
            _meta?.progressToken === undefined
                ? undefined
                : notify({
                      method: "notifications/progress",
                      params: { progressToken: _meta.progressToken, progress: 1, message: "begun" },
                  });
        server.registerTool(
            "lab__steps",
            { inputSchema: z.object({ count: z.number() }) },
            async ({ count }, { mcpReq }) => {
                for (let step = 1; step <= count; step++) {
                    if (mcpReq._meta?.progressToken !== undefined) {
                        await mcpReq.notify({
                            method: "notifications/progress",
                            params: {
                                progress: step,
                                progressToken: mcpReq._meta.progressToken,
                                total: count,
                                message: `step ${step}`,
                            },
                        });
                    }
                    await mcpReq.log("info", { step });
                }
                return text(`${count} steps`);
            },
        );
        server.registerTool(
            "lab__hold",
            { inputSchema: tag },
            async ({ tag: name }, { mcpReq }) => {
                await begin(mcpReq);
                await new Promise((resolve) => mcpReq.signal.addEventListener("abort", resolve));
                this.flag(name).raise();
                return text("cancelled");
            },
        );
        server.registerTool("lab__was_cancelled", { inputSchema: tag }, async ({ tag: name }) => {
            await this.flag(name).seen;
            return text("yes");
        });
        server.registerTool(
            "lab__gate",
            { inputSchema: tag },
            async ({ tag: name }, { mcpReq }) => {
                await begin(mcpReq);
                await this.flag(name).seen;
                return text(`through ${name}`);
            },
        );
        server.registerTool("lab__open", { inputSchema: tag }, ({ tag: name }) => {
            this.flag(name).raise();
            return text("open");
        });
        server.registerTool("lab__later", {}, async ({ http }) => {
            http?.closeSSE?.();
            await new Promise((resolve) => setTimeout(resolve, 50));
            return text("late");
        });
    }

    resources(server) {
        server.registerResource("note", note, { mimeType: "text/plain" }, () => ({
            contents: [{ uri: note, mimeType: "text/plain", text: this.note }],
        }));
        const picture = "lab+memo://pixel";
        server.registerResource("pixel", picture, { mimeType: "image/png" }, () => ({
            contents: [{ uri: picture, mimeType: "image/png", blob: pixel }],
        }));
        server.registerResource(
            "user",
            new ResourceTemplate("lab+memo://user/{name}", {
                list: undefined,
                complete: { name: startingWith(["ada", "alan", "grace"]) },
            }),
            {},
            (uri, { name }) => ({
                contents: [{ uri: uri.href, mimeType: "text/plain", text: `user ${name}` }],
            }),
        );
    }

    prompts(server) {
        server.registerPrompt(
            "lab__greet",
            {
                argsSchema: z.object({
                    name: z.string(),
                    tone: completable(
                        z.string(),
                        startingWith(["formal", "friendly", "terse"]),
                    ).optional(),
                }),
            },
            ({ name, tone }) => {
                if (name === undefined)
                    throw new ProtocolError(-32602, 'the argument "name" is missing');
                return {
                    messages: [
                        {
                            role: "user",
                            content: {
                                type: "text",
                                text: `Greet ${name} in a ${tone ?? "friendly"} tone`,
                            },
                        },
                    ],
                };
            },
        );
    }
}
