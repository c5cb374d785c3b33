// SPDX-License-Identifier: Apache-2.0
// A host with the plugin remote_mcp alone and real servers behind it, and official clients of it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startHost } from "../../tools/host.mjs";
import { RecordingProxy } from "../capture.mjs";
import { toolsFor } from "./script.mjs";
import { Upstreams } from "./upstreams.mjs";

const READY_WITHIN_MS = 60_000; // generous: the machine may be building something else

// Asks again and again until it holds. `problem`: what is to be said if it never does.
export async function until(what, holds, problem = () => "") {
    const late = Date.now() + READY_WITHIN_MS;
    while (!(await holds())) {
        if (Date.now() > late) throw new Error(`in vain: ${what} ${problem()}`);
        await sleep(50);
    }
}

export class Setup {
    // add: (upstreams) => Promise, which servers there are.
    static async start({ host, plugin }, add) {
        const setup = new Setup();
        setup.peers = {};
        setup.stops = [];
        setup.folder = fs.mkdtempSync(path.join(os.tmpdir(), "patchbay-remote-"));
        const plugins = path.join(setup.folder, "plugins");
        fs.mkdirSync(plugins, { mode: 0o755 });
        fs.copyFileSync(plugin, path.join(plugins, path.basename(plugin)));
        setup.upstreams = new Upstreams(setup.folder);
        await add(setup.upstreams);
        setup.host = await startHost({
            binary: host,
            plugins,
            config: {
                outbound: { allow_stdio: true, allow_private_cidrs: ["127.0.0.0/8"] },
            },
            orgs: {
                default: {
                    capabilities: { "*": { enabled: true } },
                    mcpServers: setup.upstreams.settings(),
                },
            },
        });
        return setup;
    }

    // An official client ("v1" | "v2") of the host. Its wire is recorded in peer.wire.
    async client(library, era, capabilities) {
        const proxy = await RecordingProxy.start(this.host.url);
        const { connect } = await import(`../peer_${library}.mjs`);
        const peer = await connect({ url: `${proxy.origin}/mcp`, capabilities }, era);
        peer.wire = proxy;
        this.stops.push(() => peer.close().finally(() => proxy.stop()));
        return peer;
    }

    // An official client of a server without Patchbay, the same one every time.
    direct(name) {
        return (this.peers[name] ??= this.connect(name));
    }

    async connect(name) {
        const { direct } = this.upstreams.all[name];
        const { connect } = await import(direct.modern ? "../peer_v2.mjs" : "../peer_v1.mjs");
        const peer = await connect(direct, direct.modern ? "modern" : "legacy");
        peer.wire = direct.wire;
        this.stops.push(() => peer.close());
        return peer;
    }

    // Until the tools of every server are listed, also those that server-everything only offers once
    // it has heard that the session is open.
    async ready() {
        const peer = await this.client("v1", "legacy");
        const wanted = Object.keys(this.upstreams.all).flatMap((name) =>
            toolsFor(name, this.upstreams).map((tool) => `${name}__${tool}`),
        );
        let missing;
        const listed = async () => {
            const { tools } = await peer.listTools();
            missing = wanted.filter((tool) => !tools.some(({ name }) => name === tool));
            return missing.length === 0;
        };
        const problem = () => `(without ${missing.join(", ")})\n${this.host.log()}`;
        await until("the tools of all servers are listed", listed, problem);
        await Promise.all(
            Object.keys(this.upstreams.all).map(async (name) => {
                const one = await this.direct(name);
                const wanted = toolsFor(name, this.upstreams);
                await until(`the tools of ${name} are listed`, async () => {
                    const { tools } = await one.listTools();
                    return wanted.every((tool) => tools.some((each) => each.name === tool));
                });
            }),
        );
    }

    // Ends everything that was started; the host's exit code.
    async stop() {
        for (const stop of this.stops) await stop();
        const code = await this.host.stop();
        await this.upstreams.stop();
        fs.rmSync(this.folder, { recursive: true, force: true });
        return code;
    }
}
