// SPDX-License-Identifier: Apache-2.0
// What a caller gets of a capability whose data has sources and types of objects: no more than its
// scopes leave, whether a key was given them or a person ticked them, who is shown what there is.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { allow } from "./person.mjs";
import { Site } from "./site.mjs";

const report = new Report("access_narrowing");
const REFUSAL = "Not permitted by current access scope";
const site = await new Site({ plugins: [built.archive] }).start();
const as = (token) => site.with(token);
const whole = (await site.key()).secret;
const narrow = (await site.key(["mcp:read", "source:crm", "object:contact", "object:page"])).secret;

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

// What a page offers of one kind, and which of it is ticked.
function offered(html, name) {
    const boxes = [...html.matchAll(new RegExp(`<input [^>]*name="${name}"[^>]*>`, "g"))];
    const valueOf = (tag) => tag.match(/ value="([^"]*)"/)[1];
    return boxes.map(([tag]) => [valueOf(tag), / checked/.test(tag)]);
}

await site.person("ada@example.com", "owner");

await report.check("a person is shown what the manifest names and what is answered", async () => {
    const look = (html) => {
        const all = ["source:crm", "source:wiki"].map((scope) => [scope, true]);
        assert.deepEqual(offered(html, "source"), all);
        const objects = offered(html, "object").map(([scope]) => scope);
        assert.deepEqual(objects, ["object:contact", "object:deal", "object:page"]);
        for (const text of ["Archive", "What the company keeps", "Customers", "Contacts"])
            assert.ok(html.includes(text), text);
    };
    const token = await allow(site, "ada@example.com", "mcp:read", { look });
    assert.equal(token.scope, "mcp:read");
    assert.equal(await as(token.access_token).tool("archive__list"), "ann big how");
});

await report.check("what a person unticks is not to be had", async () => {
    const choose = (fields) =>
        fields.filter(([name, value]) => value !== "source:crm" && name !== "sources_all");
    const token = await allow(site, "ada@example.com", "mcp:read", { choose });
    assert.equal(token.scope, "mcp:read source:wiki");
    assert.equal(await as(token.access_token).tool("archive__list"), "how");
});

await report.check("what a client asks for by name is all that a person can give", async () => {
    const look = (html) => assert.deepEqual(offered(html, "object"), [["object:deal", true]]);
    const scope = "mcp:read object:deal";
    const token = await allow(site, "ada@example.com", scope, { look });
    assert.equal(token.scope, scope);
    assert.equal(await as(token.access_token).tool("archive__list"), "big");
});

await report.check("the host ends well", async () => {
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
});
report.finish();
