// SPDX-License-Identifier: Apache-2.0
// The MCP Inspector's command line, unmodified, against a host over HTTP and stdio in both eras: what
// it prints and its exit codes.
//
//   inspector.mjs --transport http|stdio --host BINARY --plugins DIR,DIR... --out DIR
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Report, parseArguments } from "./report.mjs";
import { openTarget } from "./target.mjs";

const options = parseArguments();
const name = `inspector-${options.transport}`;
const report = new Report(name);
const target = await openTarget({
    name,
    target: "host",
    transport: options.transport,
    out: options.out,
    host: options.host,
    plugins: options.plugins.split(","),
});
const program = path.join(process.env.PATCHBAY_NODE_DIR, "node_modules", ".bin", "mcp-inspector");
const home = path.join(target.folder, "home");
fs.mkdirSync(home);

const bin = path.dirname(process.execPath);

// What the client of a person would have on disk.
const catalog = path.join(target.folder, "mcp.json");
fs.writeFileSync(
    catalog,
    JSON.stringify({
        mcpServers: {
            lab: target.url
                ? { type: "streamable-http", url: target.url }
                : { command: target.command, args: target.args },
        },
    }),
);

// Runs the Inspector; returns {code, out, error}. It needs the newer Node.js in front.
function inspect(era, ...args) {
    const all = [
        "--cli",
        "--config",
        catalog,
        "--server",
        "lab",
        "--protocol-era",
        era,
        "--format",
        "json",
        ...args,
    ];
    return new Promise((resolve, reject) => {
        const child = spawn(program, all, {
            cwd: target.folder,
            stdio: ["ignore", "pipe", "pipe"],
            env: { ...process.env, HOME: home, PATH: `${bin}:${process.env.PATH}` },
        });
        let out = "";
        let error = "";
        child.stdout.on("data", (chunk) => (out += chunk));
        child.stderr.on("data", (chunk) => (error += chunk));
        child.on("error", reject);
        child.on("close", (code) => resolve({ code, out, error }));
    });
}

async function good(era, ...args) {
    const { code, out, error } = await inspect(era, ...args);
    assert.equal(code, 0, `exit code ${code}: ${error || out}`);
    const value = JSON.parse(out);
    return value.result ?? value;
}

for (const era of ["legacy", "modern"]) {
    await report.check(`${era}: tools/list`, async () => {
        const { tools } = await good(era, "--method", "tools/list");
        assert.ok(tools.some((tool) => tool.name === "lab__sum"));
    });
    await report.check(`${era}: tools/call`, async () => {
        const result = await good(
            era,
            "--method",
            "tools/call",
            "--tool-name",
            "lab__sum",
            "--tool-arg",
            "a=2",
            "--tool-arg",
            "b=3",
        );
        assert.deepEqual(result.structuredContent, { sum: 5 });
    });
    await report.check(`${era}: resources/read`, async () => {
        const { contents } = await good(
            era,
            "--method",
            "resources/read",
            "--uri",
            "lab+memo://note",
        );
        assert.equal(contents[0].text, "first");
    });
    await report.check(`${era}: prompts/get`, async () => {
        const { messages } = await good(
            era,
            "--method",
            "prompts/get",
            "--prompt-name",
            "lab__greet",
            "--prompt-args",
            "name=Ada",
            "tone=terse",
        );
        assert.equal(messages[0].content.text, "Greet Ada in a terse tone");
    });
    await report.check(`${era}: a tool that fails ends with 5`, async () => {
        const { code } = await inspect(era, "--method", "tools/call", "--tool-name", "lab__fail");
        assert.equal(code, 5);
    });
    await report.check(`${era}: an unknown resource ends with 1`, async () => {
        const { code } = await inspect(
            era,
            "--method",
            "resources/read",
            "--uri",
            "lab+memo://nothing",
        );
        assert.equal(code, 1);
    });
}
await target.stop(report);
await target.checkWire(report, ["modern", "legacy"]);
report.finish();
