// SPDX-License-Identifier: Apache-2.0
// What is asked of each real server: every tool at least once, in an order that leaves the server as
// it was, so that the next client finds the same.
//
// A step is [tool, arguments, blur], or [URI, undefined, blur] for a resource that the steps before
// have made.
import assert from "node:assert/strict";
import path from "node:path";

// What differs between two calls of the same tool, made equal. Each takes the text of an answer.
const blurred = {
    // server-everything writes the time of day into its dynamic resources, also into blobs.
    time: (text) =>
        text
            .replace(/"blob":"([^"]*)"/g, (_, blob) =>
                JSON.stringify({ decoded: Buffer.from(blob, "base64").toString() }),
            )
            .replace(/created at [^"]*?[AP]M/g, "created at <time>"),
    session: (text) => text.replace(/for session [\w-]+/g, "for session <id>"),
    // Two processes have two environments; the shape is the same.
    environment: (text) => {
        const found = JSON.parse(text).content[0].text;
        for (const value of Object.values(JSON.parse(found))) assert.equal(typeof value, "string");
        return text.replace(JSON.stringify(found), '"<environment>"');
    },
    times: (text) =>
        text.replace(/(created|modified|accessed): [^"]*?(?=\\n|")/g, "$1: <time>"),
};

const city = { city: "Zürich \u{1f600}", floors: 2, where: { deep: true } };

const everything = [
    ["echo", { message: 'héllo "\\" \u2028 😀\n' }],
    ["get-annotated-message", { messageType: "error", includeImage: true }],
    ["get-env", {}, "environment"],
    ["get-resource-links", { count: 4 }],
    ["get-resource-reference", { resourceType: "Text", resourceId: 3 }, "time"],
    ["get-resource-reference", { resourceType: "Blob", resourceId: 4 }, "time"],
    ["get-structured-content", { location: "Chicago" }],
    ["get-sum", { a: 1.5, b: 2e3 }],
    ["get-tiny-image", {}],
    ["gzip-file-as-resource", { name: "x.gz", data: "data:text/plain,hi", outputType: "resource" }],
    ["gzip-file-as-resource", { name: "x.gz", data: "data:text/plain,hi" }],
    ["demo://resource/session/x.gz"],
    ["get-roots-list", {}],
    ["toggle-simulated-logging", {}, "session"],
    ["toggle-simulated-logging", {}, "session"],
    ["toggle-subscriber-updates", {}, "session"],
    ["toggle-subscriber-updates", {}, "session"],
    ["trigger-long-running-operation", { duration: 0.1, steps: 2 }],
    ["trigger-elicitation-request", {}],
    ["trigger-url-elicitation", { url: "https://example.com/a?b=c&d", elicitationId: "e1" }],
    ["trigger-sampling-request", { prompt: "why?", maxTokens: 7 }],
    // A tool that runs only as a task, which is refused in the same words.
    ["simulate-research-query", { topic: "tea" }],
];

const entity = (name) => ({ name, entityType: "person", observations: ["ünï"] });
const love = { from: "Ada", to: "Bob", relationType: "knows" };

const memory = [
    ["create_entities", { entities: [entity("Ada"), entity("Bob")] }],
    ["create_relations", { relations: [love] }],
    ["add_observations", { observations: [{ entityName: "Ada", contents: ["counts"] }] }],
    ["add_observations", { observations: [{ entityName: "Nobody", contents: ["x"] }] }],
    ["read_graph", {}],
    ["search_nodes", { query: "counts" }],
    ["open_nodes", { names: ["Bob"] }],
    ["delete_observations", { deletions: [{ entityName: "Ada", observations: ["counts"] }] }],
    ["delete_relations", { relations: [love] }],
    ["delete_entities", { entityNames: ["Ada", "Bob"] }],
];

const files = (root) => {
    const at = (name) => path.join(root, name);
    return [
        ["list_allowed_directories", {}],
        ["write_file", { path: at("w.txt"), content: "ünï\n" }],
        ["read_file", { path: at("w.txt") }],
        ["read_text_file", { path: at("a.txt"), head: 2 }],
        ["read_text_file", { path: at("missing.txt") }],
        ["read_media_file", { path: at("p.png") }],
        ["read_multiple_files", { paths: [at("a.txt"), at("sub/b.txt"), at("missing")] }],
        ["edit_file", { path: at("a.txt"), edits: [{ oldText: "two", newText: "2" }] }],
        ["create_directory", { path: at("sub/new") }],
        ["list_directory", { path: root }],
        ["list_directory_with_sizes", { path: root, sortBy: "size" }],
        ["directory_tree", { path: root }],
        ["move_file", { source: at("w.txt"), destination: at("sub/w.txt") }],
        ["search_files", { path: root, pattern: "**/*.txt" }],
        ["get_file_info", { path: at("p.png") }, "times"],
    ];
};

const shelf = [
    ["measure", city],
    ["gallery", {}],
    ["fail", {}],
    ["paint", {}],
    ["steps", { count: 2 }],
    ["write_note", { text: "first" }],
    ["grow", { on: false }],
    ["ask_name", {}],
    ["ask_page", {}],
    ["ask_model", {}],
    ["ask_trip", {}],
];
// Those two only mean something together; remote.mjs calls them.
const elsewhere = ["hold", "was_cancelled"];

const isTool = ([what]) => !what.includes("://");

export const toolsFor = (name, upstreams) =>
    stepsFor(name, upstreams)
        .filter(isTool)
        .map(([tool]) => tool);

export function stepsFor(name, upstreams) {
    const all = name.startsWith("every")
        ? everything
        : name.startsWith("shelf")
          ? shelf
          : name === "memory"
            ? memory
            : files(upstreams.root);
    // Only a stdio server is another process for Patchbay than for the direct client.
    const needed = (blur) => blur !== "environment" || name === "everyio";
    return all.map(([tool, args, blur]) => [tool, args, needed(blur) ? blurred[blur] : undefined]);
}

// Every tool that a server lists is called.
export function checkComplete(called, tools) {
    const known = new Set([...called, ...elsewhere]);
    assert.deepEqual(
        tools.map(({ name }) => name).filter((name) => !known.has(name)),
        [],
    );
}

export const reads = {
    every: [
        ["demo://resource/static/document/features.md"],
        ["demo://resource/dynamic/text/7", blurred.time],
        ["demo://resource/dynamic/blob/8", blurred.time],
        ["demo://nowhere"],
    ],
    shelf: [
        ["shelf://note/all%20of%20it?x=1"],
        ["ui://shelf/view.html"],
        ["shelf://books/ada/notes%20on"],
        ["shelf://nowhere"],
    ],
    memory: [["memory://knowledge-graph"]],
    files: [],
};

export const prompts = {
    every: [
        ["simple-prompt"],
        ["args-prompt", { city: "Bern", state: "ünï" }],
        ["completable-prompt", { department: "Sales", name: "Eve" }],
        ["resource-prompt", { resourceType: "Text", resourceId: "3" }, blurred.time],
        ["args-prompt", {}],
    ],
    shelf: [["greet", { name: "Ada" }], ["greet", { name: "Ada", tone: "terse" }], ["greet", {}]],
    memory: [],
    files: [],
};

const ofPrompt = (name, argument, value, known) => ({
    ref: { type: "ref/prompt", name },
    argument: { name: argument, value },
    ...(known && { context: { arguments: known } }),
});
const ofResource = (uri, argument, value, known) => ({
    ref: { type: "ref/resource", uri },
    argument: { name: argument, value },
    ...(known && { context: { arguments: known } }),
});

export const completions = {
    every: [
        ofPrompt("completable-prompt", "department", "S"),
        ofPrompt("completable-prompt", "name", "", { department: "Sales" }),
        ofResource("demo://resource/dynamic/text/{resourceId}", "resourceId", "12"),
    ],
    shelf: [
        ofPrompt("greet", "tone", "f"),
        ofResource("shelf://books/{author}/{title}", "author", "a"),
        ofResource("shelf://books/{author}/{title}", "title", "On", { author: "ada" }),
    ],
    memory: [],
    files: [],
};

// The part of a table for one server.
export const partFor = (table, name) =>
    table[Object.keys(table).find((kind) => name.startsWith(kind))];
