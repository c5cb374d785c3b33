// SPDX-License-Identifier: Apache-2.0
// The plugin that is put into the folder of a running host, and taken away again.
#include <patchbay/plugin.hpp>
#include <string>

namespace {
struct HelloInput {
    std::string name;
};
PATCHBAY_STRUCT(HelloInput, PATCHBAY_FIELD(name, "Whom to greet"))
}  // namespace

PATCHBAY_PLUGIN("extra", "1.0.0", plugin) {
    plugin.tool("hello").describe("Greets").input<HelloInput>().read_only().handle(
        [](const HelloInput& in) { return "hello " + in.name; });
}
