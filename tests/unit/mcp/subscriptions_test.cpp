// SPDX-License-Identifier: Apache-2.0
// Who hears of changes, in both eras.
#include <gtest/gtest.h>

#include "support/notes.h"
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
    RecorderPtr listen_to_a() {
        return world.modern("subscriptions/listen",
                            {{"notifications", {{"resourceSubscriptions", {"test://a"}}}}});
    }
    static runtime::CallerPtr with(const char* scopes) {
        return admission::Authenticator::external("default", "ada", *access::Scopes::parse(scopes),
                                                  "client");
    }
    std::vector<std::string> told;  // to the world's end
    World world;
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
    EXPECT_EQ(out->reply["result"]["resultType"], "complete");
    EXPECT_EQ(world.server.subscriptions().listening(), 0u);
}

TEST_F(Subscribing, WhatChangesBeforeTheAcknowledgmentIsToldBehindIt) {
    world.provider->handlers["resources/subscribe"] = [this](auto call, const json&, const json&) {
        world.catalog.resource_updated("default", "test://a");
        add_tool("new");
        world.provider->ok(call, json::object());
    };
    auto out = world.modern(
        "subscriptions/listen",
        {{"notifications", {{"toolsListChanged", true}, {"resourceSubscriptions", {"test://a"}}}}});
    ASSERT_EQ(out->sent.size(), 3u);
    EXPECT_EQ(out->sent[0]["method"], "notifications/subscriptions/acknowledged");
    EXPECT_EQ(out->sent[1]["method"], "notifications/tools/list_changed");
    EXPECT_EQ(out->sent[2]["method"], "notifications/resources/updated");
}

TEST_F(Subscribing, ANewGenerationIsToldOfTheSubscribersThatAreThere) {
    auto out = listen_to_a();
    auto next = std::make_shared<FakeProvider>(world.calls);
    next->handlers = world.provider->handlers;
    world.publish("", next);
    world.publish("", next);
    EXPECT_EQ(told, (std::vector<std::string>{"resources/subscribe test://a",
                                              "resources/subscribe test://a"}));
    out->gone();
    EXPECT_EQ(told.size(), 3u);
    EXPECT_EQ(told.back(), "resources/unsubscribe test://a");
}

// A provider that is slow to answer is not overtaken: in the end it knows what is so.
TEST_F(Subscribing, TheProviderIsToldOneThingAtATime) {
    catalog::CallId asked = catalog::no_call;
    world.provider->handlers["resources/subscribe"] = [&](auto call, const json&, const json&) {
        told.emplace_back("subscribe");
        asked = call;
    };
    auto first = listen_to_a();
    first->gone();
    auto second = listen_to_a();
    EXPECT_EQ(told, std::vector<std::string>{"subscribe"});
    world.provider->ok(asked, json::object());
    EXPECT_EQ(told, std::vector<std::string>{"subscribe"}) << "there is a subscriber again";
    second->gone();
    EXPECT_EQ(told.back(), "resources/unsubscribe test://a");
    EXPECT_EQ(told.size(), 2u);
}

// Only the provider knows whose rows a resource shows.
TEST_F(Subscribing, WhoMayNotHearOfAResourceDoesNot) {
    world.provider->handlers["resources/subscribe"] = [this](auto call, const json&,
                                                             const json& context) {
        const auto scopes = context["scopes"].dump();
        told.push_back(scopes);
        world.calls.complete(call,
                             scopes.find("source:b") == scopes.npos ? Status::ok : Status::denied,
                             R"({"message":"not this one"})");
    };
    auto first = listen_to_a();
    world.as = with("mcp:read source:b");
    auto second = listen_to_a();
    EXPECT_EQ(second->sent.at(0)["params"]["notifications"], json::object());
    auto session = world.open();
    auto stream = std::make_shared<Recorder>();
    session->standalone = stream;
    auto refused = world.legacy(session, "resources/subscribe", {{"uri", "test://a"}});
    EXPECT_EQ(refused->reply["error"]["code"], -32002);
    world.as = with("mcp:read source:a");
    auto third = listen_to_a();
    auto taken = world.legacy(session, "resources/subscribe", {{"uri", "test://a"}});
    EXPECT_EQ(taken->reply["result"], json::object()) << "as whoever asks, not whoever opened";
    EXPECT_EQ(told.size(), 4u) << "those who may do the same are asked for once";
    world.catalog.resource_updated("default", "test://a");
    EXPECT_EQ(first->sent.size(), 2u);
    EXPECT_EQ(second->sent.size(), 1u);
    EXPECT_EQ(third->sent.size(), 2u);
    EXPECT_EQ(stream->sent.size(), 1u);
    first->gone();
    second->gone();
    third->gone();
    EXPECT_EQ(told.size(), 4u);
    world.server.close_session(session);
    EXPECT_EQ(told.back(), "resources/unsubscribe test://a");
}

TEST_F(Subscribing, AProviderThatCannotSayIsNoRefusalButToWhoIsNarrowed) {
    world.provider->handlers["resources/subscribe"] = [this](auto call, const json&, const json&) {
        world.calls.complete(call, Status::busy, {});
    };
    const json all{{"resourceSubscriptions", {"test://a"}}};
    EXPECT_EQ(listen_to_a()->sent.at(0)["params"]["notifications"], all);
    world.as = with("mcp:read object:note");
    EXPECT_EQ(listen_to_a()->sent.at(0)["params"]["notifications"], json::object());
}

TEST_F(Subscribing, WhatIsForbiddenLaterIsHeardOfNoMore) {
    auto out = listen_to_a();
    auto session = world.open();
    auto stream = std::make_shared<Recorder>();
    session->standalone = stream;
    world.legacy(session, "resources/subscribe", {{"uri", "test://a"}});
    const auto forbid = [this](std::vector<config::Forbidden> rules) {
        allow(world.admission.policies(),
              [&](auto& access) { access.forbidden = std::move(rules); });
    };
    forbid({{{}, {"fake"}, {}, {}}});
    world.catalog.resource_updated("default", "test://a");
    EXPECT_EQ(out->sent.size(), 1u);
    EXPECT_TRUE(stream->sent.empty());
    forbid({});
    world.catalog.resource_updated("default", "test://a");
    EXPECT_EQ(out->sent.size(), 2u);
    EXPECT_EQ(stream->sent.size(), 1u);
    // The stream of a session may be another credential's, which sees less.
    session->listener = with("mcp:write");
    world.catalog.resource_updated("default", "test://a");
    EXPECT_EQ(out->sent.size(), 3u);
    EXPECT_EQ(stream->sent.size(), 1u);
}

TEST_F(Subscribing, ALegacyAnswerWaitsForTheProvidersAndMissesNothing) {
    catalog::CallId asked = catalog::no_call;
    world.provider->handlers["resources/subscribe"] = [&](auto call, const json&, const json&) {
        asked = call;
    };
    auto session = world.open();
    auto stream = std::make_shared<Recorder>();
    session->standalone = stream;
    auto out = world.legacy(session, "resources/subscribe", {{"uri", "test://a"}});
    world.catalog.resource_updated("default", "test://a");
    EXPECT_FALSE(out->over);
    EXPECT_TRUE(stream->sent.empty());
    world.provider->ok(asked, json::object());
    EXPECT_EQ(out->reply["result"], json::object());
    EXPECT_EQ(stream->sent.size(), 1u);
}

TEST_F(Subscribing, AfterGoodbyeNobodyListens) {
    world.server.goodbye();
    auto out =
        world.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}});
    EXPECT_EQ(out->http_status, 503);
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
