// SPDX-License-Identifier: Apache-2.0
#include "base/buckets.h"

#include <gtest/gtest.h>

#include <string>

namespace pb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BucketsTest : public testing::Test {
  protected:
    // How many of `count` are served.
    int served(const std::string& key, int count, const Rate& rate) {
        int out = 0;
        for (int i = 0; i < count; ++i)
            out += buckets_.take(key, rate, now_) ? 0 : 1;
        return out;
    }

    Buckets buckets_;
    Buckets::Clock::time_point now_ = Buckets::Clock::now();
};

TEST_F(BucketsTest, ABurstThenTheRate) {
    const Rate rate{60, 5};
    EXPECT_EQ(served("a", 10, rate), 5);
    EXPECT_EQ(buckets_.take("a", rate, now_), milliseconds(1000)) << "one a second";
    now_ += milliseconds(400);
    EXPECT_EQ(buckets_.take("a", rate, now_), milliseconds(600));
    now_ += milliseconds(600);
    EXPECT_EQ(served("a", 3, rate), 1);
    now_ += seconds(3600);
    EXPECT_EQ(served("a", 100, rate), 5) << "no more than the burst";
}

TEST_F(BucketsTest, AMinutesWorthIsTheBurst) { EXPECT_EQ(served("a", 500, {200, 0}), 200); }

TEST_F(BucketsTest, ARateBelowOneAMinuteLetsOneThroughNowAndThen) {
    for (const Rate& rate : {Rate{0.5, 0}, Rate{0.5, 0.25}}) {
        const auto key = std::to_string(rate.burst);
        EXPECT_EQ(served(key, 3, rate), 1);
        EXPECT_EQ(buckets_.take(key, rate, now_), seconds(120));
        now_ += seconds(120);
        EXPECT_EQ(served(key, 3, rate), 1);
    }
}

TEST_F(BucketsTest, EachHasItsOwn) {
    EXPECT_EQ(served("a", 10, {60, 5}), 5);
    EXPECT_EQ(served("b", 10, {60, 5}), 5);
}

TEST_F(BucketsTest, ARateOfNothingIsNoBound) {
    EXPECT_EQ(served("a", 10'000, {}), 10'000);
    EXPECT_EQ(buckets_.size(), 0U);
}

TEST_F(BucketsTest, WhatIsGivenBackCanBeTakenAgain) {
    const Rate rate{60, 1};
    EXPECT_EQ(served("a", 2, rate), 1);
    buckets_.give_back("a", rate);
    buckets_.give_back("a", rate);
    EXPECT_EQ(served("a", 2, rate), 1);
}

TEST_F(BucketsTest, AChangedRateCountsAtOnce) {
    EXPECT_EQ(served("a", 1, {60, 100}), 1);
    EXPECT_EQ(served("a", 10, {60, 3}), 3);
}

TEST_F(BucketsTest, WhoIsGoneIsForgotten) {
    for (int i = 0; i < 200'000; ++i) {
        now_ += milliseconds(1);
        EXPECT_FALSE(buckets_.take("client " + std::to_string(i), {600, 10}, now_));
    }
    EXPECT_LT(buckets_.size(), 40'000U);
}

}  // namespace
}  // namespace pb
