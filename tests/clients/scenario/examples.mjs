// SPDX-License-Identifier: Apache-2.0
// The example plugins, all served by one host beside the lab.
import assert from "node:assert/strict";

export async function examples(peer, report) {
    await report.check("the example plugins are listed together", async () => {
        const { tools } = await peer.listTools();
        const spaces = new Set(tools.map(({ name }) => name.split("__")[0]));
        for (const space of ["countdown", "lab", "text_tools", "travel"]) {
            assert.ok(spaces.has(space), `no tool of ${space} in ${tools.map(({ name }) => name)}`);
        }
        assert.deepEqual(
            tools.map(({ name }) => name),
            tools
                .map(({ name }) => name)
                .toSorted((a, b) =>
                    a.split("__")[0] < b.split("__")[0]
                        ? -1
                        : Number(a.split("__")[0] > b.split("__")[0]),
                ),
        );
    });
}
