// SPDX-License-Identifier: Apache-2.0
// Who hears of changes, in both eras.
#include <gtest/gtest.h>

#include "support/world.h"

namespace pb::test {
namespace {

constexpr const char* id_key = "io.modelcontextprotocol/subscriptionId";

class Subscribing : public testing::Test {
  protected:
    Subscribing() {
        world.list("resources/list", "resources", {{{"uri", "test://a"}, {"name", "a"}}});
        for (const std::string method : {"resources/subscribe", "resources/unsubscribe"})
            world.provider->handlers[method] = [this, method](auto call, const json& params,
                                                              const json&) {
                told.push_back(method + " " + params["uri"].get<std::string>());
                world.provider->ok(call, json::object());
            };
        world.publish();
    }
    void add_tool(const std::string& name, const std::string& name_space = "") {
        world.tool(simple_tool(name), [](auto, const json&, const json&) {});
        world.publish(name_space);
    }
    World world;
    std::vector<std::string> told;
};

TEST_F(Subscribing, AcknowledgedFirstThenOnlyWhatWasAskedFor) {
    auto tools =
        world.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}});
    auto prompts =
        world.modern("subscriptions/listen", {{"notifications", {{"promptsListChanged", true}}}});
    ASSERT_EQ(tools->sent.size(), 1u);
    EXPECT_EQ(tools->sent[0]["method"], "notifications/subscriptions/acknowledged");
    EXPECT_EQ(tools->sent[0]["params"]["notifications"], json({{"toolsListChanged", true}}));
    EXPECT_EQ(tools->sent[0]["params"]["_meta"][id_key], 7);
    add_tool("new");
    ASSERT_EQ(tools->sent.size(), 2u);
    EXPECT_EQ(tools->sent[1]["method"], "notifications/tools/list_changed");
    EXPECT_EQ(tools->sent[1]["params"]["_meta"][id_key], 7);
    EXPECT_EQ(prompts->sent.size(), 1u);
    EXPECT_FALSE(tools->over);
}

TEST_F(Subscribing, ResourceUpdatesForKnownUrisAndTheProviderIsTold) {
    world.publish("lab");
    auto out = world.modern(
        "subscriptions/listen",
        {{"notifications", {{"resourceSubscriptions", {"lab+test://a", "test://no"}}}}});
    EXPECT_EQ(out->sent[0]["params"]["notifications"]["resourceSubscriptions"],
              json({"lab+test://a"}));
    world.catalog.resource_updated("default", "lab+test://a");
    world.catalog.resource_updated("default", "lab+test://b");
    world.catalog.resource_updated("another", "lab+test://a");
    ASSERT_EQ(out->sent.size(), 2u);
    EXPECT_EQ(out->sent[1]["params"]["uri"], "lab+test://a");
    ASSERT_TRUE(out->gone);
    out->gone();
    EXPECT_EQ(told, (std::vector<std::string>{"resources/subscribe test://a",
                                              "resources/unsubscribe test://a"}));
    EXPECT_EQ(world.server.subscriptions().listening(), 0u);
}

TEST_F(Subscribing, GoodbyeEndsWithTheResponse) {
    auto out =
        world.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}});
    world.server.goodbye();
    ASSERT_TRUE(out->over);
    EXPECT_EQ(out->sent.back()["method"], "notifications/cancelled");
    EXPECT_EQ(out->reply["result"]["resultType"], "complete");
    EXPECT_EQ(out->reply["result"]["_meta"][id_key], 7);
}

// It would otherwise believe that nothing changed.
TEST_F(Subscribing, AReaderThatFallsBehindIsCutOff) {
    auto out =
        world.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}});
    out->full = true;
    add_tool("new");
    EXPECT_TRUE(out->ended);
    EXPECT_EQ(world.server.subscriptions().listening(), 0u);
}

TEST_F(Subscribing, NeedsAFilterAndAStream) {
    EXPECT_EQ(world.modern("subscriptions/listen")->reply["error"]["code"], -32602);
    auto recorder = std::make_shared<Recorder>();
    recorder->streams = false;
    world.modern("subscriptions/listen", {{"notifications", json::object()}}, json::object(),
                 recorder);
    EXPECT_TRUE(recorder->reply.contains("error"));
}

TEST_F(Subscribing, LegacySessionsHearOnTheirStream) {
    world.publish("lab");
    auto session = world.open();
    auto stream = std::make_shared<Recorder>();
    session->standalone = stream;
    EXPECT_EQ(
        world.legacy(session, "resources/subscribe", {{"uri", "lab+test://a"}})->reply["result"],
        json::object());
    EXPECT_EQ(world.legacy(session, "resources/subscribe", {{"uri", "test://no"}})
                  ->reply["error"]["code"],
              -32002);
    world.catalog.resource_updated("default", "lab+test://a");
    add_tool("new", "lab");
    ASSERT_EQ(stream->sent.size(), 2u);
    EXPECT_EQ(stream->sent[0]["method"], "notifications/resources/updated");
    EXPECT_FALSE(stream->sent[0]["params"].contains("_meta"));
    EXPECT_EQ(stream->sent[1],
              json({{"jsonrpc", "2.0"}, {"method", "notifications/tools/list_changed"}}));
    world.legacy(session, "resources/unsubscribe", {{"uri", "lab+test://a"}});
    world.catalog.resource_updated("default", "lab+test://a");
    EXPECT_EQ(stream->sent.size(), 2u);
    EXPECT_EQ(told.size(), 2u);
}

}  // namespace
}  // namespace pb::test
