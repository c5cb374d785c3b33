// SPDX-License-Identifier: Apache-2.0
// A host with two organisations that have the same names everywhere, and a witness who looks at
// every byte that one of them gets.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Workplace, built, run } from "../program.mjs";
import { Legacy, Modern } from "../wire.mjs";
import { Upstream } from "../remote/upstream.mjs";

const everything = ["mcp:read", "mcp:write", "mcp:admin"];
const unlimited = { limits: { credential: false } };

// What stands for one organisation and may be seen by nobody else: marks, ids, secrets.
export class Witness {
    constructor() {
        this.secrets = new Set();
        this.said = new Set(); // those that were sent, to try them
        this.looked = 0;
    }

    keep(...texts) {
        for (const text of texts) {
            assert.ok(typeof text === "string" && text.length >= 8, `no secret: ${text}`);
            this.secrets.add(text);
        }
    }

    // `got` came back for `sent`; what was in there may be repeated. In a trail of one's own that
    // is also so for what was sent before.
    look(got, sent, trail = false) {
        this.looked++;
        for (const secret of this.secrets) {
            if (sent.includes(secret)) this.said.add(secret);
            const own = trail ? this.said.has(secret) : sent.includes(secret);
            assert.ok(own || !got.includes(secret), `found ${secret} in ${got}`);
        }
    }
}

// A client of either era as one that looks at everything it gets.
const watched = (Client) =>
    class extends Client {
        constructor(url, headers, witness) {
            super(url, headers);
            Object.assign(this.headers, headers);
            this.witness = witness;
        }

        async send(body, options = {}) {
            const got = await super.send(body, options);
            const told = JSON.stringify([[...got.headers], got.text, got.messages]);
            this.witness?.look(told, JSON.stringify([body, options.headers ?? {}, options.path]));
            return got;
        }
    };
const WatchedModern = watched(Modern);
const WatchedLegacy = watched(Legacy);

// One organisation with a credential of its own.
export class Side {
    constructor(name) {
        this.name = name;
        this.mark = `${name}-${randomUUID()}`;
        this.witness = null; // of what it gets, if somebody looks
        this.streams = [];
    }

    // The same for both, but for the mark.
    get config() {
        return {
            access: unlimited,
            capabilities: {
                vault: { config: { mark: this.mark } },
                desk: { config: { greeting: this.mark } },
                remote_mcp: {},
                ...this.more,
            },
        };
    }

    get headers() {
        return { authorization: `Bearer ${this.secret}` };
    }

    modern(headers = {}) {
        return new WatchedModern(this.url, { ...this.headers, ...headers }, this.witness);
    }

    legacySession() {
        return new WatchedLegacy(this.url, this.headers, this.witness);
    }

    async legacy(version = "2025-11-25", capabilities = {}) {
        const client = this.legacySession();
        await client.initialize(version, capabilities);
        client.headers["mcp-protocol-version"] = version;
        return client;
    }

    // {status, headers, text, body} of a request to any path.
    async http(method, path, body, headers = {}) {
        const answer = await fetch(new URL(path, this.url), {
            method,
            redirect: "manual",
            headers: {
                ...this.headers,
                ...(body !== undefined && { "content-type": "application/json" }),
                ...headers,
            },
            ...(body !== undefined && {
                body: typeof body === "string" ? body : JSON.stringify(body),
            }),
        });
        const text = await answer.text();
        const told = JSON.stringify([[...answer.headers], text]);
        const sent = JSON.stringify([path, body ?? "", headers]);
        this.witness?.look(told, sent, path.startsWith("/api/audit"));
        return { status: answer.status, headers: answer.headers, text, body: parsed(text) };
    }
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

export class TwoOrgs {
    constructor() {
        this.acme = new Side("acme");
        this.globex = new Side("globex");
        // Besides what both have.
        this.acme.more = { travel: { namespace: "only" } };
        this.sides = [this.acme, this.globex];
        this.place = new Workplace({
            config: { outbound: { allow_private_cidrs: ["127.0.0.0/8"] } },
            orgs: Object.fromEntries(this.sides.map((side) => [side.name, side.config])),
            plugins: [
                built.vault,
                built.desk,
                `${built.examples}/travel.so`,
                `${built.examples}/remote_mcp.so`,
            ],
        });
    }

    // A command of the program on this host's records: what it prints with --json.
    async command(...args) {
        const { config, orgs, data } = this.place;
        const at = ["--config", config, "--org-dir", orgs, "--data", data, "--json"];
        const { code, out, err } = await run([...args, ...at]);
        assert.equal(code, 0, err);
        return JSON.parse(out);
    }

    async makeKey(side, name, scopes = everything) {
        const each = scopes.flatMap((scope) => ["--scope", scope]);
        return this.command("keys", "create", name, "--org", side.name, ...each);
    }

    async start() {
        this.host = await this.place.serve();
        for (const side of this.sides) {
            side.url = this.host.url;
            side.key = await this.makeKey(side, "main");
            side.secret = side.key.secret;
            side.upstream = await new Upstream(side.mark, { tools: 2 }).start();
        }
        // From here on globex sees nothing of acme.
        const witness = new Witness();
        witness.keep(this.acme.mark, this.acme.secret, this.acme.key.id);
        witness.keep(new URL(this.acme.upstream.url).host);
        this.globex.witness = this.witness = witness;
        return this;
    }
}

// An id of the same shape that is nobody's.
export function madeUp(id) {
    const at = id.search(/[A-Za-z0-9][^A-Za-z0-9]*$/);
    const last = id[at];
    const other = last === "7" || last.toLowerCase() === "q" ? "5" : /\d/.test(last) ? "7" : "q";
    return id.slice(0, at) + other + id.slice(at + 1);
}

// What is there for another one answers exactly like what is nowhere. `probe` gets an id and
// answers {status, headers, text}.
export async function expectAbsent(what, id, probe) {
    const fake = madeUp(id);
    assert.notEqual(fake, id);
    const shape = async (each) => {
        const { status, headers, text, messages } = await probe(each);
        const told = JSON.stringify([
            status,
            headers.get("content-type"),
            headers.get("www-authenticate"),
            messages?.length ? messages.map((message) => ({ ...message, id: 0 })) : text,
        ]);
        // As it is, in JSON inside of JSON, and in a URL.
        return [each, JSON.stringify(each).slice(1, -1), encodeURIComponent(each)].reduce(
            (all, form) => all.replaceAll(form, "*"),
            told,
        );
    };
    const real = await shape(id);
    assert.equal(real, await shape(fake), `${what} can be told from what is nowhere`);
    return JSON.parse(real)[0];
}
