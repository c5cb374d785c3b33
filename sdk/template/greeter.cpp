// SPDX-License-Identifier: Apache-2.0
// A starter plugin: one tool with typed arguments and a setting. Rename it and go on from here.
#include <patchbay/plugin.hpp>

struct Settings {
    std::string greeting;
};
PATCHBAY_STRUCT(Settings,
                PATCHBAY_FIELD(greeting, "How to greet").min_length(1).default_value("Hello"))

struct GreetInput {
    std::string name;
    int times = 1;
};
PATCHBAY_STRUCT(GreetInput, PATCHBAY_FIELD(name, "Whom to greet").min_length(1).max_length(80),
                PATCHBAY_FIELD(times, "How often").minimum(1).maximum(10).default_value(1))

PATCHBAY_PLUGIN("greeter", "0.1.0", plugin) {
    const auto settings = plugin.config<Settings>();
    plugin.tool("greet")
        .describe("Greets a person")
        .input<GreetInput>()
        .read_only()
        .handle([settings](const GreetInput& in, patchbay::Call& call) {
            std::string out;
            for (int i = 1; i <= in.times; ++i) {
                out += settings.greeting + ", " + in.name + "!\n";
                call.progress(i, in.times);
            }
            return out;
        });
}
