// SPDX-License-Identifier: Apache-2.0
// When an answer through Patchbay is the same as a direct one. Compared is the text of the JSON with
// its members in their order, after only this:
//
// - names get the namespace, "ns__name", and URIs its prefix, "ns+scheme:..." or "ui://ns~...", where
//   the protocol has names and URIs: definitions, contents, embedded resources, links, prompts'
//   messages, and a tool's link to its user interface. The direct answer is given them here; texts
//   that happen to mention a URI stay.
// - the era's envelope is taken off both: `resultType`, the server's identity in `_meta` (and a
//   `_meta` that held nothing else), and how long a read result keeps. What the envelope must be is
//   checked by itself.
// - `execution` of a tool goes: it exists in the legacy eras alone.
import assert from "node:assert/strict";
import { plain, raw } from "./wire.mjs";

const identity = "io.modelcontextprotocol/serverInfo";

export function exposedUri(namespace, uri) {
    return uri.startsWith("ui://")
        ? `ui://${namespace}~${uri.slice(5)}`
        : `${namespace}+${uri}`;
}

function rewrite(object, member, how) {
    if (object?.[member] !== undefined) object[member] = raw(how(plain(object[member])));
}

// Gives a direct answer's result the names and URIs that it has under a namespace.
export function exposed(namespace, result) {
    const uri = (object, member = "uri") =>
        rewrite(object, member, (value) => exposedUri(namespace, value));
    const name = (object) => rewrite(object, "name", (value) => `${namespace}__${value}`);
    const block = (content) => {
        uri(content);
        uri(content?.resource);
    };
    const out = structuredCloneExact(result);
    for (const tool of out.tools ?? []) {
        name(tool);
        uri(tool._meta, "ui/resourceUri");
        uri(tool._meta?.ui, "resourceUri");
    }
    for (const prompt of out.prompts ?? []) name(prompt);
    for (const resource of [...(out.resources ?? []), ...(out.contents ?? [])]) uri(resource);
    for (const template of out.resourceTemplates ?? []) uri(template, "uriTemplate");
    for (const content of out.content ?? []) block(content);
    for (const { content } of out.messages ?? []) block(content);
    return out;
}

function structuredCloneExact(node) {
    if (Array.isArray(node)) return node.map(structuredCloneExact);
    if (node === null || typeof node !== "object" || JSON.isRawJSON(node)) return node;
    return Object.fromEntries(
        Object.entries(node).map(([key, value]) => [key, structuredCloneExact(value)]),
    );
}

function withoutEnvelope(result) {
    const { resultType, ttlMs, cacheScope, ...rest } = result;
    if (rest._meta === undefined) return rest;
    const { [identity]: server, ...meta } = rest._meta;
    rest._meta = meta; // in its place
    if (Object.keys(meta).length === 0) delete rest._meta;
    return rest;
}

// The envelope of a result that came through the host.
function checkEnvelope(result, era, direct, method) {
    if (era === "legacy") {
        for (const member of ["resultType", "ttlMs", "cacheScope"])
            assert.ok(!(member in result), `a legacy client got ${member}`);
        assert.ok(!(identity in (result._meta ?? {})), "a legacy client got the server's identity");
        return;
    }
    const { resultType, ttlMs, cacheScope, _meta } = plain(result);
    assert.equal(resultType, "complete");
    assert.equal(_meta?.[identity]?.name, "patchbay");
    if (method !== "resources/read") return;
    assert.equal(ttlMs, plain(direct).ttlMs ?? 0);
    assert.equal(cacheScope, plain(direct).cacheScope ?? "private");
}

// Both: {result} or {error} as exact trees. blur: text -> text without what differs every time.
export function same({ direct, via, namespace, era, method, blur = (text) => text }) {
    const text = (node) => blur(JSON.stringify(node));
    if (direct.error || via.error) return assert.equal(text(via), text(direct));
    checkEnvelope(via.result, era, direct.result, method);
    assert.equal(
        text(withoutEnvelope(via.result)),
        text(withoutEnvelope(exposed(namespace, direct.result))),
    );
}

// Definitions of one server in a list of all.
export function sameList({ direct, via, namespace, member, key, era }) {
    const expected = exposed(namespace, direct.result)[member].map((definition) => {
        const { execution, ...rest } = definition;
        return era === "modern" ? rest : definition;
    });
    const theirs = via.filter((definition) => {
        const value = plain(definition[key]);
        const prefix = value.startsWith("ui://") ? `ui://${namespace}~` : `${namespace}+`;
        return value.startsWith(key === "name" ? `${namespace}__` : prefix);
    });
    const order = (list) => list.map((definition) => plain(definition[key]));
    assert.deepEqual(order(theirs).toSorted(), order(expected).toSorted());
    for (const definition of expected) {
        const found = theirs.find((each) => plain(each[key]) === plain(definition[key]));
        assert.equal(JSON.stringify(found), JSON.stringify(definition));
    }
}
