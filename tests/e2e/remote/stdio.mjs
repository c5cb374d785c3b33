// SPDX-License-Identifier: Apache-2.0
// Remote servers that are programs on the host: only where its operator allows it, started again
// when they end, and gone when the host is, however it ended.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Report } from "../../clients/report.mjs";
import { Site, eventually } from "./org.mjs";

const report = new Report("remote_stdio");
const program = path.join(import.meta.dirname, "child.mjs");
const child = (...args) => ({ command: process.execPath, args: [program, ...args] });
const allowed = { outbound: { allow_stdio: true } };

// Whether a process still does anything; one that nobody has reaped does not.
function lives(pid) {
    try {
        return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
        return false;
    }
}

async function about(site, name) {
    const { text, failed } = await site.call(`${name}__about`);
    assert.equal(failed?.message, undefined);
    return JSON.parse(text);
}
const gone = (pids) => eventually(() => !pids.some(lives), `the end of ${pids}`);

await report.check("without the operator's consent no program is started", async () => {
    const marker = path.join(tmpdir(), `never-made-${process.pid}`);
    const site = await new Site({ tool: { command: "touch", args: [marker] } }).start();
    const { status, reason } = await site.state("tool", ({ reason }) => reason);
    assert.equal(status, "misconfigured");
    assert.match(reason, /starts a program on the host, which its operator has not allowed/);
    assert.match(reason, /"outbound": \{"allow_stdio": true\}/);
    const added = await site.admin("add_server", { name: "x", settings: { command: "touch" } });
    assert.match(JSON.stringify(added.failed), /has not allowed/);
    const tested = await site.admin("test_server", { settings: { command: "touch" } });
    assert.match(JSON.stringify(tested.failed), /has not allowed/);
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    assert.ok(!existsSync(marker));
});

const servers = {
    plain: { ...child(), env: { CHILD_SAYS: "${env:E2E_FOR_CHILD}" }, cwd: "/" },
    family: child("family"),
    stubborn: child("stubborn", "family"),
    broken: { command: "/nonexistent/program" },
};
const names = ["plain", "family", "stubborn"];
const site = new Site(servers, { config: allowed });
const start = () => site.start({ env: { E2E_FOR_CHILD: "for you", E2E_HOST_ONLY: "not for you" } });
const ready = () =>
    eventually(async () => (await site.tools()).length === 3 * names.length, "the tools");
const allPids = async () => {
    const all = await Promise.all(names.map((name) => about(site, name)));
    return all.flatMap(({ pid, grandchild }) => (grandchild ? [pid, grandchild] : [pid]));
};
await start();
await ready();

await report.check("a program gets what it was given and nothing else of the host's", async () => {
    const { env, cwd } = await about(site, "plain");
    assert.equal(env.CHILD_SAYS, "for you");
    assert.equal(env.E2E_HOST_ONLY, undefined);
    assert.equal(env.PATCHBAY_NODE_DIR, undefined);
    assert.ok(env.PATH);
    assert.equal(cwd, "/");
    const { status, reason } = await site.state("broken", ({ reason }) => reason);
    assert.equal(status, "failing");
    assert.match(reason, /nonexistent|No such file/);
});

await report.check("many calls, one process; what is no message is skipped", async () => {
    const { pid } = await about(site, "plain");
    const all = await Promise.all(Array.from({ length: 20 }, () => about(site, "plain")));
    assert.deepEqual(new Set(all.map((each) => each.pid)), new Set([pid]));
    assert.equal(JSON.parse((await site.call("plain__garbage")).text).pid, pid);
});

await report.check("a killed program is started again by the next call", async () => {
    const before = await about(site, "plain");
    const others = await allPids();
    process.kill(before.pid, "SIGKILL");
    await eventually(async () => !(await site.call("plain__about")).failed, "it again");
    const after = await about(site, "plain");
    assert.notEqual(after.pid, before.pid);
    assert.ok(!lives(before.pid));
    const still = others.filter((pid) => pid !== before.pid);
    assert.ok(still.every(lives));
});

await report.check("a call in which it ends fails; the next one works", async () => {
    const { failed } = await site.call("plain__exit");
    assert.equal(failed.code, "mcp_server_failed");
    assert.match(failed.message, /exited with code 3/);
    await eventually(async () => !(await site.call("plain__about")).failed, "it again");
});

await report.check("one that only ever ends is not started again and again", async () => {
    site.change({ ...servers, flaky: child() });
    const last = { message: "" };
    const exit = async () => Object.assign(last, (await site.call("flaky__exit")).failed);
    await eventually(async () => /exited with code 3/.test((await exit()).message), "its end");
    await eventually(async () => /restarting in \d+ s/.test((await exit()).message), "a pause");
    for (let i = 0; i < 50; ++i) await exit();
    const ended = ({ message, server }) => message === "remote.process_ended" && server === "flaky";
    const starts = site.host.events("plugin.log").filter(ended).length;
    assert.ok(starts >= 1 && starts < 15, `${starts} starts`);
    site.change(servers);
    await eventually(async () => !(await site.servers()).flaky, "its removal");
});

await report.check("a removed server's program ends, with its own children", async () => {
    const pids = await allPids();
    const { pid, grandchild } = await about(site, "family");
    const { family, ...rest } = servers;
    site.change(rest);
    await gone([pid, grandchild]);
    assert.ok(pids.filter((each) => each !== pid && each !== grandchild).every(lives));
    site.change({ ...rest, family });
    await ready();
});

await report.check("SIGTERM: no program outlives the host, not even a stubborn one", async () => {
    const pids = await allPids();
    assert.equal(pids.length, 5);
    assert.ok(pids.every(lives));
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    await gone(pids);
});

await report.check("SIGKILL: no program outlives the host", async () => {
    await start();
    await ready();
    const all = await Promise.all(names.map((name) => about(site, name)));
    const pids = all.map(({ pid }) => pid);
    assert.ok(pids.every(lives));
    assert.deepEqual(await site.host.stop("SIGKILL"), { code: null, signal: "SIGKILL" });
    await gone(pids);
    // The kernel ends what the host started; what these started hears it from their pipes at most.
    for (const { grandchild } of all) if (grandchild && lives(grandchild)) process.kill(grandchild);
});
report.finish();
