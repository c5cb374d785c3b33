// SPDX-License-Identifier: Apache-2.0
// Shows that run.mjs and client.mjs cannot be green by accident: they must fail where there is no
// server, against a sound server that has none of the fixtures, and with a client that does nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { deadPort } from "../tools/dead_port.mjs";
import { count, run, runAgainst, withServer } from "./outcome.mjs";

// Scenarios that the suite itself calls passed when nobody listens.
const FALSE_GREENS = [
    "input-required-result-missing-input-response",
    "input-required-result-ignore-extra-params",
    "input-required-result-validate-input",
];
// What the suite has no fixture for although its name says so, or calls passed without it.
const NEED_NO_FIXTURE = [
    "input-required-result-unsupported-methods",
    "input-required-result-validate-input",
];

test("without a server every scenario fails", async () => {
    const { code, lines } = await runAgainst(await deadPort());
    assert.equal(code, 1);
    assert.equal(count(lines, "ok  "), 0);
    for (const name of FALSE_GREENS) {
        assert.ok(lines.some((line) => line.startsWith(`  FAIL  ${name} `)), name);
    }
});

test("a server without the fixtures fails wherever a fixture is needed", async () => {
    const handler = createMcpHandler(() => {
        const server = new McpServer({ name: "bare", version: "1.0.0" });
        const answer = () => ({ content: [{ type: "text", text: "nothing to see" }] });
        server.registerTool("something_else", { description: "No fixture" }, answer);
        return server;
    });
    await withServer(toNodeHandler(handler), async (port) => {
        const { code, lines } = await runAgainst(port);
        assert.equal(code, 1);
        assert.ok(count(lines, "ok  ") > 0, "what needs no fixture passes");
        const needing =
            /^ {2}(ok|FAIL) +((resources|prompts|elicitation|tools-call|input-required)-\S+)/;
        const rows = lines.map((line) => line.match(needing)).filter(Boolean);
        const passed = rows.filter(([, verdict]) => verdict === "ok").map(([, , name]) => name);
        assert.deepEqual(passed, NEED_NO_FIXTURE);
        assert.ok(rows.length > 60, `${rows.length} scenarios need a fixture`);
    });
});

test("a client that does nothing fails every scenario", async () => {
    const { code, lines } = await run("client.mjs", "--command", "true");
    assert.equal(code, 1);
    assert.equal(count(lines, "ok  "), 0);
    assert.ok(count(lines, "FAIL") > 70);
});
