// SPDX-License-Identifier: Apache-2.0
// The version line names what a bug report needs.
#include "base/version.h"

#include <gtest/gtest.h>
#include <patchbay/plugin.h>

namespace pb {
namespace {

TEST(Version, KnowsItsBuild) {
    const BuildInfo& info = build_info();
    EXPECT_EQ(info.version, EXPECTED_VERSION);
    EXPECT_FALSE(info.commit.empty());
    EXPECT_FALSE(info.compiler.empty());
    EXPECT_EQ(info.plugin_abi,
              std::to_string(PATCHBAY_ABI_MAJOR) + "." + std::to_string(PATCHBAY_ABI_MINOR));
}

TEST(Version, LineNamesEverything) {
    const std::string line = version_line();
    EXPECT_EQ(line.rfind("patchbay " EXPECTED_VERSION " (", 0), 0U) << line;
    EXPECT_NE(line.find("plugin ABI 1."), std::string::npos) << line;
    for (const auto version : protocol_versions) {
        EXPECT_NE(line.find(version), std::string::npos) << line;
    }
}

}  // namespace
}  // namespace pb
