// SPDX-License-Identifier: Apache-2.0
// What a caller gets of a capability whose data has sources and types of objects: no more than its
// scopes leave.
import assert from "node:assert/strict";
import { Report } from "../clients/report.mjs";
import { Workplace, built, run } from "./program.mjs";
import { Modern } from "./wire.mjs";

const report = new Report("narrowing");
const REFUSAL = "Not permitted by current access scope";

const place = new Workplace({
    config: { access: { anonymous: "never" } },
    plugins: [built.archive],
});

async function keyFor(...scopes) {
    const wanted = scopes.flatMap((scope) => ["--scope", scope]);
    const made = await run(["keys", "create", "test", "--json", ...wanted, ...place.stored]);
    assert.equal(made.code, 0, made.err);
    return JSON.parse(made.out).secret;
}

const whole = await keyFor("mcp:read");
const narrow = await keyFor("mcp:read", "source:crm", "object:contact", "object:page");
const host = await place.serve();
const as = (token) => new Modern(host.url, { authorization: `Bearer ${token}` });

await report.check("a key that names none reads everything", async () => {
    assert.equal(await as(whole).tool("archive__list"), "ann big how");
    assert.equal(await as(whole).tool("archive__read", { id: "how" }), "the page how");
});

await report.check("a key that names some lists those alone", async () => {
    assert.equal(await as(narrow).tool("archive__list"), "ann");
    assert.equal(await as(narrow).tool("archive__read", { id: "ann" }), "the contact ann");
});

await report.check("a tool says that the scope does not permit it", async () => {
    for (const id of ["big", "how"]) {
        const params = { name: "archive__read", arguments: { id } };
        const { result } = await as(narrow).modern("tools/call", params);
        assert.equal(result.isError, true);
        assert.equal(result.structuredContent.message, REFUSAL);
        assert.equal(result.structuredContent.code, "permission_denied");
        assert.equal(result.structuredContent.category, "auth");
    }
});

await report.check("so does a resource, with an error", async () => {
    const { result } = await as(narrow).modern("resources/templates/list");
    const uri = (id) => result.resourceTemplates[0].uriTemplate.replace("{id}", id);
    const good = await as(narrow).modern("resources/read", { uri: uri("ann") });
    assert.equal(good.result.contents[0].text, "the contact ann");
    const { error } = await as(narrow).modern("resources/read", { uri: uri("how") });
    assert.equal(error.message, REFUSAL);
});

await report.check("the host ends well", async () => {
    assert.deepEqual(await host.stop(), { code: 0, signal: null });
});
report.finish();
