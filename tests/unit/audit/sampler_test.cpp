// SPDX-License-Identifier: Apache-2.0
// Of what comes too often a sample is kept, and how much of it there was.
#include "audit/sampler.h"

#include <gtest/gtest.h>

namespace pb::audit::testing {
namespace {

TEST(Sampler, OfEachSoManyAtOnce) {
    Sampler sampler;
    const auto kept = [&](std::string_view who) {
        int out = 0;
        for (int i = 0; i < 500; ++i)
            out += sampler.take(who).has_value() ? 1 : 0;
        return out;
    };
    const int most = static_cast<int>(Sampler::rate.burst);
    EXPECT_GE(kept("a"), most);
    EXPECT_LT(kept("a"), most) << "they come back by one every two seconds";
    EXPECT_GE(kept("b"), most);
}

TEST(Sampler, TheNextSaysHowManyWereLeftOut) {
    EXPECT_EQ(with_left_out("too many", 0), "too many");
    EXPECT_EQ(with_left_out("too many", 7), "too many (7 more before this one are not recorded)");
    EXPECT_EQ(with_left_out("", 1), "(1 more before this one are not recorded)");
}

}  // namespace
}  // namespace pb::audit::testing
