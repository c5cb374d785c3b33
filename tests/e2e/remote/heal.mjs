// SPDX-License-Identifier: Apache-2.0
// Remote servers die, come back, forget sessions and change under load: only their own calls fail,
// no more of them than have to, and everything is well again without a restart.
//
// --long: more often.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { Site, entries, eventually, namesOf } from "./org.mjs";
import { does } from "./sick.mjs";
import { Upstream } from "./upstream.mjs";

const report = new Report("remote_heal");
const deaths = built.long ? 15 : 3;
const parallel = 12;

const upstreams = await Promise.all(
    ["modern", "legacy"].flatMap((era) =>
        ["a", "b", "c"].map((name) => new Upstream(`${era}_${name}`, { era }).start()),
    ),
);
const named = Object.fromEntries(upstreams.map((upstream) => [upstream.name, upstream]));
const site = await new Site(entries(upstreams)).start();
await site.lists(upstreams);
const nameOf = (upstream) => `${upstream.name}__tool_03`;
const call = (upstream, text) => site.call(nameOf(upstream), text);
const works = (upstream) =>
    eventually(async () => !(await call(upstream)).failed, `${upstream.name} to work`);
const together = (upstream) =>
    Promise.all(Array.from({ length: parallel }, (_, i) => call(upstream, `t${i}`)));

// Calls to all of them from now on; the function stops that and gives the outcomes.
function load() {
    const outcomes = [];
    let going = true;
    const loop = async (upstream) => {
        while (going) {
            const { text, failed } = await call(upstream, "load");
            assert.ok(failed || text === `${upstream.name} tool_03 load`, text);
            outcomes.push({ upstream, failed });
        }
    };
    const loops = upstreams.flatMap((upstream) => [loop(upstream), loop(upstream)]);
    const stop = async () => {
        going = false;
        await Promise.all(loops);
        return outcomes;
    };
    return { outcomes, stop };
}

const victims = [named.modern_a, named.legacy_a];
const initialized = () => upstreams.map((upstream) => upstream.count("initialize"));

for (let death = 1; death <= deaths; ++death)
    await report.check(`killed and revived under load (${death})`, async () => {
        const { outcomes, stop } = load();
        const more = async (count, of = () => true) => {
            const from = outcomes.length;
            const seen = () => outcomes.slice(from).filter(of).length >= count;
            await eventually(seen, `${count} more calls`);
        };
        await more(50);
        assert.deepEqual(new Set(outcomes.map(({ failed }) => failed)), new Set([undefined]));
        await Promise.all(victims.map((upstream) => upstream.kill()));
        for (const victim of victims)
            await more(3, ({ upstream, failed }) => upstream === victim && failed);
        await more(50, ({ upstream }) => !victims.includes(upstream));
        await Promise.all(victims.map((upstream) => upstream.start()));
        await Promise.all(victims.map(works));
        const healed = outcomes.length;
        await more(50);
        await stop();
        for (const { upstream, failed } of outcomes.filter(({ failed }) => failed)) {
            assert.ok(victims.includes(upstream), `${upstream.name}: ${failed.message}`);
            assert.match(failed.code, /^mcp_server_(unreachable|failed)$/);
        }
        // What was sent while they came back may still have failed.
        const late = outcomes.slice(healed + 4 * parallel).filter(({ failed }) => failed);
        assert.deepEqual(late, []);
    });

await report.check("sessions are opened once, and once more for each death", () => {
    const opened = Object.fromEntries(
        upstreams.map((each) => [each.name, each.count("initialize")]),
    );
    assert.deepEqual(opened, {
        modern_a: 0,
        modern_b: 0,
        modern_c: 0,
        legacy_a: 1 + deaths,
        legacy_b: 1,
        legacy_c: 1,
    });
});

await report.check("a forgotten session: the same calls succeed, in one new session", async () => {
    const upstream = named.legacy_b;
    const before = upstream.count("initialize");
    upstream.forget();
    for (const { failed } of await together(upstream)) assert.equal(failed, undefined);
    assert.equal(upstream.count("initialize"), before + 1);
    assert.equal(upstream.sessions.size, 1);
});

