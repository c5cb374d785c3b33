// SPDX-License-Identifier: Apache-2.0
// A host on which people sign in: one owner, two capabilities (lab, text_tools), and no access
// without a credential. What clients and browsers say to it is recorded on the way.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startHost } from "../../tools/host.mjs";
import { RecordingProxy } from "../capture.mjs";
import { within } from "../report.mjs";

export const ADA = { login: "ada@example.com", password: "correct horse battery staple" };

// options: {host: the program, plugins: files of plugins, config: more for the host's file,
//   org: the organisation's file, if it has one}
export async function openPlace({ host, plugins, config = {}, org }) {
    const folder = fs.mkdtempSync(path.join(tmpdir(), "patchbay-sign-in-"));
    const remove = () => fs.rmSync(folder, { recursive: true, force: true });
    process.on("exit", remove);
    for (const file of plugins) {
        const copy = path.join(folder, path.basename(file));
        fs.copyFileSync(file, copy);
        fs.chmodSync(copy, 0o755);
    }
    // People know the host by another address than it knows itself: the recorder's.
    const proxy = await RecordingProxy.start("http://127.0.0.1:9");
    const server = await startHost({
        binary: host,
        plugins: folder,
        config: {
            ...config,
            listen: { public_url: proxy.origin },
            access: { anonymous: "never", ...config.access },
        },
        orgs: org ? { default: org } : {},
    });
    proxy.upstream = new URL(server.url);
    await addPerson(host, path.join(server.folder, "data"));
    return {
        origin: proxy.origin,
        exchanges: proxy.exchanges,
        stop: async () => {
            const code = await server.stop();
            await proxy.stop();
            remove();
            assert.equal(code, 0, server.log());
        },
    };
}

async function addPerson(host, data) {
    const args = ["users", "add", ADA.login, "--org", "default", "--role", "owner", "--data", data];
    const child = spawn(host, args, { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    child.stdin.on("error", () => {}); // it may end without reading
    child.stdin.end(`${ADA.password}\n`);
    const code = await within(new Promise((resolve) => child.on("close", resolve)), "users add");
    assert.equal(code, 0, said);
}
