// SPDX-License-Identifier: Apache-2.0
// The legacy era: the handshake, its methods, and what older versions must not see.
#include <gtest/gtest.h>

#include "support/world.h"

namespace pb::test {
namespace {

class Legacy : public testing::Test {
  protected:
    Legacy() {
        auto definition = simple_tool("echo");
        definition["title"] = "Echo";
        definition["icons"] = json::array({{{"src", "https://example.com/i.png"}}});
        definition["outputSchema"] = {{"type", "object"}};
        definition["execution"] = {{"taskSupport", "forbidden"}};
        world.tool(definition, [this](auto call, const json&, const json& context) {
            seen = context;
            auto result = text_result("hi");
            result["structuredContent"] = {{"a", 1}};
            result["content"].push_back(
                {{"type", "resource_link"}, {"uri", "x://y"}, {"name", "y"}});
            result["resultType"] = "complete";
            result["ttlMs"] = 5;
            world.provider->ok(call, result);
        });
        world.publish();
    }
    World world;
    json seen;
};

TEST_F(Legacy, HandshakeNegotiates) {
    for (const auto& [asked, given] :
         std::map<std::string, std::string>{{"2025-11-25", "2025-11-25"},
                                            {"2025-06-18", "2025-06-18"},
                                            {"2025-03-26", "2025-03-26"},
                                            {"2026-07-28", "2025-11-25"},
                                            {"1999-01-01", "2025-11-25"}}) {
        auto session = world.open(asked);
        ASSERT_TRUE(session);
        EXPECT_EQ(world.opened["result"]["protocolVersion"], given);
        EXPECT_TRUE(world.opened["result"]["serverInfo"].contains("name"));
        EXPECT_FALSE(world.opened["result"].contains("resultType"));
        EXPECT_EQ(session->id.size(), 22u);
    }
}

TEST(LegacyBounds, SessionsAreOnlySoMany) {
    auto options = World::options();
    options.max_sessions = 1;
    World world(World::quick(), options);
    auto session = world.open();
    ASSERT_TRUE(session);
    FakeHeaders headers;
    const json params{{"protocolVersion", "2025-11-25"}};
    const auto refused = world.send(
        {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "initialize"}, {"params", params}}, &headers);
    EXPECT_EQ(refused->http_status, 503);
    EXPECT_EQ(refused->reply["error"]["code"], -32603);
    world.server.close_session(session);
    EXPECT_TRUE(world.open());
}

TEST_F(Legacy, WithoutASessionNothingButInitialize) {
    FakeHeaders headers;
    auto out = world.send({{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/list"}}, &headers);
    EXPECT_EQ(out->http_status, 400);
    EXPECT_FALSE(out->reply["error"]["message"].get<std::string>().empty());
}

TEST_F(Legacy, ItsOwnMethods) {
    auto session = world.open();
    EXPECT_EQ(world.legacy(session, "ping")->reply["result"], json::object());
    EXPECT_EQ(world.legacy(session, "logging/setLevel", {{"level", "info"}})->reply["result"],
              json::object());
    EXPECT_EQ(world.legacy(session, "logging/setLevel", {{"level", "x"}})->reply["error"]["code"],
              -32602);
    EXPECT_EQ(world.legacy(session, "server/discover")->reply["error"]["code"], -32601);
    EXPECT_EQ(world.legacy(session, "resources/read", {{"uri", "a://b"}})->reply["error"]["code"],
              -32002);
}

TEST_F(Legacy, ResultsHaveNoModernMembers) {
    auto result =
        world.legacy(world.open("2025-11-25"), "tools/call", {{"name", "echo"}})->reply["result"];
    for (const char* name : {"resultType", "ttlMs", "cacheScope", "_meta"})
        EXPECT_FALSE(result.contains(name)) << name;
    EXPECT_TRUE(result.contains("structuredContent"));
    EXPECT_EQ(seen["protocolVersion"], "2025-11-25");
    EXPECT_EQ(seen["client"]["name"], "old");
}

TEST_F(Legacy, EachVersionSeesItsOwnMembers) {
    auto tool = [&](const std::string& version) {
        auto list = world.legacy(world.open(version), "tools/list")->reply["result"];
        EXPECT_FALSE(list.contains("ttlMs"));
        return list["tools"][0];
    };
    auto newest = tool("2025-11-25");
    EXPECT_TRUE(newest.contains("icons") && newest.contains("title") &&
                newest.contains("execution") && newest.contains("outputSchema"));
    auto middle = tool("2025-06-18");
    EXPECT_TRUE(middle.contains("title") && middle.contains("outputSchema"));
    EXPECT_FALSE(middle.contains("icons") || middle.contains("execution"));
    auto oldest = tool("2025-03-26");
    EXPECT_FALSE(oldest.contains("title") || oldest.contains("outputSchema"));
    auto result =
        world.legacy(world.open("2025-03-26"), "tools/call", {{"name", "echo"}})->reply["result"];
    EXPECT_FALSE(result.contains("structuredContent"));
    EXPECT_EQ(result["content"][1], json({{"type", "text"}, {"text", "x://y"}}));
}

TEST_F(Legacy, LinksInPromptsAreTextWhereTheyAreUnknown) {
    const json link{{"type", "resource_link"}, {"uri", "x://y"}, {"name", "y"}};
    const json text{{"type", "text"}, {"text", "x://y"}};
    const auto messages = [](const json& one) {
        return json::array({{{"role", "user"}, {"content", one}},
                            {{"role", "user"}, {"content", json::array({one})}}});
    };
    world.list("prompts/list", "prompts", {{{"name", "greet"}}});
    world.provider->handlers["prompts/get"] = [&](auto call, const json&, const json&) {
        world.provider->ok(call, {{"messages", messages(link)}});
    };
    world.publish();
    const auto get = [&](const std::string& version) {
        return world.legacy(world.open(version), "prompts/get", {{"name", "greet"}})
            ->reply["result"]["messages"];
    };
    EXPECT_EQ(get("2025-06-18"), messages(link));
    EXPECT_EQ(get("2025-03-26"), messages(text));
}

TEST_F(Legacy, CancelledNotificationEndsTheCallWithoutAnAnswer) {
    catalog::CallId running = 0;
    world.tool(simple_tool("slow"), [&](auto call, const json&, const json&) { running = call; });
    world.publish();
    auto session = world.open();
    auto out = world.legacy(session, "tools/call", {{"name", "slow"}}, nullptr, "r-1");
    FakeHeaders headers;
    auto note = world.send({{"jsonrpc", "2.0"},
                            {"method", "notifications/cancelled"},
                            {"params", {{"requestId", "r-1"}}}},
                           &headers, session);
    EXPECT_EQ(note->http_status, 202);
    EXPECT_TRUE(out->ended);
    EXPECT_TRUE(world.provider->wait_cancelled(running));
}

TEST_F(Legacy, TwoRequestsWithOneIdAreRefused) {
    catalog::CallId running = 0;
    world.tool(simple_tool("slow"), [&](auto call, const json&, const json&) { running = call; });
    world.publish();
    auto session = world.open();
    auto first = world.legacy(session, "tools/call", {{"name", "slow"}});
    auto second = world.legacy(session, "tools/call", {{"name", "slow"}});
    EXPECT_EQ(second->reply["error"]["code"], -32600);
    world.provider->ok(running, text_result("still here"));
    EXPECT_EQ(first->reply["result"]["content"][0]["text"], "still here");
    // After its end the id is free again.
    auto third = world.legacy(session, "tools/call", {{"name", "slow"}});
    world.provider->ok(running, text_result("again"));
    EXPECT_TRUE(third->reply.contains("result"));
}

TEST_F(Legacy, ClosingASessionCancelsWhatRuns) {
    world.tool(simple_tool("slow"), [](auto, const json&, const json&) {});
    world.publish();
    auto session = world.open();
    auto out = world.legacy(session, "tools/call", {{"name", "slow"}});
    world.server.close_session(session);
    EXPECT_TRUE(out->ended);
    EXPECT_FALSE(world.server.sessions().find(session->id));
}

TEST_F(Legacy, LogLevelOfTheSessionCounts) {
    world.tool(simple_tool("talk"), [this](auto call, const json&, const json&) {
        world.calls.notify(call, "notifications/message", R"({"level":"info","data":"a"})");
        world.provider->ok(call, text_result("x"));
    });
    world.publish();
    auto session = world.open();
    EXPECT_EQ(world.legacy(session, "tools/call", {{"name", "talk"}})->sent.size(), 1u);
    world.legacy(session, "logging/setLevel", {{"level", "error"}});
    EXPECT_EQ(world.legacy(session, "tools/call", {{"name", "talk"}})->sent.size(), 0u);
}

}  // namespace
}  // namespace pb::test
