// SPDX-License-Identifier: Apache-2.0
// README.md is right: its commands work, its configuration is accepted, its plugin builds out of
// tree and answers. Its paths and its port are replaced by those of this run, nothing else.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { Report } from "../clients/report.mjs";
import { Program, Workplace, built, run } from "./program.mjs";
import { Modern } from "./wire.mjs";

const report = new Report("readme");
const root = path.join(import.meta.dirname, "../..");
const readme = fs.readFileSync(path.join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, kind, text]) => ({
    kind,
    text,
}));
const execute = promisify(execFile);

// The one block of that kind that holds `sign`.
function block(kind, sign) {
    const found = blocks.filter((each) => each.kind === kind && each.text.includes(sign));
    assert.equal(found.length, 1, `README.md has ${found.length} ${kind} blocks with ${sign}`);
    return found[0].text;
}

// The lines of a shell block, without what follows a #.
const commands = (text) =>
    text
        .split("\n")
        .map((line) => line.replace(/\s#.*/, "").trim())
        .filter((line) => line !== "" && !line.startsWith("#"));

const place = new Workplace({
    plugins: ["text_tools", "countdown", "travel"].map((name) => `${built.examples}/${name}.so`),
});
const host = await place.serve();
const url = ["--url", host.url];
const weather = place.makeFolder("weather");

// Runs a line of the README in the weather plugin's folder.
function shell(line) {
    const adapted = line
        .replaceAll("/path/to/build/release/plugins", place.plugins)
        .replaceAll("/path/to/build/release/host/patchbay", built.host)
        .replace(/^build\/release\/host\/patchbay/, built.host)
        .replaceAll("/path/to/build/release", built.build)
        .replaceAll("http://127.0.0.1:8080", new URL(host.url).origin);
    const tools = /patchbay tools /.test(line) ? ` ${url.join(" ")}` : "";
    return execute("sh", ["-c", adapted + tools], { cwd: weather });
}

await report.check("the two commands are there", () => {
    const text = block("sh", "host/run");
    for (const line of commands(text).filter((command) => !command.includes(" "))) {
        fs.accessSync(path.join(root, line), fs.constants.X_OK);
    }
    assert.deepEqual(commands(text).slice(0, 2), ["host/run", "tests/run"]);
});

await report.check("the commands for a running host", async () => {
    const [list, call, curl, ...rest] = commands(block("sh", "healthz"));
    assert.deepEqual(rest, []);
    assert.match((await shell(list)).stdout, /text_tools__word_count/);
    assert.match((await shell(call)).stdout, /^3 words/);
    assert.match((await shell(curl)).stdout, /"status":"ok"/);
});

await report.check("--help knows what the README says it knows, and the same address", async () => {
    const { out } = await run(["--help"]);
    const named = readme.match(/--help` explains the rest: ([^]*?), and the exit codes/)[1];
    const words = [...named.matchAll(/`([^`]+)`/g)].map(([, text]) => text.split(" ")[0]);
    assert.ok(words.length >= 6);
    for (const word of words) assert.match(out, new RegExp(`^ +${word}`, "m"));
    assert.match(out, /http:\/\/127\.0\.0\.1:8080\/mcp/);
    for (const [address] of readme.matchAll(/http:\/\/127[^\s"`)]*/g)) {
        assert.match(address, /^http:\/\/127\.0\.0\.1:8080\/(mcp|healthz)$/);
    }
});

await report.check("every JSON block is JSON", () => {
    const all = blocks.filter(({ kind }) => kind === "json");
    assert.ok(all.length >= 3);
    for (const { text } of all) JSON.parse(text);
});

await report.check("what Claude Desktop would start answers on stdio", async () => {
    const { patchbay } = JSON.parse(block("json", '"stdio"')).mcpServers;
    assert.equal(patchbay.command, "/path/to/build/release/host/patchbay");
    const { config, data } = new Workplace({ config: { server: { name: "configured" } } });
    const args = patchbay.args.map((each) =>
        each
            .replace("/path/to/build/release/plugins", place.plugins)
            .replace("/path/to/etc/patchbay.json", config)
            .replace("/path/to/var", data),
    );
    const program = new Program(args, { cwd: "/", input: "pipe" });
    const params = {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "claude", version: "1" },
    };
    const initialize = { jsonrpc: "2.0", id: 0, method: "initialize", params };
    program.child.stdin.end(JSON.stringify(initialize) + "\n");
    assert.deepEqual(await program.end(), { code: 0, signal: null });
    const { result } = JSON.parse(program.out);
    assert.equal(result.protocolVersion, "2025-06-18");
    assert.equal(result.serverInfo.name, "configured");
});

await report.check("the plugin builds out of tree, is dropped in and answers", async () => {
    fs.writeFileSync(path.join(weather, "weather.cpp"), block("cpp", "PATCHBAY_PLUGIN"));
    fs.writeFileSync(path.join(weather, "CMakeLists.txt"), block("cmake", "find_package(Patchbay"));
    const client = new Modern(host.url);
    const stream = await client.listen();
    const [configure, build, check, copy, call, ...rest] = commands(
        block("sh", "cmake --build build"),
    );
    assert.deepEqual(rest, []);
    await shell(configure);
    await shell(build);
    assert.match((await shell(`${check} --data ${place.data}`)).stdout, /weather 1\.0\.0/);
    await shell(copy);
    await stream.heard("notifications/tools/list_changed");
    assert.equal((await shell(call)).stdout, "Paris: sunny for 3 days\n");
    const days = await client.modern("tools/call", {
        name: "weather__forecast",
        arguments: { city: "Paris", days: 15 },
    });
    assert.equal(days.result?.isError ?? Boolean(days.error), true, "15 days are too many");
    stream.close();
});

await report.check("the organisation's file is accepted and does what is said of it", async () => {
    const text = block("json", '"countdown"');
    place.write(place.orgFile("default"), text);
    const args = ["config", "check", "--config", place.config, "--org-dir", place.orgs];
    const env = { WEATHER_KEY: "k" };
    assert.deepEqual((await run(args, { env })).err, "");
    const second = await place.serve([], { env });
    const tools = await new Modern(second.url).tools();
    assert.ok(tools.includes("wx__forecast"), tools.join());
    assert.ok(
        tools.includes("text_tools__slugify") && !tools.some((name) => /count_?down/.test(name)),
    );
    assert.deepEqual(await second.stop(), { code: 0, signal: null });
    const schema = path.join(root, "etc/orgs", JSON.parse(text).$schema);
    assert.ok(fs.existsSync(schema), schema);
});

// A command of the section about access, on this run's folders.
function command(line, stdin = "") {
    const [program, ...args] = line.replaceAll("'", "").replace(/ > .*/, "").split(/\s+/);
    assert.equal(program, "patchbay");
    const { config, orgs, data } = place;
    return run([...args, "--config", config, "--org-dir", orgs, "--data", data], { stdin });
}

await report.check("the first owner, a key, and what is in the trail", async () => {
    const [owner, ...none] = commands(block("sh", "users add"));
    const [create, list, tools, ...more] = commands(block("sh", "keys create"));
    const [newest, filtered, ...rest] = commands(block("sh", "patchbay audit"));
    assert.deepEqual([...none, ...more, ...rest], []);
    assert.equal((await command(owner, "correct horse battery staple")).code, 0);
    const { out } = await command(create);
    assert.match(out, /^pb_\S+\n$/);
    assert.match((await command(list)).out, /ci .*action:text_tools/);
    const file = path.join(place.folder, "ci.key");
    place.write(file, out);
    const asked = tools.replace("ci.key", file).split(" ").slice(1);
    const seen = (await run([...asked, ...url])).out;
    assert.match(seen, /text_tools__word_count/);
    assert.doesNotMatch(seen, /travel__/);
    assert.match((await command(newest)).out, /keys\.create/);
    assert.equal((await command(filtered)).code, 0);
});

await report.check("what is said of access is accepted", async () => {
    const { config, orgs } = new Workplace({
        config: JSON.parse(block("json", '"issuers"')),
        orgs: { default: JSON.parse(block("json", '"forbidden"')) },
    });
    const checked = await run(["config", "check", "--config", config, "--org-dir", orgs]);
    assert.deepEqual([checked.code, checked.err], [0, ""]);
});

await report.check("the bounds are those of the schema", () => {
    const schema = JSON.parse(fs.readFileSync(path.join(root, "etc/schemas/patchbay.schema.json")));
    const limits = schema.properties.listen.properties.limits.properties;
    const calls = schema.properties.calls.properties;
    const said = (pattern) => Number(readme.match(pattern)?.[1].replace(",", ""));
    assert.equal(said(/request bodies \((\d+) MiB\)/) << 20, limits.max_body_bytes.default);
    assert.equal(said(/connections \(([\d,]+)\)/), limits.max_connections.default);
    assert.equal(said(/call's time \((\d+) s/) * 1000, calls.default_timeout_ms.default);
    assert.equal(said(/(\d+) minutes at most/) * 60_000, calls.max_timeout_ms.default);
    assert.equal(said(/into one plugin\s+\((\d+)\)/), calls.concurrency_per_provider.default);
    assert.equal(said(/nesting of calls \((\d+)\)/), calls.max_depth.default);
});

await report.check("every folder that is named is there", () => {
    const section = readme.slice(
        readme.indexOf("## Where things are"),
        readme.indexOf("## Limits"),
    );
    const rows = section.split("\n").filter((line) => line.startsWith("| `"));
    const folders = rows.flatMap((row) => [...row.split("|")[1].matchAll(/`([^`]+)`/g)]);
    assert.ok(folders.length > 10);
    for (const [, folder] of folders) assert.ok(fs.existsSync(path.join(root, folder)), folder);
});

await report.check("the host ends well", async () =>
    assert.deepEqual(await host.stop(), { code: 0, signal: null }),
);
report.finish();
