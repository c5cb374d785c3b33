// SPDX-License-Identifier: Apache-2.0
// What a legacy session holds, and how it ends.
#include <gtest/gtest.h>

#include "support/world.h"

namespace pb::test {
namespace {

// As long unused as can be.
void forget_use(const mcp::SessionPtr& session) {
    std::lock_guard lock(session->mutex);
    session->last_used = std::chrono::steady_clock::time_point::min();
}

class Sessions : public testing::Test {
  protected:
    Sessions() {
        world.list("resources/list", "resources", {{{"uri", "test://a"}, {"name", "a"}}});
        for (const std::string method : {"resources/subscribe", "resources/unsubscribe"})
            world.provider->handlers[method] = [this, method](auto call, const json&, const json&) {
                told.push_back(method);
                world.provider->ok(call, json::object());
            };
        world.tool(simple_tool("slow"), [this](auto id, const json&, const json&) { kept = id; });
        world.publish();
    }
    RecorderPtr subscribe(const mcp::SessionPtr& session) {
        return world.legacy(session, "resources/subscribe", {{"uri", "test://a"}});
    }
    RecorderPtr cancel(const mcp::SessionPtr& session, const json& id,
                       const std::string& version = "2025-11-25") {
        FakeHeaders headers;
        headers.all = {{"MCP-Protocol-Version", version}};
        return world.send({{"jsonrpc", "2.0"},
                           {"method", "notifications/cancelled"},
                           {"params", {{"requestId", id}}}},
                          &headers, session);
    }
    World world;
    std::vector<std::string> told;
    catalog::CallId kept = catalog::no_call;
};

TEST_F(Sessions, TheIdleOnesEndAndGiveTheirSubscriptionsBack) {
    auto session = world.open();
    subscribe(session);
    world.server.sweep();
    EXPECT_EQ(world.server.sessions().size(), 1u) << "it was used just now";
    forget_use(session);
    world.server.sweep();
    EXPECT_EQ(world.server.sessions().size(), 0u);
    EXPECT_EQ(told, (std::vector<std::string>{"resources/subscribe", "resources/unsubscribe"}));
}

TEST_F(Sessions, WithAStreamOrARunningRequestAreNotIdle) {
    auto listening = world.open();
    listening->standalone = std::make_shared<Recorder>();
    auto running = world.open();
    auto out = world.legacy(running, "tools/call", {{"name", "slow"}});
    forget_use(listening);
    forget_use(running);
    world.server.sweep();
    EXPECT_EQ(world.server.sessions().size(), 2u);
    EXPECT_FALSE(out->over);
    world.provider->ok(kept, text_result("done"));
    forget_use(running);
    world.server.sweep();
    EXPECT_EQ(world.server.sessions().size(), 1u);
}

// A token that has expired ends what it holds open; its successor goes on in the session.
TEST_F(Sessions, AStreamEndsWithItsTokenAndTheSessionWithItsGrant) {
    auto session = world.open();
    auto fresh = std::make_shared<runtime::Caller>(*world.authenticator.local());
    fresh->token = "fresh";
    auto streams = std::make_shared<Recorder>(), others = std::make_shared<Recorder>();
    session->standalone = streams;
    session->listener = world.authenticator.local();
    auto modern =
        world.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}});
    const auto only_fresh = [](const runtime::Caller& caller) {
        return caller.token == "fresh" ? runtime::Standing::good : runtime::Standing::stale;
    };
    world.server.end_of(only_fresh);
    EXPECT_TRUE(streams->ended);
    EXPECT_TRUE(modern->over);
    EXPECT_EQ(world.server.subscriptions().listening(), 0u);
    session->standalone = others;
    session->listener = fresh;
    world.server.end_of(only_fresh);
    EXPECT_FALSE(others->ended);
    EXPECT_EQ(world.server.sessions().size(), 1u);
    world.server.end_of([](const runtime::Caller&) { return runtime::Standing::gone; });
    EXPECT_TRUE(others->ended);
    EXPECT_EQ(world.server.sessions().size(), 0u);
}

TEST_F(Sessions, ClosedOnesBeginNothing) {
    auto session = world.open();
    world.server.close_session(session);
    EXPECT_TRUE(subscribe(session)->reply.contains("error"));
    EXPECT_TRUE(told.empty());
    auto out = world.legacy(session, "tools/call", {{"name", "slow"}});
    EXPECT_EQ(out->http_status, 404);
    EXPECT_EQ(kept, catalog::no_call);
}

TEST_F(Sessions, AnAnswerToAnotherRequestWithItsIdDoesNotFreeARunningOne) {
    auto session = world.open();
    auto out = world.legacy(session, "tools/call", {{"name", "slow"}}, nullptr, 5);
    EXPECT_TRUE(
        world.legacy(session, "ping", json::object(), nullptr, 5)->reply.contains("result"));
    EXPECT_TRUE(world.legacy(session, "tools/call", {{"name", "nope"}}, nullptr, 5)
                    ->reply.contains("error"));
    cancel(session, 5);
    EXPECT_TRUE(out->ended);
}

TEST_F(Sessions, NotificationsNeedASessionAndAKnownVersionToo) {
    auto session = world.open();
    auto out = world.legacy(session, "tools/call", {{"name", "slow"}}, nullptr, 5);
    EXPECT_EQ(cancel(nullptr, 5)->http_status, 400);
    EXPECT_EQ(cancel(session, 5, "1999-01-01")->http_status, 400);
    EXPECT_FALSE(out->over);
    EXPECT_EQ(cancel(session, 5)->http_status, 202);
    EXPECT_TRUE(out->ended);
}

TEST(EventLog, OpenStreamsOutliveAnyNumberOfFinishedOnes) {
    mcp::EventLog log;
    const auto open = log.open_stream();
    const auto first = log.append(open, "1");
    for (int i = 0; i < 5000; ++i)
        log.finish(log.open_stream());
    const auto second = log.append(open, "2");
    EXPECT_NE(second, first);
    const auto replay = log.replay(first);
    ASSERT_TRUE(replay);
    ASSERT_EQ(replay->events.size(), 1u);
    EXPECT_EQ(replay->events[0].first, second);
}

}  // namespace
}  // namespace pb::test
