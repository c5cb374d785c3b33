// SPDX-License-Identifier: Apache-2.0
// One official client against one server over one transport, from connecting to the end:
//
//   run.mjs --client v1|v2 --era legacy|modern|auto --transport http|stdio --out DIR
//           --host BINARY --plugins DIR,DIR... --extra PLUGIN      a Patchbay host
//           --reference                                            or the reference server
import assert from "node:assert/strict";
import { Report, parseArguments } from "./report.mjs";
import { asking } from "./scenario/asking.mjs";
import { basic } from "./scenario/basic.mjs";
import { running } from "./scenario/calls.mjs";
import { changes } from "./scenario/changes.mjs";
import { examples } from "./scenario/examples.mjs";
import { afterClose, streams } from "./scenario/streams.mjs";
import { openTarget } from "./target.mjs";

const options = parseArguments();
const { connect } = await import(`./peer_${options.client}.mjs`);
const name = [
    options.reference ? "reference" : "host",
    options.client,
    options.era,
    options.transport,
].join("-");
const report = new Report(name);
report.strict = !options.reference;
const target = await openTarget({
    name,
    target: options.reference ? "reference" : "host",
    transport: options.transport,
    out: options.out,
    host: options.host,
    plugins: (options.plugins || "").split(",").filter(Boolean),
    extra: options.extra,
});

// "auto" must find the modern era by itself.
const expected = options.era === "legacy" ? "legacy" : "modern";
let peer;
await report.check("the client connects", async () => {
    peer = await connect(target, options.era);
    assert.equal(peer.era, expected);
});
if (peer) {
    await basic(peer, report);
    await running(peer, report, target);
    await asking(peer, report);
    await changes(peer, report, target);
    if (target.isHost) await examples(peer, report, target);
    if (target.proxy) await streams(peer, report, target);
    await report.check("the client had nothing to complain of", () => {
        // Streams that this script cut, and progress that came in one piece with the response.
        const expected =
            /disconnected|terminated|abort|progress notification for an unknown token/i;
        const real = peer.errors.filter(({ message }) => !expected.test(message));
        assert.deepEqual(real.map(String), []);
    });
    await report.check("the client closes", () => peer.close());
    if (target.proxy) await afterClose(peer, report, target);
}
await target.stop(report);
await target.checkWire(report, [expected]);
report.finish();
