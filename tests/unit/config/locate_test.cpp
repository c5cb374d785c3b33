// SPDX-License-Identifier: Apache-2.0
// Pointers to lines.
#include "config/locate.h"

#include <gtest/gtest.h>

namespace pb::config {
namespace {

TEST(Locate, FollowsMembersAndElements) {
    constexpr std::string_view text = "\n{\"a\": 1,\n \"b\": [10,\n  {\"c/d\": 2, \"e~f\":\n3}]}\n";
    EXPECT_EQ(line_of(text, ""), 2U);
    EXPECT_EQ(line_of(text, "/a"), 2U);
    EXPECT_EQ(line_of(text, "/b"), 3U);
    EXPECT_EQ(line_of(text, "/b/0"), 3U);
    EXPECT_EQ(line_of(text, "/b/1"), 4U);
    EXPECT_EQ(line_of(text, "/b/1/c~1d"), 4U);
    EXPECT_EQ(line_of(text, "/b/1/e~0f"), 5U);
}

TEST(Locate, WhatIsNotThereHasNoLine) {
    EXPECT_EQ(line_of("{\"a\": [1]}", "/b"), 0U);
    EXPECT_EQ(line_of("{\"a\": [1]}", "/a/1"), 0U);
    EXPECT_EQ(line_of("{\"a\": [1]}", "/a/x"), 0U);
    EXPECT_EQ(line_of("{\"a\": 1}", "/a/b"), 0U);
    EXPECT_EQ(line_of("", "/a"), 0U);
}

}  // namespace
}  // namespace pb::config
