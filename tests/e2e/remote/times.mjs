// SPDX-License-Identifier: Apache-2.0
// How long a remote server's calls may last: what its settings say, be it more or less than the
// host gives to others.
import assert from "node:assert/strict";
import { Report } from "../../clients/report.mjs";
import { Site, entries, eventually } from "./org.mjs";
import { Upstream } from "./upstream.mjs";

const report = new Report("remote_times");
const timeouts = { usual: undefined, patient: 300_000, brief: 1_000 };
const upstreams = await Promise.all(
    Object.keys(timeouts).map((name) => new Upstream(name, { tools: 1 }).start()),
);
const [usual, patient, brief] = upstreams;
const named = (server) => entries([server], { timeout: timeouts[server.name] });
const site = await new Site(Object.assign({}, ...upstreams.map(named)), {
    config: { calls: { default_timeout_ms: 2_000 } },
}).start();
await site.lists(upstreams);

// Calls are answered after so many milliseconds, or never.
const answersAfter = (server, time) => {
    server.misbehave = (request, answer, message) => {
        if (message.method !== "tools/call") return false;
        if (time) setTimeout(() => server.serveModern(request, answer, message), time);
        return true;
    };
};
const call = ({ name }) => site.call(`${name}__tool_00`);

await report.check("a server's timeout decides, not the host's default", async () => {
    answersAfter(usual);
    answersAfter(brief);
    answersAfter(patient, 4_000);
    const [late, long, short] = await Promise.all([usual, patient, brief].map(call));
    assert.equal(late.failed?.code, "tool_timeout");
    assert.equal(long.failed, undefined);
    assert.equal(long.text, "patient tool_00 x");
    assert.equal(short.failed?.code, "tool_timeout");
    assert.match(short.failed.message, /The server 'brief' did not answer in time/);
});

await report.check("another timeout holds from then on", async () => {
    timeouts.patient = 1_000;
    site.change(Object.assign({}, ...upstreams.map(named)));
    const holds = async () =>
        (await site.admin("get_server", { name: "patient" })).settings.timeout === 1_000;
    await eventually(holds, "the change");
    answersAfter(patient);
    const { failed } = await call(patient);
    assert.equal(failed?.code, "tool_timeout");
    assert.match(failed.message, /The server 'patient' did not answer in time/);
});

await report.check("the host ends well", async () =>
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null }),
);
report.finish();
