// SPDX-License-Identifier: Apache-2.0
// The threads around instances: retiring, events and timers, and what hangs in them.
#include "plugin/lifecycle.h"

#include <atomic>
#include <thread>

#include "support.h"

namespace pb::plugin {
namespace {

using namespace std::chrono_literals;

TEST(Lifecycle, FinishWaitsForWhatSomebodyHoldsYet) {
    Lifecycle lifecycle;
    auto held = lifecycle.adopt();
    EXPECT_TRUE(lifecycle.drain(std::chrono::milliseconds(0)));
    EXPECT_FALSE(lifecycle.finish(std::chrono::milliseconds(0)));
    std::thread holder([&] { lifecycle.retire("one", [held = std::move(held)] {}); });
    EXPECT_TRUE(lifecycle.finish(long_enough));
    holder.join();
}

TEST(Lifecycle, RunsEverythingThatIsRetired) {
    std::atomic<int> done{0};
    Lifecycle lifecycle;
    for (int index = 0; index < 100; ++index)
        lifecycle.retire("job", [&] { ++done; });
    EXPECT_TRUE(lifecycle.drain(long_enough));
    EXPECT_EQ(done, 100);
    EXPECT_EQ(lifecycle.left_behind(), 0u);
}

TEST(Lifecycle, WhatHangsIsLeftBehindAndDelaysNobody) {
    auto release = std::make_shared<Signal>();
    auto ended = std::make_shared<Signal>();
    {
        Lifecycle lifecycle(1s, 1);
        lifecycle.retire("hangs", [release, ended] {
            release->wait();
            ended->raise();
        });
        EXPECT_TRUE(lifecycle.drain(long_enough));
        EXPECT_EQ(lifecycle.left_behind(), 1u);
        Signal ran;
        lifecycle.retire("works", [&] { ran.raise(); });
        EXPECT_TRUE(ran.wait());
        EXPECT_TRUE(lifecycle.drain(long_enough));
    }
    release->raise();
    EXPECT_TRUE(ended->wait());
}

TEST(Lifecycle, AnExceptionEndsOnlyItsJob) {
    Lifecycle lifecycle;
    std::atomic<bool> ran{false};
    lifecycle.retire("throws", [] { throw std::runtime_error("no"); });
    lifecycle.retire("works", [&] { ran = true; });
    EXPECT_TRUE(lifecycle.drain(long_enough));
    EXPECT_TRUE(ran);
}

TEST(EventBus, DeliversInOrderToThoseWhoSubscribed) {
    Workers workers;
    EventBus bus(workers);
    std::vector<std::string> seen;
    Signal done;
    auto handle = bus.subscribe("acme", "a.", [&](std::string_view topic, std::string_view data) {
        seen.push_back(std::string(topic) + std::string(data));
        if (seen.size() == 100) done.raise();
    });
    for (int index = 0; index < 100; ++index) {
        ASSERT_EQ(bus.publish("acme", "a.x", std::to_string(index)), catalog::Status::ok);
        ASSERT_EQ(bus.publish("acme", "b", "0"), catalog::Status::ok);
        ASSERT_EQ(bus.publish("other", "a.x", "0"), catalog::Status::ok);
    }
    ASSERT_TRUE(done.wait());
    bus.close(handle);
    EventBus::gate(handle).wait();
    for (int index = 0; index < 100; ++index)
        EXPECT_EQ(seen[static_cast<std::size_t>(index)], "a.x" + std::to_string(index));
    EXPECT_EQ(seen.size(), 100u);
}

TEST(EventBus, AFullQueueRefusesForAll) {
    Workers workers;
    EventBus bus(workers);
    Signal entered, release;
    std::atomic<int> slow{0}, fast{0};
    auto slow_handle = bus.subscribe("acme", "", [&](auto, auto) {
        entered.raise();
        release.wait();
        ++slow;
    });
    auto fast_handle = bus.subscribe("acme", "", [&](auto, auto) { ++fast; });
    int sent = 0;
    ASSERT_EQ(bus.publish("acme", "t", "1"), catalog::Status::ok);
    ++sent;
    ASSERT_TRUE(entered.wait());
    while (fast < 1)  // or its own queue could be the one that is full
        std::this_thread::yield();
    while (bus.publish("acme", "t", "1") == catalog::Status::ok)
        ++sent;
    EXPECT_EQ(sent, 1 + static_cast<int>(EventBus::max_queued));
    release.raise();
    while (slow < sent || fast < sent)
        std::this_thread::yield();
    EXPECT_EQ(bus.publish("acme", "t", "1"), catalog::Status::ok);
    while (slow < sent + 1 || fast < sent + 1)
        std::this_thread::yield();
    for (const auto& handle : {slow_handle, fast_handle}) {
        bus.close(handle);
        EventBus::gate(handle).wait();
    }
    EXPECT_EQ(fast, sent + 1);
}

TEST(EventBus, NothingArrivesAfterClosing) {
    Workers workers;
    EventBus bus(workers);
    for (int round = 0; round < 200; ++round) {
        auto alive = std::make_unique<std::atomic<int>>(0);
        auto handle = bus.subscribe("acme", "", [&, at = alive.get()](auto, auto) { ++*at; });
        std::thread publisher([&] {
            for (int index = 0; index < 20; ++index)
                bus.publish("acme", "t", "1");
        });
        bus.close(handle);
        EventBus::gate(handle).wait();
        // A later delivery would touch freed memory: the sanitizers see it.
        alive.reset();
        publisher.join();
    }
    EXPECT_EQ(bus.publish("acme", std::string(129, 't'), "1"), catalog::Status::invalid);
    EXPECT_EQ(bus.publish("acme", "", "1"), catalog::Status::invalid);
}

TEST(Timers, RunOnceAndAgain) {
    Workers workers;
    Timers timers(workers);
    Signal once, often;
    std::atomic<int> ticks{0};
    std::atomic<int> inside{0};
    auto single = timers.schedule(0ns, 0ns, [&] { once.raise(); });
    auto repeated = timers.schedule(1ms, 1ms, [&] {
        EXPECT_EQ(++inside, 1);
        std::this_thread::sleep_for(3ms);
        --inside;
        if (++ticks == 5) often.raise();
    });
    EXPECT_TRUE(once.wait());
    EXPECT_TRUE(often.wait());
    timers.close(repeated);
    Timers::gate(repeated).wait();
    int after = ticks;
    std::this_thread::sleep_for(10ms);
    EXPECT_EQ(ticks, after);
    timers.close(single);
}

TEST(Timers, OneInAThousandYearsNeedsNoPatience) {
    Workers workers;
    Timers timers(workers);
    Signal soon;
    auto far = timers.schedule(std::chrono::nanoseconds::max(), 0ns, [] { ADD_FAILURE(); });
    auto near = timers.schedule(1ms, 0ns, [&] { soon.raise(); });
    EXPECT_TRUE(soon.wait());
    timers.close(far);
}

TEST(Timers, MayBeClosedFromThemselves) {
    Workers workers;
    Timers timers(workers);
    Signal closed;
    std::mutex mutex;
    Timers::Handle handle;
    {
        std::lock_guard lock(mutex);
        handle = timers.schedule(0ns, 1ms, [&] {
            std::lock_guard inner(mutex);
            timers.close(handle);
            Timers::gate(handle).wait();
            closed.raise();
        });
    }
    EXPECT_TRUE(closed.wait());
    Timers::gate(handle).wait();
}

TEST(Workers, ABlockedTaskDoesNotDelayOthers) {
    Signal release, ran;
    std::atomic<int> blocked{0};
    Workers workers(8);  // last: its tasks use the others
    for (int index = 0; index < 7; ++index)
        workers.post([&] {
            ++blocked;
            release.wait();
        });
    workers.post([&] { ran.raise(); });
    EXPECT_TRUE(ran.wait());
    release.raise();
}

}  // namespace
}  // namespace pb::plugin
