// SPDX-License-Identifier: Apache-2.0
// The timer: order, forgetting, and that nothing that it runs can stop it.
#include "base/timer.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <vector>

namespace pb {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// Returns when everything that is due has run.
void settle(Timer& timer) {
    std::promise<void> done;
    timer.after(milliseconds(30), [&] { done.set_value(); });
    ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(Timer, RunsInTheOrderOfTime) {
    // On a machine that stopped for longer than the steps are apart, the order says nothing.
    for (bool undisturbed = false; !undisturbed;) {
        std::vector<int> order;
        Timer timer;
        const auto from = Timer::Clock::now();
        timer.after(milliseconds(20), [&] { order.push_back(3); });
        timer.after(milliseconds(10), [&] { order.push_back(2); });
        timer.after(milliseconds(0), [&] { order.push_back(1); });
        undisturbed = Timer::Clock::now() - from < milliseconds(10);
        settle(timer);
        if (undisturbed) {
            EXPECT_EQ(order, (std::vector{1, 2, 3}));
        }
    }
}

TEST(Timer, ALaterOneDoesNotHoldUpANearerOne) {
    Timer timer;
    timer.after(hours(1), [] { ADD_FAILURE(); });
    settle(timer);
}

TEST(Timer, NotBeforeItsTime) {
    Timer timer;
    std::promise<Timer::Clock::time_point> ran;
    const auto from = Timer::Clock::now();
    timer.after(milliseconds(25), [&] { ran.set_value(Timer::Clock::now()); });
    EXPECT_GE(ran.get_future().get() - from, milliseconds(25));
}

TEST(Timer, ForgetsWhatIsCancelled) {
    Timer timer;
    // Its thread is kept from the second until that is cancelled.
    std::promise<void> release;
    timer.after(milliseconds(0), [&] { release.get_future().wait(); });
    bool ran = false;
    const auto id = timer.after(milliseconds(0), [&] { ran = true; });
    const auto other = timer.after(hours(1), [] {});
    EXPECT_NE(id, other);
    timer.cancel(id);
    timer.cancel(id);
    timer.cancel(987'654);
    release.set_value();
    settle(timer);
    EXPECT_FALSE(ran);
}

TEST(Timer, GoesOnAfterAnException) {
    Timer timer;
    timer.after(milliseconds(0), [] { throw std::runtime_error("on purpose"); });
    settle(timer);
}

TEST(Timer, WorkMaySetTheNext) {
    Timer timer;
    std::promise<void> done;
    timer.after(milliseconds(0), [&] { timer.after(milliseconds(0), [&] { done.set_value(); }); });
    EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(Timer, WorkGoesWithItsThingsOnceRun) {
    Timer timer;
    auto held = std::make_shared<int>(1);
    std::weak_ptr<int> watched = held;
    timer.after(milliseconds(0), [held = std::move(held)] {});
    settle(timer);
    EXPECT_TRUE(watched.expired());
}

TEST(Timer, WhatHasNotRunNeverWill) {
    bool ran = false;
    {
        Timer timer;
        timer.after(hours(1), [&] { ran = true; });
    }
    EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace pb
