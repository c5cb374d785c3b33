// SPDX-License-Identifier: Apache-2.0
// The official conformance suite against Patchbay: every protocol revision, every check counted.
//
//   run.mjs --host build/host/patchbay --plugins build/conformance/plugins [--guarded] [--out DIR]
//   run.mjs --url http://127.0.0.1:PORT/mcp        any server that is already running
//
// --guarded: the host lets nobody in without a credential. The suite can send none, a proxy adds it.
// Exit code 0 only if expected-counts.json is met in full. With --out the suite's files are kept.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startHost } from "../tools/host.mjs";
import { letsIn, makeKey, startGuarded } from "./guarded.mjs";
import { conclude, runAll } from "./suite.mjs";
import { startTokenProxy } from "./with_token.mjs";

const here = import.meta.dirname;
const { values: options } = parseArgs({
    options: {
        host: { type: "string" },
        plugins: { type: "string" },
        guarded: { type: "boolean", default: false },
        url: { type: "string" },
        out: { type: "string" },
    },
});
if (!(options.host && options.plugins) && (!options.url || options.guarded)) {
    console.error("run.mjs: give --host and --plugins, or --url without --guarded");
    process.exit(2);
}

const expected = JSON.parse(readFileSync(join(here, "expected-counts.json"), "utf8"));
const out = options.out ?? mkdtempSync(join(tmpdir(), "patchbay-conformance-"));

const problems = [];
let checks = 0;
let host;
let proxy;
try {
    if (!options.url) host = await start();
    if (options.guarded) {
        problems.push(...[await letsIn(host.mcp)].filter(Boolean));
        proxy = await startTokenProxy(host.url, await makeKey(host));
    }
    const url = options.url ?? (proxy ? `${proxy.origin}/mcp` : host.mcp);
    checks = await runAll({ expected, target: ["server", "--url", url], out, problems });
} catch (error) {
    problems.push(error.message);
} finally {
    proxy?.stop();
    const code = await host?.stop();
    if (host && code !== 0) problems.push(`the host ended with ${code}\n${host.log().slice(-4000)}`);
    if (!options.out) rmSync(out, { recursive: true, force: true });
}

conclude({ expected, checks, problems });

function start() {
    const { host: binary, plugins } = options;
    if (options.guarded) return startGuarded({ binary, plugins });
    return startHost({ binary, plugins, orgs: { default: join(here, "org.json") } });
}
