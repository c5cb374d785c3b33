// SPDX-License-Identifier: Apache-2.0
// The plugin that appears while streams are open, so that the tool list changes.
#include <patchbay/plugin.hpp>

PATCHBAY_PLUGIN("late", "1.0.0", plugin) {
    plugin.tool("ping").describe("Answers").read_only().handle([] { return "pong"; });
}
