// SPDX-License-Identifier: Apache-2.0
// A person at the sign-in and consent pages, without a browser: follows what leads on, fills in the
// forms as they are, and ends where the client waits. Cookies are kept from one visit to the next.
import assert from "node:assert/strict";

const STEPS = 10; // no way through the pages is longer
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };

const plain = (text) => text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity]);
const attribute = (tag, name) => plain(tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1] ?? "");

export class Person {
    // who: {login, password}
    constructor(who) {
        this.who = who;
        this.cookies = new Map();
    }

    // Goes where a client's link leads and allows what it asks for.
    async allow(link) {
        let step = { url: link };
        for (let count = 0; count < STEPS; ++count) {
            const response = await this.visit(step);
            const page = await response.text();
            const onward = response.headers.get("Location") ?? refresh(page);
            const atClient = new URL(step.url).origin !== new URL(link).origin;
            if (atClient && !onward) return;
            step = onward ? { url: new URL(onward, step.url).href } : this.fill(page, step.url);
        }
        throw new Error(`after ${STEPS} pages not back at the client`);
    }

    async visit({ url, form }) {
        const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
        // Another client may wait at the same port next: not at the end of this connection.
        const headers = { Cookie: cookie, Connection: "close" };
        if (form) headers.Origin = new URL(url).origin;
        const request = { method: form ? "POST" : "GET", body: form, headers, redirect: "manual" };
        const response = await fetch(url, request);
        for (const set of response.headers.getSetCookie()) {
            const [, name, value] = set.match(/^([^=]+)=([^;]*)/);
            this.cookies.set(name, value);
        }
        return response;
    }

    // The page's form with what stands in it already, and what the person adds.
    fill(page, url) {
        const form = page.match(/<form [^>]*method="post"[^>]*>/)?.[0];
        const heading = page.match(/<h1>(.*?)<\/h1>/s)?.[1];
        assert.ok(form && !page.includes('role="alert"'), `stays at "${heading}": ${page}`);
        const fields = new URLSearchParams();
        for (const [tag] of page.matchAll(/<input [^>]*>/g)) {
            const kind = attribute(tag, "type");
            const ticked = kind === "checkbox" && / checked\b/.test(tag);
            if (kind === "hidden" || ticked)
                fields.append(attribute(tag, "name"), attribute(tag, "value"));
        }
        if (page.includes('type="password"')) {
            for (const [name, value] of Object.entries(this.who)) fields.set(name, value);
        } else {
            fields.set("decision", "allow");
        }
        return { url: new URL(attribute(form, "action"), url).href, form: fields };
    }
}

function refresh(page) {
    const tag = page.match(/<meta http-equiv="refresh"[^>]*>/)?.[0];
    return tag && attribute(tag, "content").replace(/^\d+; url=/, "");
}
