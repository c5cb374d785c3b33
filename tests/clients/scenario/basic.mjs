// SPDX-License-Identifier: Apache-2.0
// Lists, calls, resources, prompts, completion and errors, as any client uses them.
import assert from "node:assert/strict";

export const pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const note = "lab+memo://note";
const picture = "lab+memo://pixel";
const userTemplate = "lab+memo://user/{name}";

export const textOf = (result) =>
    result.content
        .filter(({ type }) => type === "text")
        .map(({ text }) => text)
        .join("\n");
const byName = (list, name) => list.find((item) => item.name === name);

export async function basic(peer, report) {
    await report.check("the server introduces itself", () => {
        assert.ok(peer.client.getServerVersion()?.name);
        assert.ok(peer.client.getServerVersion()?.version);
        const capabilities = peer.client.getServerCapabilities();
        for (const name of ["tools", "resources", "prompts", "completions"]) {
            assert.ok(capabilities[name], `capabilities lack ${name}`);
        }
    });
    if (peer.era === "legacy") await report.check("ping", () => peer.ping());
    await lists(peer, report);
    await calls(peer, report);
    await resources(peer, report);
    await prompts(peer, report);
    await errors(peer, report);
}

async function lists(peer, report) {
    await report.check("tools/list", async () => {
        const { tools } = await peer.listTools();
        const sum = byName(tools, "lab__sum");
        assert.equal(sum?.title, "Sum");
        assert.equal(sum.annotations?.readOnlyHint, true);
        assert.deepEqual(sum.inputSchema.required?.toSorted(), ["a", "b"]);
        assert.equal(sum.outputSchema?.properties?.sum?.type, "number");
        assert.ok(byName(tools, "lab__ask_name"));
    });
    await report.check("resources/list", async () => {
        const { resources } = await peer.listResources();
        assert.equal(resources.find(({ uri }) => uri === note)?.mimeType, "text/plain");
        assert.equal(resources.find(({ uri }) => uri === picture)?.mimeType, "image/png");
    });
    await report.check("resources/templates/list", async () => {
        const { resourceTemplates } = await peer.listTemplates();
        assert.ok(resourceTemplates.find(({ uriTemplate }) => uriTemplate === userTemplate));
    });
    await report.check("prompts/list", async () => {
        const greet = byName((await peer.listPrompts()).prompts, "lab__greet");
        assert.equal(byName(greet?.arguments ?? [], "name")?.required, true);
        assert.ok(!byName(greet.arguments, "tone")?.required);
    });
}

async function calls(peer, report) {
    await report.check("tools/call with structured output", async () => {
        const result = await peer.call("lab__sum", { a: 2, b: 40 });
        assert.deepEqual(result.structuredContent, { sum: 42 });
        assert.deepEqual(JSON.parse(textOf(result)), { sum: 42 });
        assert.ok(!result.isError);
    });
    await report.check("tools/call with every kind of content", async () => {
        const { content } = await peer.call("lab__gallery");
        assert.deepEqual(
            content.map(({ type }) => type),
            ["text", "image", "audio", "resource", "resource_link"],
        );
        const [, image, audio, embedded, link] = content;
        assert.equal(image.data, pixel);
        assert.equal(image.mimeType, "image/png");
        assert.equal(audio.mimeType, "audio/wav");
        assert.equal(embedded.resource.uri, note);
        assert.equal(link.uri, note);
    });
    await report.check("a resource link can be read", async () => {
        const { content } = await peer.call("lab__gallery");
        const { contents } = await peer.read(content.at(-1).uri);
        assert.equal(contents[0].uri, note);
    });
}

async function resources(peer, report) {
    await report.check("resources/read of text", async () => {
        const { contents } = await peer.read(note);
        assert.equal(contents.length, 1);
        assert.equal(contents[0].uri, note);
        assert.equal(contents[0].mimeType, "text/plain");
        assert.equal(typeof contents[0].text, "string");
    });
    await report.check("resources/read of bytes", async () => {
        const { contents } = await peer.read(picture);
        assert.equal(contents[0].blob, pixel);
        assert.equal(contents[0].uri, picture);
    });
    await report.check("resources/read through a template", async () => {
        const { contents } = await peer.read("lab+memo://user/ada");
        assert.equal(contents[0].text, "user ada");
        assert.equal(contents[0].uri, "lab+memo://user/ada");
    });
}

async function prompts(peer, report) {
    await report.check("prompts/get with arguments", async () => {
        const { messages } = await peer.prompt("lab__greet", { name: "Ada", tone: "formal" });
        assert.deepEqual(messages, [
            { role: "user", content: { type: "text", text: "Greet Ada in a formal tone" } },
        ]);
    });
    await report.check("completion of a prompt argument", async () => {
        const { completion } = await peer.complete({
            ref: { type: "ref/prompt", name: "lab__greet" },
            argument: { name: "tone", value: "f" },
        });
        assert.deepEqual(completion.values, ["formal", "friendly"]);
    });
    await report.check("completion of a template variable", async () => {
        const { completion } = await peer.complete({
            ref: { type: "ref/resource", uri: userTemplate },
            argument: { name: "name", value: "a" },
        });
        assert.deepEqual(completion.values, ["ada", "alan"]);
    });
}

// The JSON-RPC code of the error that `promise` must end with.
async function codeOf(promise) {
    const outcome = await promise.then(
        (value) => ({ value }),
        (error) => ({ error }),
    );
    assert.ok(outcome.error, `no error but ${JSON.stringify(outcome.value)}`);
    assert.equal(typeof outcome.error.code, "number", String(outcome.error));
    assert.ok(outcome.error.message.length > 0);
    return outcome.error.code;
}

async function errors(peer, report) {
    await report.check("an unknown tool is an error of the protocol", async () => {
        const outcome = await peer.call("lab__nothing").then(
            (value) => ({ value }),
            (error) => ({ error }),
        );
        // The 2.x reference server says it in the result, for compatibility with its own past.
        if (!outcome.value?.isError || report.strict) assert.equal(outcome.error?.code, -32602);
    });
    await report.check("an unknown resource", async () => {
        const code = await codeOf(peer.read("lab+memo://nothing"));
        // The reference server answers both eras with the modern code, and the 2.x client shows that
        // code for either (the 1.x client shows the true one).
        const modern = peer.era === "modern" || peer.showsModernCodes || !report.strict;
        assert.equal(code, modern ? -32602 : -32002);
    });
    await report.check("an unknown prompt", async () =>
        assert.equal(await codeOf(peer.prompt("lab__nothing", {})), -32602),
    );
    await report.check("a missing prompt argument", async () =>
        assert.equal(await codeOf(peer.prompt("lab__greet", {})), -32602),
    );
    await report.check("arguments that break the schema name what is wrong", async () => {
        const outcome = await peer.call("lab__sum", { a: "two", b: 1 }).then(
            (value) => ({ value }),
            (error) => ({ error }),
        );
        const text = outcome.error ? outcome.error.message : textOf(outcome.value);
        assert.ok(outcome.error?.code === -32602 || outcome.value?.isError === true, text);
        assert.match(text, /\ba\b/);
    });
    await report.check("a tool that fails says so in its result", async () => {
        const result = await peer.call("lab__fail");
        assert.equal(result.isError, true);
        assert.match(textOf(result), /the lab is closed/);
    });
}
