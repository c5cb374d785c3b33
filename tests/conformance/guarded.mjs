// SPDX-License-Identifier: Apache-2.0
// A host that lets nobody in without a credential, and what its command line makes there: a key, a
// person.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startHost } from "../tools/host.mjs";

const LEVELS = ["mcp:read", "mcp:write", "mcp:admin"];

/** options: as startHost() takes them; config: more for the host's file */
export async function startGuarded({ config = {}, ...options }) {
    const org = JSON.parse(readFileSync(join(import.meta.dirname, "org.json"), "utf8"));
    const host = await startHost({
        ...options,
        config: { ...config, access: { anonymous: "never", ...config.access } },
        // One credential for all of the suite: more requests than one client ever makes.
        orgs: { default: { ...org, access: { limits: { credential: false } } } },
    });
    return Object.assign(host, {
        command: (args, input) => command(options.binary, host.folder, args, input),
    });
}

/** An API key that may do everything. */
export async function makeKey(host) {
    const scopes = LEVELS.flatMap((level) => ["--scope", level]);
    return (await host.command(["keys", "create", "conformance", ...scopes])).trim();
}

/** A request without a credential; what it says if it was let in. */
export async function letsIn(url) {
    const response = await fetch(url, {
        method: "POST",
        headers: {
            "Content-Type": "application/json",
            Accept: "application/json, text/event-stream",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
    });
    await response.body?.cancel();
    if (response.status === 401) return undefined;
    return `without a credential the host answered ${response.status}, not 401`;
}

async function command(binary, folder, args, input = "") {
    const places = ["--config", join(folder, "patchbay.json"), "--org-dir", join(folder, "orgs")];
    const child = spawn(binary, [...args, ...places, "--data", join(folder, "data")]);
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => (said.out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (said.err += text));
    child.stdin.on("error", () => {}); // it may end without reading
    child.stdin.end(input);
    const code = await new Promise((resolve, reject) => {
        child.on("error", reject).on("close", resolve);
    });
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${said.err}`);
    return said.out;
}
