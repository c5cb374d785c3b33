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

TEST(SessionsOfOne, AreAShareOfAllAndTheOldestIdleOneGoesFirst) {
    auto options = World::options();
    options.max_sessions = 40;  // two for each
    World world(World::quick(), options);
    const auto who = [](const char* name) {
        return admission::Authenticator::external("default", name, access::Scopes::everything(),
                                                  "");
    };
    world.as = who("ada");
    const auto first = world.open(), second = world.open();
    forget_use(first);
    first->standalone = std::make_shared<Recorder>();
    const auto third = world.open();
    ASSERT_TRUE(third);
    EXPECT_TRUE(second->closed) << "the first has a stream";
    third->standalone = std::make_shared<Recorder>();
    world.open();
    EXPECT_EQ(world.server.sessions().size(), 2u) << "none was idle";
    EXPECT_FALSE(first->closed || third->closed);
    world.as = who("bob");
    EXPECT_TRUE(world.open()) << "somebody else has a share too";
    world.as = nullptr;
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(world.open()) << "on this machine, without credentials";
    world.server.close_session(first);
    world.as = who("ada");
    EXPECT_TRUE(world.open());
}

TEST_F(Sessions, KeepLittleOfWhatAClientSaysOfItself) {
    const auto initialize = [this](const json& info, const json& capabilities) {
        FakeHeaders headers;
        return world.send({{"jsonrpc", "2.0"},
                           {"id", 1},
                           {"method", "initialize"},
                           {"params",
                            {{"protocolVersion", "2025-11-25"},
                             {"capabilities", capabilities},
                             {"clientInfo", info}}}},
                          &headers);
    };
    const std::string large(100'000, 'x');
    const auto out = initialize(
        {{"name", "n"}, {"title", large}, {"version", "1"}, {"icons", {{{"src", large}}}}},
        json::object());
    ASSERT_TRUE(out->session);
    EXPECT_EQ(json::parse(out->session->client_info), (json{{"name", "n"}, {"version", "1"}}));
    const auto refused = initialize({{"name", "n"}}, {{"experimental", {{"x", large}}}});
    EXPECT_EQ(refused->reply["error"]["code"], -32602);
    EXPECT_FALSE(refused->session);
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
