// SPDX-License-Identifier: Apache-2.0
// A person who allows a client what it asks for, without a browser: forms are read and sent as they
// are. What browsers do with the pages is tested in tests/clients/sign_in.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { PASSWORD } from "./site.mjs";

const redirect_uri = "http://127.0.0.1:9/back";

const form = (fields) => ({
    method: "POST",
    body: new URLSearchParams(fields),
});

// What a browser would send of a person who ticks every level that is offered, and changes nothing
// else.
function fieldsOf(html) {
    const value = (tag, name) => tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1] ?? "";
    const fields = [];
    for (const [tag] of html.matchAll(/<input [^>]*>/g)) {
        const type = value(tag, "type");
        const name = value(tag, "name");
        const ticked = / checked/.test(tag) || (name === "level" && !/ disabled/.test(tag));
        if (type !== "hidden" && !(type === "checkbox" && ticked)) continue;
        fields.push([name, value(tag, "value").replaceAll("&amp;", "&")]);
    }
    return fields;
}

class Browser {
    constructor(origin) {
        this.origin = origin;
        this.cookies = new Map();
    }

    // Follows redirects that stay here; {at, html} of where it ends.
    async go(to, init = {}) {
        for (let url = new URL(to, this.origin); ; ) {
            const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
            const headers = { cookie, ...(init.method && { origin: this.origin }) };
            const answer = await fetch(url, { ...init, headers, redirect: "manual" });
            for (const line of answer.headers.getSetCookie()) {
                const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
                this.cookies.set(name, value);
            }
            const html = await answer.text();
            const refresh = html.match(/http-equiv="refresh" content="0; url=([^"]*)"/)?.[1];
            const next = answer.headers.get("location") ?? refresh?.replaceAll("&amp;", "&");
            if (!next) return { at: url, html, status: answer.status };
            url = new URL(next, url);
            if (url.origin !== this.origin) return { at: url, html, status: answer.status };
            init = {};
        }
    }
}

// Registers a client, which `login` allows those scopes: {access_token, refresh_token, client_id}.
// org: for somebody who is in several; look: sees the page that asks; choose: changes what is ticked
// there, as [name, value] pairs.
export async function allow(
    site,
    login,
    scope,
    { password = PASSWORD, org, look = () => {}, choose = (fields) => fields } = {},
) {
    const { origin } = new URL(site.host.url);
    const registered = await site.http("POST", "/oauth/register", {
        body: { client_name: "a client", redirect_uris: [redirect_uri] },
    });
    assert.equal(registered.status, 201, registered.text);
    const { client_id, client_secret } = registered.body;
    const verifier = randomBytes(32).toString("base64url");
    const asked = new URLSearchParams({
        response_type: "code",
        client_id,
        redirect_uri,
        scope,
        state: "s",
        resource: site.host.url,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
    });
    const browser = new Browser(origin);
    const door = await browser.go(`/oauth/authorize?${asked}`);
    const action = ({ html }) => html.match(/<form method="post" action="([^"]*)"/)[1];
    let consent = await browser.go(
        action(door),
        form([...fieldsOf(door.html), ["login", login], ["password", password]]),
    );
    assert.match(consent.html, /value="allow"/, consent.html.replace(/<style>[^]*?<\/style>/, ""));
    look(consent.html);
    const chosen = org ? [["org", org]] : [];
    const decide = (decision) =>
        browser.go(
            action(consent),
            form([...choose(fieldsOf(consent.html)), ...chosen, ["decision", decision]]),
        );
    if (org) consent = await decide("org");
    const { at } = await decide("allow");
    const code = at.searchParams.get("code");
    assert.ok(code, String(at));
    const answer = await fetch(new URL("/oauth/token", origin), {
        ...form({
            grant_type: "authorization_code",
            code,
            redirect_uri,
            client_id,
            ...(client_secret && { client_secret }),
            code_verifier: verifier,
            resource: site.host.url,
        }),
    });
    const tokens = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(tokens));
    return { ...tokens, client_id, client_secret };
}
