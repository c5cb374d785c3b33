// SPDX-License-Identifier: Apache-2.0
// The test program, which is also its own helper: like `patchbay` it probes a first-seen file when
// it is called as `abi_tests probe FILE`.
#include <gtest/gtest.h>

#include <cstring>

#include "plugin/probe.h"

int main(int count, char** arguments) {
    if (count == 3 && std::strcmp(arguments[1], "probe") == 0)
        return pb::plugin::run_probe(arguments[2]);
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
