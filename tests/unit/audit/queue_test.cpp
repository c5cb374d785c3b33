// SPDX-License-Identifier: Apache-2.0
// The queue's bounds and what it counts.
#include "audit/queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace pb::audit {
namespace {

using namespace std::chrono_literals;

Queue::Clock::time_point later() { return Queue::Clock::now() + 60s; }

TEST(Queue, GivesInOrderWhatItWasGiven) {
    Queue queue(100'000, 1 << 20);
    bool first = false;
    for (int i = 0; i < 10'000; ++i)
        ASSERT_TRUE(queue.add(std::to_string(i) + ",", "acme", 1, first));
    std::string expected, got;
    std::size_t records = 0;
    for (int i = 0; i < 10'000; ++i)
        expected += std::to_string(i) + ",";
    for (const auto& chunk : queue.take(0ms, later())) {
        got += chunk.bytes;
        records += chunk.records;
    }
    EXPECT_EQ(got, expected);
    EXPECT_EQ(records, 10'000U);
}

TEST(Queue, WhatIsTakenCountsUntilItIsWritten) {
    Queue queue(2, 1000);
    bool first = false;
    EXPECT_TRUE(queue.add("a", "acme", 1, first));
    EXPECT_TRUE(queue.add("b", "acme", 1, first));
    const auto chunks = queue.take(0ms, later());
    EXPECT_EQ(queue.counts().records, 2U);
    EXPECT_FALSE(queue.add("c", "acme", 5, first));
    EXPECT_TRUE(first);
    EXPECT_FALSE(queue.add("d", "globex", 7, first));
    EXPECT_FALSE(first);
    queue.written(chunks.at(0));
    EXPECT_TRUE(queue.add("e", "acme", 8, first));
    EXPECT_TRUE(queue.flush(0ms) == false);
    queue.written(queue.take(0ms, later()).at(0));
    EXPECT_TRUE(queue.flush(0ms));

    const auto loss = queue.loss();
    EXPECT_EQ(loss.records, 2U);
    EXPECT_EQ(loss.from_ms, 5);
    EXPECT_EQ(loss.to_ms, 7);
    EXPECT_EQ(loss.by_org.at("globex"), 1U);
    bool again = false;
    queue.lose("acme", 9, again);
    EXPECT_FALSE(again);
    queue.forgive(loss);
    EXPECT_EQ(queue.loss().records, 1U);
    EXPECT_EQ(queue.loss().by_org.size(), 1U);
    queue.forgive(queue.loss());
    queue.lose("acme", 10, again);
    EXPECT_TRUE(again);
    EXPECT_EQ(queue.loss().from_ms, 10);
    EXPECT_EQ(queue.counts().lost, 4U);
}

TEST(Queue, WakesTheWriterEachTime) {
    Queue queue(10, 1000);
    for (int i = 0; i < 3; ++i) {
        std::thread adding([&] {
            std::this_thread::sleep_for(5ms);  // the writer waits already, if the machine is quick
            bool first = false;
            queue.add("a", "acme", 1, first);
        });
        const auto chunks = queue.take(0ms, Queue::Clock::now() + 600s);
        adding.join();
        ASSERT_EQ(chunks.size(), 1U);
        queue.written(chunks[0]);
    }
}

TEST(Queue, IsBoundedInBytes) {
    Queue queue(1000, 10);
    bool first = false;
    EXPECT_TRUE(queue.add("12345678", "acme", 1, first));
    EXPECT_FALSE(queue.add("123", "acme", 1, first));
    EXPECT_TRUE(queue.add("12", "acme", 1, first));
}

TEST(Queue, TakesNothingForNobodyAndEndsWhenItIsClosed) {
    Queue queue(10, 1000);
    EXPECT_TRUE(queue.take(60s, Queue::Clock::now()).empty());
    std::thread closing([&] { queue.close(); });
    EXPECT_TRUE(queue.take(60s, later()).empty());
    closing.join();
    bool first = false;
    EXPECT_FALSE(queue.add("a", "acme", 1, first));
}

TEST(Queue, OrganisationsAreBoundedToo) {
    Queue queue(0, 0);
    bool first = false;
    for (int i = 0; i < 3000; ++i)
        queue.add("x", "org" + std::to_string(i), 1, first);
    EXPECT_LE(queue.loss().by_org.size(), 1001U);
    EXPECT_EQ(queue.loss().by_org.at(""), 2000U);
}

}  // namespace
}  // namespace pb::audit
