// SPDX-License-Identifier: Apache-2.0
// The tool that is measured: typed input, the text back.
#include <patchbay/plugin.hpp>

struct EchoInput {
    std::string text;
};
PATCHBAY_STRUCT(EchoInput, PATCHBAY_FIELD(text, "What to say"))

PATCHBAY_PLUGIN("echo", "1.0.0", plugin) {
    plugin.tool("echo")
        .describe("Says it again")
        .input<EchoInput>()
        .read_only()
        .handle([](const EchoInput& in) { return in.text; });
}
