// SPDX-License-Identifier: Apache-2.0
// An organisation of fifty remote servers, twelve of which are dead, slow or lying: what the others
// offer is complete, listed and called as fast as in an organisation without the twelve. The two
// hosts run side by side and are asked in turn, so that whatever else the machine does hits both.
//
// --long: the slow ones are waited for.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { Site, entries, eventually, median, namesOf, timed } from "./org.mjs";
import { Endlessness, Slowness, does, garbage, redirecting } from "./sick.mjs";
import { Upstream } from "./upstream.mjs";

const report = new Report("remote_many");
const slowTime = 20_000;
const rounds = 25;

const start = (kind, count) =>
    Promise.all(
        Array.from({ length: count }, (_, i) =>
            new Upstream(`${kind}${i}`, { era: i % 2 ? "legacy" : "modern" }).start(),
        ),
    );
const [healthy, dying, slow, lying, elsewhere] = await Promise.all([
    start("well", 38),
    start("dead", 5),
    start("slow", 5),
    start("liar", 2),
    new Upstream("elsewhere").start(),
]);
const sick = [...dying, ...slow, ...lying];

// Garbage of another kind each time.
function lies() {
    const acts = [...Object.values(garbage).map(({ act }) => act), redirecting(elsewhere.url)];
    let next = 0;
    return does((...all) => acts[next++ % acts.length](...all));
}

let curable = [];
async function fallIll() {
    await Promise.all(dying.map((upstream) => upstream.kill()));
    curable = [
        ...slow.map((upstream) => new Slowness(upstream, slowTime)),
        new Endlessness(lying[1]),
    ];
    lying[0].misbehave = lies();
}
async function getWell() {
    await Promise.all(dying.map((upstream) => upstream.start()));
    for (const each of curable) each.cure();
    lying[0].misbehave = null;
}

const residentKib = ({ host }) =>
    Number(readFileSync(`/proc/${host.child.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]);

// The same work for each site in turn, and each first as often as the other; the median times.
async function compare(sites, work) {
    const times = new Map(sites.map((site) => [site, []]));
    for (let round = 0; round < rounds; ++round)
        for (const site of round % 2 ? sites : sites.toReversed())
            times.get(site).push(await timed(() => work(site, round)));
    return sites.map((site) => median(times.get(site)));
}

const kinds = (list) => [...new Set(list)].toSorted();

// Calls to the sick, one after another to each, as long as something else goes on.
function keepCalling(site, upstreams) {
    const outcomes = Object.fromEntries(upstreams.map(({ name }) => [name, []]));
    let going = true;
    const loops = upstreams.map(async ({ name }) => {
        while (going) {
            const { text, failed } = await site.call(`${name}__tool_00`);
            outcomes[name].push(failed?.code ?? text);
            await sleep(20);
        }
    });
    return async () => {
        going = false;
        await Promise.all(loops);
        return outcomes;
    };
}

await fallIll();
const healthyOnly = new Site(entries(healthy));
const all = new Site({
    ...entries([...healthy, ...dying]),
    ...entries(lying, { timeout: 1_000 }),
    ...entries(slow, built.long ? {} : { timeout: 1_000 }),
});
const sites = [healthyOnly, all];

await report.check("what the healthy offer is listed as soon as without the sick", async () => {
    const times = [];
    for (const site of sites)
        times.push(
            await timed(async () => {
                await site.start();
                await site.lists(healthy);
            }),
        );
    console.log(`        complete after ${times.map(Math.round).join(" and ")} ms`);
    assert.ok(times[1] < 4 * times[0], times.join());
});

await report.check("tools/list is as fast as without the sick", async () => {
    const times = await compare(sites, (site) => site.client.modern("tools/list"));
    console.log(`        ${times.map((time) => time.toFixed(2)).join(" and ")} ms`);
    assert.ok(times[1] < 2 * times[0], times.join());
});

await report.check("each server's state says what is wrong with it", async () => {
    for (const { name } of dying) {
        const { status, reason } = await all.state(name, ({ reason }) => reason);
        assert.equal(status, "failing");
        assert.match(reason, /Connection refused|failed repeatedly/);
    }
    await all.state("liar0", ({ status }) => status === "failing");
    const states = await all.servers();
    for (const { name } of slow) assert.equal(states[name].status, "connecting");
    for (const { name } of healthy) assert.equal(states[name].status, "ready");
});

await report.check("who gets well is found without a restart", async () => {
    await getWell();
    await all.lists([...healthy, ...sick]);
});

await report.check("who falls ill keeps its last good list", async () => {
    await fallIll();
    const look = (name) => all.admin("sync_server", { name });
    await Promise.all([...dying, lying[0]].map(({ name }) => look(name)));
    assert.deepEqual(await all.tools(), namesOf([...healthy, ...sick]));
    assert.equal((await all.servers()).dead0.status, "failing");
});

await report.check("calls of the healthy are as fast as without the sick", async () => {
    const before = residentKib(all);
    const stop = keepCalling(all, sick);
    await eventually(() => slow.every((each) => each.count("tools/call") > 0), "calls to the slow");
    const times = await compare(sites, async (site, round) => {
        for (let i = 0; i < 8; ++i) {
            const { name } = healthy[(8 * round + i) % healthy.length];
            const { text } = await site.call(`${name}__tool_07`, `r${round}`);
            assert.equal(text, `${name} tool_07 r${round}`);
        }
    });
    console.log(`        8 calls: ${times.map((time) => time.toFixed(2)).join(" and ")} ms`);
    const outcomes = await stop();
    const grown = residentKib(all) - before;
    console.log(`        grown by ${grown} KiB`);
    assert.ok(times[1] < 3 * times[0], times.join());
    assert.ok(grown < 200 << 10, `${grown} KiB`);
    for (const { name } of dying)
        assert.deepEqual(kinds(outcomes[name]), ["mcp_server_unreachable"]);
    const late = ({ name }) => (built.long ? `${name} tool_00 x` : "tool_timeout");
    for (const each of slow) assert.ok(outcomes[each.name].includes(late(each)));
    for (const code of kinds(outcomes.liar0))
        assert.match(code, /^mcp_server_(failed|unreachable)$/);
});

await report.check(
    "each kind of garbage costs its call alone, and the reason is clear",
    async () => {
        const call = () => all.call("liar0__tool_00");
        for (const [kind, { act, reason }] of Object.entries(garbage)) {
            lying[0].misbehave = null;
            await eventually(async () => !(await call()).failed, "a good answer");
            lying[0].misbehave = does(act);
            const { failed } = await call();
            assert.match(failed?.message ?? "", reason, kind);
        }
    },
);

await report.check("they recover, all of them", async () => {
    await getWell();
    for (const { name } of sick)
        await eventually(async () => !(await all.call(`${name}__tool_00`)).failed, `${name} again`);
    await all.lists([...healthy, ...sick]);
});

await report.check("the healthy were asked for nothing beyond their calls", () => {
    for (const { name, era, counts } of healthy) {
        assert.equal(counts["server/discover"], 2, name); // one for each host
        assert.equal(counts.initialize ?? 0, era === "legacy" ? 2 : 0, name);
    }
    assert.deepEqual(elsewhere.counts, {});
});

for (const site of sites)
    await report.check("the host ends well", async () => {
        assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    });
report.finish();
