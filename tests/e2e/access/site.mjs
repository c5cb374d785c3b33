// SPDX-License-Identifier: Apache-2.0
// A host on which access matters: started with what organisations say of it, with credentials made
// by its own command line, and asked by clients that have them.
import assert from "node:assert/strict";
import { Workplace, built, run } from "../program.mjs";
import { Legacy, Modern } from "../wire.mjs";

export const PASSWORD = "correct horse battery staple";
export const text_tools = `${built.examples}/text_tools.so`;

export class Site {
    // options: those of Workplace. Without `anonymous` nobody gets in without a credential.
    constructor({ config = {}, anonymous = false, plugins, ...options } = {}) {
        const access = { anonymous: anonymous ? "loopback" : "never", ...config.access };
        this.place = new Workplace({
            config: { ...config, access },
            plugins: plugins ?? [built.desk, built.agent, text_tools],
            ...options,
        });
    }

    async start(args) {
        this.host = await this.place.serve(args);
        return this;
    }

    // A command on this host's folders. The answer: {code, out, err}.
    command(args, options) {
        const { config, orgs, data } = this.place;
        const where = ["--config", config, "--org-dir", orgs, "--data", data];
        return run([...args, ...where], options);
    }

    async done(args, options) {
        const ended = await this.command(args, options);
        assert.equal(ended.code, 0, `${args.join(" ")}: ${ended.err}`);
        return ended.out;
    }

    // {id, secret} of a new key.
    async key(scopes = ["mcp:read"], more = []) {
        const asked = scopes.flatMap((scope) => ["--scope", scope]);
        return JSON.parse(await this.done(["keys", "create", "k", "--json", ...asked, ...more]));
    }

    async person(login, role, more = []) {
        await this.done(["users", "add", login, "--role", role, ...more], { stdin: PASSWORD });
    }

    modern(headers = {}, url = this.host.url) {
        return new Modern(url, headers);
    }

    // A modern client with this key or token.
    with(secret, headers = {}) {
        return this.modern({ authorization: `Bearer ${secret}`, ...headers });
    }

    async legacy(secret) {
        const client = new Legacy(this.host.url, { authorization: `Bearer ${secret}` });
        await client.initialize("2025-11-25");
        client.headers["mcp-protocol-version"] = "2025-11-25";
        return client;
    }

    // {status, headers, text, body} of a plain request.
    async http(method, path, { secret, body, headers = {} } = {}) {
        const answer = await fetch(new URL(path, this.host.url), {
            method,
            redirect: "manual",
            headers: {
                ...(secret && { authorization: `Bearer ${secret}` }),
                ...(body !== undefined && { "content-type": "application/json" }),
                ...headers,
            },
            ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        const json = answer.headers.get("content-type")?.startsWith("application/json");
        return {
            status: answer.status,
            headers: answer.headers,
            text,
            body: json && text ? JSON.parse(text) : undefined,
        };
    }
}

// The parameters of a WWW-Authenticate header.
export function challenge(headers) {
    const value = headers.get("www-authenticate");
    assert.match(value ?? "", /^Bearer( |$)/);
    const pairs = [...value.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    return Object.fromEntries(pairs.map(([, name, text]) => [name, text]));
}

// Asks until the answer is true; it is the wait that ends a test that never gets there.
export async function eventually(ask, what) {
    for (const until = Date.now() + 60_000; !(await ask()); ) {
        if (Date.now() > until) throw new Error(`never: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
