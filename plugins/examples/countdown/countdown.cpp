// SPDX-License-Identifier: Apache-2.0
// Example: a tool that takes its time. It streams progress, logs to the client and ends at once
// when it is cancelled.
#include <patchbay/plugin.hpp>

namespace {

struct Countdown {
    int from = 0;
    int interval_ms = 0;
};
PATCHBAY_STRUCT(Countdown,
                PATCHBAY_FIELD(from, "The number to begin with").minimum(1).maximum(10000),
                PATCHBAY_FIELD(interval_ms, "Milliseconds between two numbers")
                    .minimum(0)
                    .maximum(60000)
                    .default_value(1000))

struct Finished {
    int counted = 0;
    std::string last_words;
};
PATCHBAY_STRUCT(Finished, PATCHBAY_FIELD(counted, "How many numbers there were"),
                PATCHBAY_FIELD(last_words, "What is said at zero"))

Finished count(const Countdown& in, patchbay::Call& call) {
    call.log(patchbay::Level::info, "counting down from " + std::to_string(in.from));
    for (int left = in.from; left > 0; --left) {
        call.progress(in.from - left + 1, in.from, std::to_string(left));
        // Throws when the call is cancelled or over its deadline; the SDK ends the call then.
        call.sleep(std::chrono::milliseconds(in.interval_ms));
    }
    return {in.from, "lift-off"};
}

}  // namespace

PATCHBAY_PLUGIN("countdown", "1.0.0", plugin) {
    plugin.tool("count_down")
        .title("Countdown")
        .describe("Counts down to zero and reports each number as progress")
        .input<Countdown>()
        .output<Finished>()
        .read_only()
        .idempotent()
        .handle(count);
}