await report.check("another era: the same calls succeed", async () => {
    for (const upstream of [named.modern_b, named.legacy_b])
        for (const era of ["legacy", "modern", "legacy"]) {
            upstream.changeTo(era);
            const outcomes = await together(upstream);
            for (const { failed } of outcomes) assert.equal(failed?.message, undefined, era);
        }
});

await report.check(
    "who fails again and again is left alone, and taken back by a probe",
    async () => {
        for (const upstream of [named.modern_c, named.legacy_c]) {
            upstream.misbehave = does((request, answer) => answer.writeHead(500).end("Oh no"));
            const refusal = ({ failed }) => /failed repeatedly/.test(failed.message);
            await eventually(async () => refusal(await call(upstream)), "the breaker to open");
            const before = upstream.worked;
            const calls = 200;
            for (let i = 0; i < calls; ++i) assert.ok((await call(upstream)).failed);
            // None but probes, of which the machine's slowness may let more than one through.
            const reached = upstream.worked - before;
            assert.ok(reached < calls / 10, `${reached} requests`);
            upstream.misbehave = null;
            await works(upstream);
            for (const { failed } of await together(upstream)) assert.equal(failed, undefined);
        }
        assert.ok((await call(named.modern_a)).text);
    },
);

await report.check("a look is such a probe too", async () => {
    const upstream = named.modern_c;
    upstream.misbehave = does((request, answer) => answer.writeHead(500).end("Oh no"));
    const sync = () => site.admin("sync_server", { name: upstream.name });
    await eventually(
        async () => /failed repeatedly/.test((await call(upstream)).failed.message),
        "the breaker to open",
    );
    assert.ok((await sync()).failed);
    upstream.misbehave = null;
    await eventually(async () => !(await sync()).failed, "a look that succeeds");
    assert.equal((await call(upstream)).failed, undefined);
});

await report.check("changes of a server's list reach clients", async () => {
    const stream = await site.client.listen();
    for (const upstream of [named.modern_a, named.legacy_a]) {
        const before = stream.messages.items.length;
        upstream.offer(upstream.tools.slice(1));
        await stream.heard("notifications/tools/list_changed", before);
        await site.lists(upstreams);
    }
    stream.close();
});

await report.check("the last good list is served while a server is down", async () => {
    await Promise.all(victims.map((upstream) => upstream.kill()));
    for (const { name } of victims) {
        assert.ok((await site.admin("sync_server", { name })).failed);
        const { status, reason, tools } = (await site.servers())[name];
        assert.equal(status, "failing");
        assert.match(reason, /refused/);
        assert.equal(tools, 19);
    }
    assert.deepEqual(await site.tools(), namesOf(upstreams));
});

await report.check("and by a host that starts meanwhile", async () => {
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    await site.start();
    await site.lists(upstreams);
    for (const victim of victims)
        assert.equal((await call(victim)).failed.code, "mcp_server_unreachable");
    await Promise.all(victims.map((upstream) => upstream.start()));
    await Promise.all(victims.map(works));
});

await report.check("settings that allow nothing stale take its tools away", async () => {
    await Promise.all(victims.map((upstream) => upstream.kill()));
    for (const { name } of victims) await site.admin("sync_server", { name });
    await site.lists(upstreams);
    site.change({ ...entries(upstreams), ...entries(victims, { serve_stale: 0 }) });
    await site.lists(upstreams.filter((upstream) => !victims.includes(upstream)));
    await Promise.all(victims.map((upstream) => upstream.start()));
    await site.lists(upstreams);
});

await report.check("the end of serve_stale takes a dead server's tools away", async () => {
    const brief = { serve_stale: 1_000, refresh: 1_000 };
    site.change({ ...entries(upstreams), ...entries(victims, brief) });
    await eventually(async () => (await site.servers()).modern_a.tools === 19, "the change");
    await site.lists(upstreams);
    await Promise.all(victims.map((upstream) => upstream.kill()));
    const rest = upstreams.filter((upstream) => !victims.includes(upstream));
    await site.lists(rest);
    await Promise.all(victims.map((upstream) => upstream.start()));
    await site.lists(upstreams);
});

await report.check("the host ends well, and ends the sessions that it had", async () => {
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    for (const upstream of upstreams.filter(({ era }) => era === "legacy"))
        assert.deepEqual([...upstream.sessions], [], upstream.name);
});
report.finish();
