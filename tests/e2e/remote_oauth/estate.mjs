// SPDX-License-Identifier: Apache-2.0
// A host whose remote servers want authorization, the person who signs in to them, and everything
// that must stay secret meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { signIn } from "../../clients/oauth/browser.mjs";
import { Site, eventually } from "../remote/org.mjs";
import { Modern } from "../wire.mjs";

// An entry of mcpServers.
export const oauth = ({ url }, auth = {}, more = {}) => ({
    url,
    auth: { type: "oauth", ...auth },
    ...more,
});

// The host has to know its own URL before it is started.
async function freePort() {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    server.close();
    await once(server, "close");
    return port;
}

export class Estate extends Site {
    // upstreams: with an authorization server, whose secrets are looked for in the end.
    static async open(upstreams, mcpServers, more = {}) {
        const port = await freePort();
        const origin = `http://127.0.0.1:${port}`;
        const config = { listen: { public_url: origin }, log: { level: "debug" } };
        const estate = new Estate(mcpServers, { config, more });
        Object.assign(estate, { upstreams, port, origin, log: "", said: [] });
        estate.listenIn();
        await estate.start();
        return estate;
    }

    async start() {
        this.host = await this.place.serve(["--listen", `127.0.0.1:${this.port}`]);
        this.client = new Modern(this.host.url);
    }

    async stop() {
        const end = await this.host.stop();
        this.log += this.host.err;
        return end;
    }

    async restart() {
        assert.deepEqual(await this.stop(), { code: 0, signal: null });
        await this.start();
    }

    // Whatever the host answers to this process is kept.
    listenIn() {
        const { fetch } = globalThis;
        globalThis.fetch = async (url, init) => {
            const answer = await fetch(url, init);
            const { origin, pathname } = new URL(url);
            const keep = (text) => this.said.push(`${pathname}: ${text}`);
            if (origin === this.origin) answer.clone().text().then(keep, () => {});
            return answer;
        };
    }

    // {status, body} of a request to the REST API.
    async api(method, name, body) {
        const answer = await fetch(`${this.origin}/api/mcp-servers${name}`, {
            method,
            ...(body && { body: JSON.stringify(body) }),
            headers: { "content-type": "application/json" },
        });
        const text = await answer.text();
        return { status: answer.status, body: text && JSON.parse(text) };
    }

    // A failed call's {code, category, message}; the text of one that succeeded.
    async outcome(tool, args) {
        const { text, failed } = await this.call(tool, args);
        return failed ?? text;
    }

    async link(name) {
        const { url, failed } = await this.admin("sign_in", { name });
        assert.ok(url, JSON.stringify(failed));
        return url;
    }

    callback(org = "default") {
        return `${this.origin}/oauth/callback/${org}`;
    }

    // The query with which the browser of who has followed `link` is sent back to the host.
    browse(link, options) {
        return signIn(link, this.callback(), options);
    }

    // The page on which the browser ends.
    async comeBack(query, callback = this.callback()) {
        const answer = await fetch(`${callback}?${query}`, { redirect: "manual" });
        return { status: answer.status, page: await answer.text() };
    }

    // All of it, by a link that is given or asked for.
    async signIn(name, link) {
        const back = await this.comeBack(await this.browse(link ?? (await this.link(name))));
        assert.equal(back.status, 200, back.page);
        return back;
    }

    needsSignIn(name) {
        return this.state(name, ({ status }) => status === "needs_sign_in");
    }

    // And what it has is listed, which is a moment later.
    async ready(name) {
        const state = await this.state(name, ({ status }) => status === "ready");
        const isOf = (tool) => tool.startsWith(`${name}__`);
        await eventually(async () => (await this.tools()).some(isOf), `the tools of ${name}`);
        return state;
    }

    // Once exactly these tools of remote servers are listed.
    lists(names) {
        const wanted = names.toSorted().join();
        return eventually(async () => (await this.tools()).join() === wanted, `tools: ${wanted}`);
    }

    // The texts of which a file below the data folder holds one.
    stored(texts) {
        const { data } = this.place;
        const files = fs.readdirSync(data, { recursive: true, withFileTypes: true });
        const all = files
            .filter((each) => each.isFile())
            .map((each) => fs.readFileSync(path.join(each.parentPath, each.name), "latin1"));
        assert.ok(all.length > 0);
        return texts.filter((text) => all.some((content) => content.includes(text)));
    }

    // What the host keeps for plugins: names alone.
    kept() {
        const file = path.join(this.place.data, "patchbay.db");
        const data = new DatabaseSync(file, { readOnly: true });
        const query = "SELECT CAST(key AS TEXT) AS name FROM value ORDER BY name";
        const rows = data.prepare(query).all();
        data.close();
        return rows.map(({ name }) => name);
    }

    // Everything secret that went between the host and the authorization servers.
    secrets() {
        const all = new Set();
        const add = (value) => typeof value === "string" && value.length > 8 && all.add(value);
        for (const { params, authorization, answer } of this.upstreams.flatMap((u) => u.requests)) {
            for (const name of ["code", "code_verifier", "refresh_token", "client_secret"])
                add(params[name]);
            add(params.client_assertion);
            add(authorization?.replace(/^\S+ /, ""));
            for (const name of ["access_token", "refresh_token", "id_token", "client_secret"])
                add(answer?.[name]);
            add(answer?.registration_access_token);
        }
        return [...all];
    }

    // The end of every script.
    async close(report) {
        await report.check("the host ends well", async () => {
            assert.deepEqual(await this.stop(), { code: 0, signal: null });
        });
        const secrets = this.secrets();
        const holding = (text) => secrets.filter((secret) => text.includes(secret));
        await report.check("no secret is in the log", () => {
            assert.ok(secrets.length > 3 && this.log.includes("remote."));
            for (const line of this.log.split("\n")) assert.deepEqual(holding(line), [], line);
            assert.ok(!this.log.includes("state="), "nor a link to sign in");
        });
        await report.check("nor in any answer of the host", () => {
            assert.ok(this.said.length > 10);
            for (const text of this.said) assert.deepEqual(holding(text), [], text);
        });
        await report.check("nor in the open in its data", () =>
            assert.deepEqual(this.stored(secrets), []),
        );
        for (const upstream of this.upstreams) upstream.stop();
        report.finish();
    }
}

// How often an authorization server has granted something.
export const granted = ({ requests }, path, grant) =>
    requests.filter(
        (each) => each.path === path && each.status < 400 && (!grant || each.grant === grant),
    ).length;

export const refreshes = (upstream) => granted(upstream, "/token", "refresh_token");
