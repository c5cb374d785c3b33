// SPDX-License-Identifier: Apache-2.0
// Who may be where: without credentials a host stays on this machine, and says what to do to leave
// it; with some it starts, and nobody gets in without them.
import assert from "node:assert/strict";
import net from "node:net";
import { Report } from "../../clients/report.mjs";
import { built } from "../program.mjs";
import { PASSWORD, Site, challenge } from "./site.mjs";

const report = new Report("access_start");
const everywhere = ["--listen", "0.0.0.0:0"];
const plain = () => new Site({ anonymous: true, plugins: [built.desk] });

async function starts(site, args = everywhere) {
    await site.start(args);
    site.host.url = `http://127.0.0.1:${site.host.port}/mcp`;
}

await report.check("everywhere without credentials: it refuses and says what to do", async () => {
    const refused = async (site, args, address) => {
        const program = site.place.start(args);
        assert.deepEqual(await program.end(), { code: 1, signal: null });
        assert.ok(program.err.includes(address), program.err);
        assert.match(program.err, /patchbay users add \S+ --role owner/);
        assert.match(program.err, /patchbay keys create/);
        assert.match(program.err, /listen on 127\.0\.0\.1/);
        assert.equal(program.events("listening").length, 0);
    };
    for (const address of ["0.0.0.0", "[::]", "192.0.2.1"])
        await refused(plain(), ["--listen", `${address}:0`], address.replace(/[[\]]/g, ""));
    const config = { listen: { address: "0.0.0.0" } };
    const configured = new Site({ config, anonymous: true, plugins: [built.desk] });
    await refused(configured, [], "0.0.0.0");
});

await report.check("the first start alone says how to make the first owner", async () => {
    const site = await plain().start();
    const { reason } = await site.host.event("access.nobody");
    assert.match(reason, /patchbay users add ada@example\.com --org default --role owner/);
    await site.host.stop();
    await site.person("ada@example.com", "owner");
    await site.start();
    await site.host.stop();
    assert.deepEqual(site.host.events("access.nobody"), []);
});

await report.check("once there is a key it starts, and says what is not encrypted", async () => {
    const site = plain();
    const { secret } = await site.key(["mcp:read"]);
    await starts(site);
    assert.equal(await site.with(secret).tool("desk__version"), "1.0.0");
    await site.host.event("listen.plain_http");
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
});

await report.check("once there is an owner it starts", async () => {
    const site = plain();
    await site.person("ada@example.com", "owner");
    await starts(site);
    assert.deepEqual(await site.host.stop(), { code: 0, signal: null });
    assert.ok(!site.host.err.includes(PASSWORD));
});

await report.check("this machine needs none, unless the configuration says so", async () => {
    const open = await plain().start();
    assert.equal(await open.modern().tool("desk__version"), "1.0.0");
    // A proxy on this machine would let in everybody behind it.
    for (const header of ["x-forwarded-for", "x-real-ip", "forwarded", "via"]) {
        const { answer } = await open.modern({ [header]: "x" }).modern("tools/list");
        assert.equal(answer.status, 401, header);
        assert.equal(challenge(answer.headers).error, undefined);
        assert.match(answer.text, /forwarded/);
    }
    await open.host.stop();
    const closed = await new Site({ plugins: [built.desk] }).start();
    assert.equal((await closed.modern().modern("tools/list")).answer.status, 401);
    await closed.host.stop();
});

await report.check("behind a public URL nobody is of this machine", async () => {
    const public_url = "https://mcp.example.com";
    const config = { listen: { public_url } };
    const site = await new Site({ config, anonymous: true, plugins: [built.desk] }).start();
    const { answer } = await site.modern().modern("tools/list");
    assert.equal(answer.status, 401);
    assert.equal(
        challenge(answer.headers).resource_metadata,
        `${public_url}/.well-known/oauth-protected-resource/mcp`,
    );
    await site.host.stop();
});

// Asks for what a client's document says, without a credential: the page's answer, and how often
// somebody came to where it should be.
async function describedAt(config) {
    let came = 0;
    const inside = net.createServer((socket) => {
        came += 1;
        socket.destroy();
    });
    await new Promise((resolve) => inside.listen(0, "127.0.0.1", resolve));
    const site = await new Site({ config, anonymous: true, plugins: [built.desk] }).start();
    const client_id = `https://127.0.0.1:${inside.address().port}/client.json`;
    const query = new URLSearchParams({ client_id, response_type: "code" });
    const answer = await fetch(new URL(`/oauth/authorize?${query}`, site.host.url));
    const page = await answer.text();
    await site.host.stop();
    inside.close();
    return { status: answer.status, page, came };
}

await report.check("nobody has this host ask inside its networks for a document", async () => {
    const allow_private_cidrs = ["127.0.0.0/8"];
    const outbound = { allow_private_cidrs };
    const guarded = await describedAt({ outbound });
    assert.equal(guarded.status, 400);
    assert.match(guarded.page, /cannot be read/);
    assert.equal(guarded.came, 0);
    const allowed = await describedAt({ access: { oauth: { allow_private_cidrs } } });
    assert.equal(allowed.status, 400);
    assert.ok(allowed.came > 0, "its own option opens that");
});
report.finish();
