// SPDX-License-Identifier: Apache-2.0
// Coding agents from their own packages find a running host: `claude mcp add` and `claude mcp list`,
// which connects for its health check, and `codex mcp add` and `codex mcp list`. Nobody logs in.
//
//   agents.mjs --host BINARY --plugins DIR,DIR... --out DIR --packages DIR (kept between runs)
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Report, parseArguments } from "./report.mjs";
import { openTarget } from "./target.mjs";

const packages = { "@anthropic-ai/claude-code": "2.1.329", "@openai/codex": "0.169.0" };
const options = parseArguments();
const report = new Report("agents");
report.patience = 1_200_000;
const bin = path.join(options.packages, "node_modules", ".bin");

// Resolves to {code, text} with both outputs in one.
function run(program, args, settings = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...settings });
        let text = "";
        for (const stream of [child.stdout, child.stderr])
            stream.on("data", (data) => (text += data));
        child.on("error", reject);
        child.on("close", (code) => resolve({ code, text }));
    });
}

await report.check("the packages can be installed", async () => {
    fs.mkdirSync(options.packages, { recursive: true });
    fs.writeFileSync(
        path.join(options.packages, "package.json"),
        JSON.stringify({ private: true, dependencies: packages }),
    );
    const { code, text } = await run("npm", [
        "install",
        "--prefix",
        options.packages,
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--foreground-scripts",
    ]);
    assert.equal(code, 0, text);
});

const target = await openTarget({
    name: "agents",
    target: "host",
    transport: "http",
    out: options.out,
    host: options.host,
    plugins: options.plugins.split(","),
});
const home = path.join(target.folder, "home");
fs.mkdirSync(home);
const agent = (name, ...args) =>
    run(path.join(bin, name), args, {
        cwd: home,
        env: {
            PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
            HOME: home,
            DISABLE_AUTOUPDATER: "1",
            CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        },
    });

await report.check("claude mcp add", async () => {
    const { code, text } = await agent(
        "claude",
        "mcp",
        "add",
        "--transport",
        "http",
        "patchbay",
        target.url,
    );
    assert.equal(code, 0, text);
});
await report.check("claude mcp list finds the host healthy", async () => {
    const from = target.proxy.exchanges.length;
    const { text } = await agent("claude", "mcp", "list");
    // Its exit code is always 0.
    assert.match(text, /patchbay:.*Connected/);
    assert.ok(target.proxy.exchanges.length > from, "it never came to the host");
});
await report.check("codex mcp add", async () => {
    const { code, text } = await agent("codex", "mcp", "add", "patchbay", "--url", target.url);
    assert.equal(code, 0, text);
});
await report.check("codex mcp list shows a server that needs no log-in", async () => {
    const from = target.proxy.exchanges.length;
    const { code, text } = await agent("codex", "mcp", "list");
    assert.equal(code, 0, text);
    // Its probe for a log-in was answered, and none is on offer.
    assert.match(text, /^patchbay .* enabled +Unsupported *$/m);
    assert.ok(target.proxy.exchanges.length > from, "it never came to the host");
    assert.ok(target.proxy.exchanges.slice(from).every(({ status }) => status >= 400));
});
await target.stop(report);
await target.checkWire(report, ["modern"]);
report.finish();
