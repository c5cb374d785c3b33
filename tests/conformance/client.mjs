// SPDX-License-Identifier: Apache-2.0
// The official conformance suite against Patchbay's client, core and authorization, both eras: every
// check of every scenario, the extensions' too.
//
//   client.mjs --command build/tests/conformance/client-under-test [--out DIR]
//
// Exit code 0 only if expected-client-counts.json is met in full. With --out the suite's files are
// kept.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { conclude, runAll } from "./suite.mjs";

const { values: options } = parseArgs({
    options: { command: { type: "string" }, out: { type: "string" } },
});
if (!options.command) {
    console.error("client.mjs: give --command");
    process.exit(2);
}

const expected = JSON.parse(
    readFileSync(join(import.meta.dirname, "expected-client-counts.json"), "utf8"),
);
const out = options.out ?? mkdtempSync(join(tmpdir(), "patchbay-conformance-"));
const problems = [];
let checks = 0;
try {
    checks = await runAll({ expected, target: ["client", "--command", options.command], out, problems });
} catch (error) {
    problems.push(error.message);
} finally {
    if (!options.out) rmSync(out, { recursive: true, force: true });
}
conclude({ expected, checks, problems });
