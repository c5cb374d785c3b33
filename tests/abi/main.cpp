// SPDX-License-Identifier: Apache-2.0
// The test program, which is also its own helper: like `patchbay` it probes a first-seen file when
// it is called as `abi_tests probe FILE`.
#include <gtest/gtest.h>

#include <cstring>

#include "plugin/probe.h"

// The plugins of other compilers are built as strangers build them, without ThreadSanitizer: it
// does not see the atomic reference counts of the C++ runtimes inside them.
extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }

int main(int count, char** arguments) {
    if (count == 3 && std::strcmp(arguments[1], "probe") == 0)
        return pb::plugin::run_probe(arguments[2]);
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
