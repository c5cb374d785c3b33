// SPDX-License-Identifier: Apache-2.0
// The streams of a legacy session outlive their connections: what is missed is had again with
// Last-Event-ID, a lost connection cancels nothing, and a slow reader misses nothing in silence.
#include <thread>

#include "door.h"

namespace pb::test {
namespace {

class Resumable : public Door {
  protected:
    // A call that has said something and is still open.
    FakeExchangePtr stream(const std::string& version = "2025-11-25") {
        session = open(version);
        auto exchange = legacy(session, call("keep", 7, {{"progressToken", "t"}}));
        notify_kept(R"({"progress":1})");
        return exchange;
    }
    std::string session;
};

TEST_F(Resumable, FirstAnIdThenNumberedMessagesThenTheAnswer) {
    auto exchange = stream();
    answer_kept();
    const auto events = exchange->events();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_FALSE(events[0].id.empty());
    EXPECT_FALSE(events[0].retry.empty());
    EXPECT_EQ(events[0].data, "");
    EXPECT_EQ(data_of(events[1])["params"]["progressToken"], "t");
    EXPECT_EQ(data_of(events[2])["id"], 7);
    EXPECT_NE(events[1].id, events[2].id);
    EXPECT_TRUE(exchange->ended());
}

TEST_F(Resumable, OlderVersionsHaveNoPrimingEvent) {
    auto exchange = stream("2025-06-18");
    ASSERT_EQ(exchange->events().size(), 1u);
    EXPECT_FALSE(exchange->events()[0].data.empty());
    EXPECT_FALSE(exchange->events()[0].id.empty());
}

TEST_F(Resumable, ALostConnectionCancelsNothingAndIsTakenUpAgain) {
    auto first = stream();
    first->leave();
    EXPECT_EQ(world.provider->cancels(), 0u);
    notify_kept(R"({"progress":2})");
    EXPECT_EQ(said, Status::ok);
    auto second = get(session, first->events().at(0).id);
    ASSERT_EQ(second->events().size(), 2u);
    EXPECT_EQ(data_of(second->events()[0])["params"]["progress"], 1);
    EXPECT_EQ(data_of(second->events()[1])["params"]["progress"], 2);
    EXPECT_FALSE(second->ended());
    answer_kept();
    ASSERT_EQ(second->events().size(), 3u);
    EXPECT_EQ(data_of(second->events()[2])["id"], 7);
    EXPECT_TRUE(second->ended());
}

TEST_F(Resumable, OnlyWhatCameAfterTheLastEvent) {
    auto first = stream();
    const auto last = first->events().at(1).id;
    first->leave();
    EXPECT_TRUE(get(session, last)->events().empty());
}

TEST_F(Resumable, AFinishedStreamIsReplayedAndEnds) {
    auto first = stream();
    const auto start = first->events().at(0).id;
    first->leave();
    answer_kept();
    for (int i = 0; i < 2; ++i) {
        auto again = get(session, start);
        ASSERT_EQ(again->events().size(), 2u);
        EXPECT_EQ(data_of(again->events()[1])["result"]["content"][0]["text"], "late");
        EXPECT_TRUE(again->ended());
    }
}

TEST_F(Resumable, TheNewestConnectionIsTheOneThatServes) {
    auto first = stream();
    auto second = get(session, first->events().at(0).id);
    EXPECT_TRUE(first->ended());
    notify_kept(R"({"progress":2})");
    EXPECT_EQ(first->events().size(), 2u);
    EXPECT_EQ(second->events().size(), 2u);
    // The first connection's end has nothing to do with the second.
    first->leave();
    answer_kept();
    EXPECT_TRUE(second->ended());
}

TEST_F(Resumable, AnotherSessionsEventsAreNotGivenAway) {
    auto first = stream();
    const auto id = first->events().at(0).id;
    answer_kept();
    auto other = get(open(), id);
    for (const auto& event : other->events())
        EXPECT_EQ(event.data, "");
}

TEST_F(Resumable, AProviderMayLetTheClientGoAndComeBack) {
    auto first = stream();
    EXPECT_EQ(world.calls.notify(kept, "patchbay/stream/release", R"({"retry_ms":25})"),
              Status::ok);
    EXPECT_TRUE(first->ended());
    EXPECT_TRUE(first->stream().ends_with("retry: 25\n\n"));
    answer_kept();
    auto second = get(session, first->events().at(0).id);
    EXPECT_EQ(data_of(second->events().back())["id"], 7);
}

TEST_F(Resumable, OlderVersionsAreNotLetGo) {
    auto first = stream("2025-06-18");
    world.calls.notify(kept, "patchbay/stream/release", R"({"retry_ms":25})");
    EXPECT_FALSE(first->ended());
}

// Progress may be coalesced, but a message that was not taken must be said again, or had again.
TEST_F(Resumable, ASlowReaderOfACallIsToldToTheProvider) {
    session = open();
    legacy(session, message("logging/setLevel", {{"level", "debug"}}));
    auto exchange = legacy(session, call("keep"));
    auto log = [&](int number) {
        const auto params = json{{"level", "info"}, {"data", number}}.dump();
        return world.calls.notify(kept, "notifications/message", params);
    };
    EXPECT_EQ(log(1), Status::ok);
    exchange->fill();
    EXPECT_EQ(log(2), Status::again);
    EXPECT_EQ(log(2), Status::again);
    exchange->fill(false);
    EXPECT_EQ(log(2), Status::ok);
    answer_kept();
    std::vector<json> data;
    for (const auto& event : exchange->events())
        if (!event.data.empty() && data_of(event).contains("method"))
            data.push_back(data_of(event)["params"]["data"]);
    EXPECT_EQ(data, (std::vector<json>{1, 2}));
    // What was refused is not in the log either.
    auto again = get(session, exchange->events().at(0).id);
    EXPECT_EQ(again->events().size(), 3u);
}

TEST_F(Resumable, ASlowReaderOfTheStandaloneStreamComesBackForTheRest) {
    session = open();
    auto first = get(session);
    const auto start = first->events().at(0).id;
    first->fill();
    world.tool(simple_tool("new"), [](auto, const json&, const json&) {});
    world.publish();
    EXPECT_TRUE(first->ended());
    auto second = get(session, start);
    ASSERT_EQ(second->events().size(), 1u);
    EXPECT_EQ(data_of(second->events()[0])["method"], "notifications/tools/list_changed");
}

// The end of a connection may be told while the stream is being opened on it.
TEST_F(Resumable, AClientThatLeavesAtOnceHoldsUpNobody) {
    class Leaving : public FakeExchange {
      public:
        bool start_stream(const HeaderList& headers) override {
            const bool started = FakeExchange::start_stream(headers);
            leave();
            return started;
        }
    };
    session = open();
    auto exchange = std::make_shared<Leaving>();
    endpoint.handle(make_request("GET", {{"Host", "localhost"}, {"Mcp-Session-Id", session}}),
                    exchange);
    world.tool(simple_tool("new"), [](auto, const json&, const json&) {});
    world.publish();
    auto open = world.server.sessions().find(session);
    ASSERT_TRUE(open->standalone);
    EXPECT_FALSE(open->standalone->connected());
}

// Looking for idle sessions takes the same locks as sending.
TEST_F(Resumable, SweepingDoesNotHoldUpSending) {
    session = open();
    auto exchange = get(session);
    constexpr int rounds = 1000;
    {
        std::jthread sweeping([&] {
            auto idle = world.server.sessions().find(session);
            for (int i = 0; i < rounds; ++i) {
                {
                    std::lock_guard lock(idle->mutex);
                    idle->last_used = std::chrono::steady_clock::time_point::min();
                }
                world.server.sweep();
            }
        });
        for (int i = 0; i < rounds; ++i)
            world.server.subscriptions().lists_changed("default", {.tools = true});
    }
    EXPECT_EQ(world.server.sessions().size(), 1u);
    EXPECT_EQ(exchange->events().size(), rounds + 1u);
}

TEST_F(Resumable, RequestsWithoutABodySayAVersionThatIsKnown) {
    session = open();
    for (const char* method : {"GET", "DELETE"}) {
        auto exchange =
            send(method, {{"Mcp-Session-Id", session}, {"MCP-Protocol-Version", "1999-01-01"}}, {});
        EXPECT_EQ(exchange->status(), 400) << method;
    }
    EXPECT_TRUE(world.server.sessions().find(session));
}

TEST_F(Resumable, ManyThreadsAndConnectionsLoseNothing) {
    session = open();
    auto exchange = legacy(session, call("keep", 7, {{"progressToken", "t"}}));
    notify_kept(R"({"progress":0})");
    auto start = exchange->events().at(0).id;
    std::jthread provider([&] {
        for (int i = 1; i <= 100; ++i)
            world.calls.notify(kept, "notifications/progress", json{{"progress", i}}.dump());
        answer_kept();
    });
    // The client comes back again and again, each time for what it has not seen.
    std::vector<json> seen;
    auto last = start;
    for (bool over = false; !over;) {
        exchange->leave();
        over = exchange->ended();
        for (const auto& event : exchange->events()) {
            if (event.data.empty()) continue;
            seen.push_back(data_of(event));
            last = event.id;
        }
        if (!over) exchange = get(session, last);
    }
    ASSERT_EQ(seen.size(), 102u);
    for (int i = 0; i <= 100; ++i)
        EXPECT_EQ(seen[static_cast<std::size_t>(i)]["params"]["progress"], i);
    EXPECT_EQ(seen.back()["id"], 7);
}

}  // namespace
}  // namespace pb::test
