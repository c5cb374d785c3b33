// SPDX-License-Identifier: Apache-2.0
// Every command of the command line, as text and as JSON, with the exit codes that --help names.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Report } from "../clients/report.mjs";
import { deadPort } from "../tools/dead_port.mjs";
import { Program, Workplace, built, run } from "./program.mjs";

const report = new Report("commands");
const done = 0;
const failed = 1;
const usage = 2;
const invalid = 3;
const unreachable = 4;
const toolError = 5;

const place = new Workplace({ plugins: [built.desk, `${built.examples}/text_tools.so`] });
const inPlace = { cwd: place.folder };
const inProcess = ["--plugins", place.plugins, "--data", place.data];
const words = ["text_tools__word_count", '{"text":"one two three"}'];

// Runs a command that must succeed without a word on standard error; its output, parsed if --json.
async function good(...args) {
    const { code, out, err } = await run(args, inPlace);
    assert.deepEqual({ code, err }, { code: done, err: "" }, args.join(" "));
    if (!args.includes("--json")) return out;
    assert.equal(out.trimEnd().split("\n").length, 1, "one JSON object is one line");
    return JSON.parse(out);
}

// Runs a command that must end with that code and say why on standard error.
async function bad(code, expected, ...args) {
    const ended = await run(args, inPlace);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.err}${ended.out}`);
    assert.match(ended.err, expected);
    return ended;
}

await report.check("--help names every command, and each has help of its own", async () => {
    const help = await good("--help");
    for (const command of ["serve", "stdio", "plugins", "tools", "config", "version"]) {
        assert.match(help, new RegExp(`^ +${command} `, "m"));
        assert.match(await good(command, "--help"), new RegExp(command));
    }
    for (const command of ["plugins list", "plugins check", "tools list", "tools call"]) {
        assert.match(await good(...command.split(" "), "--help"), /--json/);
    }
    for (const code of [0, 1, 2, 3, 4, 5]) assert.match(help, new RegExp(`\\b${code} [a-z]`));
    assert.ok(!/probe/.test(help), "the helper's own command is none of the user's");
});

await report.check("a wrong command line says what is wrong", async () => {
    await bad(usage, /serve/);
    await bad(usage, /frobnicate/, "frobnicate");
    await bad(usage, /--frobnicate/, "serve", "--frobnicate");
    await bad(usage, /subcommand/, "plugins");
    await bad(usage, /name/, "tools", "call");
    await bad(usage, /--port.*70000/s, "serve", "--port", "70000");
    await bad(usage, /--log-level.*loud/s, "serve", "--log-level", "loud");
    await bad(usage, /--listen/, "serve", "--listen", "nowhere");
});

await report.check("version", async () => {
    assert.match(await good("version"), /^patchbay \d+\.\d+\.\d+/);
    assert.equal(await good("--version"), await good("version"));
    const info = await good("version", "--json");
    assert.match(info.version, /^\d+\.\d+\.\d+$/);
    assert.ok(info.protocol_versions.includes("2026-07-28"));
    assert.ok(info.protocol_versions.includes("2025-03-26"));
});

await report.check("plugins list", async () => {
    fs.writeFileSync(place.plugin("broken.so"), "no", { mode: 0o644 });
    const { plugins } = await good("plugins", "list", "--json", ...inProcess);
    const seen = plugins.map(({ path: file, ok }) => [path.basename(file), ok]);
    assert.deepEqual(seen, [
        ["broken.so", false],
        ["desk.so", true],
        ["text_tools.so", true],
    ]);
    assert.match(plugins[0].problem, /ELF/);
    assert.deepEqual(plugins[1].capabilities, ["desk"]);
    const text = await good("plugins", "list", ...inProcess);
    assert.match(text, /^refused .*broken\.so/m);
    assert.match(text, /^ok .*desk\.so +desk +1\.0\.0/m);
    place.remove("broken.so");
    await bad(failed, /nowhere/, "plugins", "list", "--plugins", "nowhere");
});

await report.check("plugins check", async () => {
    const file = place.plugin("desk.so");
    const data = ["--data", place.data];
    assert.match(await good("plugins", "check", file, ...data), /^plugin +desk 1\.0\.0$/m);
    const good_one = await good("plugins", "check", file, "--json", ...data);
    assert.equal(good_one.ok, true);
    assert.match(good_one.sha256, /^[0-9a-f]{64}$/);
    const wrong = path.join(place.folder, "wrong.so");
    fs.writeFileSync(wrong, "no", { mode: 0o644 });
    await bad(failed, /refused: .*ELF/, "plugins", "check", wrong, ...data);
    const { code, out } = await run(["plugins", "check", wrong, "--json", ...data], inPlace);
    assert.equal(code, failed);
    assert.equal(JSON.parse(out).ok, false);
    await bad(failed, /no such file/, "plugins", "check", "absent.so", ...data);
});

await report.check("config check", async () => {
    const args = ["config", "check", "--config", place.config, "--org-dir", place.orgs];
    place.writeOrg("default", { capabilities: { desk: { config: { key: "${env:E2E_UNSET}" } } } });
    const warned = await run(args, inPlace);
    assert.equal(warned.code, done);
    assert.match(warned.out, /valid; organisations: default/);
    assert.match(warned.err, /E2E_UNSET/);
    const info = await good(...args, "--json");
    assert.equal(info.valid, true);
    assert.equal(info.warnings.length, 1);
    place.writeOrg("default", '{\n  "title": 1\n}');
    await bad(invalid, /default\.json:2: \/title/, ...args);
    const { code, out } = await run([...args, "--json"], inPlace);
    assert.equal(code, invalid);
    const problem = JSON.parse(out);
    assert.equal(problem.valid, false);
    assert.match(problem.problems[0], /default\.json:2: \/title/);
    fs.rmSync(place.orgFile("default"));
    await bad(invalid, /absent\.json/, "config", "check", "--config", "absent.json");
});

// The same with a running host and without one.
const host = await place.serve();
for (const [how, where] of [
    ["in process", inProcess],
    ["of a running host", ["--url", host.url]],
]) {
    await report.check(`tools list ${how}`, async () => {
        assert.match(await good("tools", "list", ...where), /^text_tools__word_count +Counts/m);
        const { tools } = await good("tools", "list", "--json", ...where);
        assert.ok(tools.some(({ name }) => name === "desk__version"));
    });
    await report.check(`tools call ${how}`, async () => {
        assert.match(await good("tools", "call", ...words, ...where), /^3 words/);
        const result = await good("tools", "call", ...words, "--json", ...where);
        assert.equal(result.structuredContent.words, 3);
        const piped = await run(["tools", "call", words[0], "-", ...where], { stdin: words[1] });
        assert.match(piped.out, /^3 words/);
    });
    await report.check(`tools call that fails ${how}`, async () => {
        const call = (...args) => ["tools", "call", ...args, ...where];
        const { out } = await bad(toolError, /the desk is closed/, ...call("desk__fail"));
        assert.equal(out, "");
        await bad(failed, /no tool "desk__none".*desk__version/, ...call("desk__none"));
        await bad(usage, /JSON/, ...call(words[0], "{"));
        await bad(usage, /object/, ...call(words[0], "[]"));
        await bad(toolError, /text/, ...call(words[0], "{}"));
    });
}
await report.check("a call that takes too long is given up, as --timeout says", async () => {
    const call = ["tools", "call", "desk__wait", '{"tag":"x"}', "--url", host.url];
    await bad(unreachable, /1 seconds|did not answer/, ...call, "--timeout", "1");
});
await report.check("no host answers", async () => {
    await host.stop();
    const url = `http://127.0.0.1:${await deadPort()}/mcp`;
    await bad(unreachable, /no host answers at .*serve/s, "tools", "list", "--url", url);
    await bad(usage, /http:\/\//, "tools", "list", "--url", "nonsense");
});

await report.check("defaults: ./plugins, ./var and no configuration at all", async () => {
    const bare = new Workplace({ plugins: [built.desk] });
    fs.rmSync(bare.config);
    const program = new Program(["serve", "--port", "0"], { cwd: bare.folder });
    const listening = await program.lines.next(({ text }) => /listening/.test(text), "listening");
    const url = listening.text.match(/url="?(http[^" ]+)/)[1];
    assert.match(await good("tools", "list", "--url", url), /desk__version/);
    assert.ok(fs.existsSync(path.join(bare.folder, "var", "patchbay.db")));
    assert.deepEqual(await program.stop(), { code: done, signal: null });
});
report.finish();
