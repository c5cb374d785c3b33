// SPDX-License-Identifier: Apache-2.0
// The official conformance suite against Patchbay: every protocol revision, every check counted.
//
//   run.mjs --host build/host/patchbay --plugins build/conformance/plugins [--out DIR]
//   run.mjs --url http://127.0.0.1:PORT/mcp        any server that is already running
//
// Exit code 0 only if expected-counts.json is met in full. With --out the suite's files are kept.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startHost } from "../tools/host.mjs";
import { conclude, runAll } from "./suite.mjs";

const here = import.meta.dirname;
const { values: options } = parseArgs({
    options: {
        host: { type: "string" },
        plugins: { type: "string" },
        url: { type: "string" },
        out: { type: "string" },
    },
});
if (!options.url && !(options.host && options.plugins)) {
    console.error("run.mjs: give --host and --plugins, or --url");
    process.exit(2);
}

const expected = JSON.parse(readFileSync(join(here, "expected-counts.json"), "utf8"));
const out = options.out ?? mkdtempSync(join(tmpdir(), "patchbay-conformance-"));

const problems = [];
let checks = 0;
let host;
try {
    if (!options.url) {
        host = await startHost({
            binary: options.host,
            plugins: options.plugins,
            orgs: { default: join(here, "org.json") },
        });
    }
    const url = options.url ?? host.mcp;
    checks = await runAll({ expected, target: ["server", "--url", url], out, problems });
} catch (error) {
    problems.push(error.message);
} finally {
    const code = await host?.stop();
    if (host && code !== 0) problems.push(`the host ended with ${code}\n${host.log().slice(-4000)}`);
    if (!options.out) rmSync(out, { recursive: true, force: true });
}

conclude({ expected, checks, problems });
