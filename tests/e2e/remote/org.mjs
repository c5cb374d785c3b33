// SPDX-License-Identifier: Apache-2.0
// A host with remote servers, and what its administrator and its clients see of them.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../../clients/report.mjs";
import { Workplace, built } from "../program.mjs";
import { Modern } from "../wire.mjs";

export const plugin = `${built.examples}/remote_mcp.so`;
const outbound = { allow_private_cidrs: ["127.0.0.0/8"] };

// mcpServers of upstreams, each with further members.
export const entries = (upstreams, more = {}) =>
    Object.fromEntries(upstreams.map(({ name, url }) => [name, { url, ...more }]));

// The names under which the host offers what these upstreams have.
export const namesOf = (upstreams) =>
    upstreams.flatMap(({ name, tools }) => tools.map((tool) => `${name}__${tool.name}`)).toSorted();

export class Site {
    constructor(mcpServers, { config = {}, plugins = [plugin], more = {} } = {}) {
        this.more = more;
        this.mcpServers = mcpServers;
        this.place = new Workplace({
            config: { outbound, ...config },
            orgs: { default: this.org() },
            plugins,
        });
    }

    org() {
        const { mcpServers, more } = this;
        return { capabilities: { "*": { enabled: true } }, mcpServers, ...more };
    }

    async start(options = {}) {
        this.host = await this.place.serve([], options);
        this.client = new Modern(this.host.url, options.headers);
        return this;
    }

    // The organisation's file says something else from now on.
    change(mcpServers) {
        this.mcpServers = mcpServers;
        this.place.writeOrg("default", this.org());
    }

    // Names of all tools of remote servers, whatever the pages.
    async tools() {
        return (await this.definitions()).map(({ name }) => name).toSorted();
    }

    async definitions() {
        const all = [];
        let cursor;
        do {
            const { result } = await this.client.modern("tools/list", {
                ...(cursor && { cursor }),
            });
            all.push(...result.tools);
            cursor = result.nextCursor;
        } while (cursor);
        return all.filter(({ name }) => !name.startsWith("remote_mcp__"));
    }

    // {result} of one call; `failed` is the structured body of a failure.
    async call(name, text = "x") {
        const { result, error } = await this.client.modern("tools/call", {
            name,
            arguments: { text },
        });
        const failed = error ?? (result.isError && result._meta?.["patchbay/error"]);
        return { text: result?.content?.[0]?.text, failed: failed || undefined };
    }

    async admin(name, args = {}) {
        const { result, error } = await this.client.modern("tools/call", {
            name: `remote_mcp__${name}`,
            arguments: args,
        });
        assert.ok(result, JSON.stringify(error));
        const { isError, structuredContent } = result;
        return isError ? { failed: structuredContent } : structuredContent;
    }

    // The states of all servers, by name.
    async servers() {
        const { servers } = await this.admin("list_servers");
        return Object.fromEntries(servers.map((server) => [server.name, server]));
    }

    // A server's state, once `matches` holds of it.
    state(name, matches) {
        return eventually(async () => {
            const server = (await this.servers())[name];
            return server && matches(server) ? server : undefined;
        }, `the awaited state of ${name}`);
    }

    // Once exactly the tools of these upstreams are listed.
    lists(upstreams) {
        const wanted = namesOf(upstreams).join();
        return eventually(async () => (await this.tools()).join() === wanted, "the wanted tools");
    }
}

// What `look` answers once it is something.
export function eventually(look, what) {
    let over = false;
    const looking = (async () => {
        while (!over) {
            const seen = await look();
            if (seen) return seen;
            await sleep(25);
        }
    })();
    return within(looking, what).finally(() => (over = true));
}

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

export async function timed(work) {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
}
