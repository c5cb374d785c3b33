// SPDX-License-Identifier: Apache-2.0
// Asking the user: one provider, two eras.
#include <gtest/gtest.h>

#include "support/world.h"

namespace pb::test {
namespace {

const json question = {
    {"method", "elicitation/create"},
    {"params", {{"mode", "form"}, {"message", "Who?"}, {"requestedSchema", {{"type", "object"}}}}}};

class Asking : public testing::Test {
  protected:
    // Asks for a name, then for a colour, and answers with both; it never learns the era.
    Asking() {
        world.tool(simple_tool("ask"), [this](auto call, const json& params, const json&) {
            const auto state = params.value("requestState", "");
            const auto answers = params.value("inputResponses", json::object());
            if (state.empty()) return ask(call, "name", "asked name");
            if (state == "asked name") {
                if (!answers.contains("name")) return ask(call, "name", "asked name");
                return ask(call, "colour",
                           "name=" + answers["name"]["content"]["v"].get<std::string>());
            }
            world.provider->ok(call,
                               text_result(state + " colour=" +
                                           answers["colour"]["content"]["v"].get<std::string>()));
        });
        world.publish();
    }

    void ask(catalog::CallId call, const std::string& key, const std::string& state) {
        const json body = {{"inputRequests", {{key, question}}}, {"requestState", state}};
        world.calls.complete(call, Status::input_required, body.dump());
    }

    static json accept(const std::string& value) {
        return {{"action", "accept"}, {"content", {{"v", value}}}};
    }

    World world;
    const json can_elicit = {{"elicitation", json::object()}};
};

TEST_F(Asking, ModernClientsComeAgainWithTheState) {
    auto first = world.modern("tools/call", {{"name", "ask"}}, can_elicit)->reply["result"];
    EXPECT_EQ(first["resultType"], "input_required");
    EXPECT_EQ(first["inputRequests"]["name"], question);
    EXPECT_FALSE(first.contains("ttlMs"));
    EXPECT_EQ(first["requestState"].get<std::string>().find("asked"), std::string::npos);
    auto second = world
                      .modern("tools/call",
                              {{"name", "ask"},
                               {"requestState", first["requestState"]},
                               {"inputResponses", {{"name", accept("Ada")}}}},
                              can_elicit)
                      ->reply["result"];
    EXPECT_TRUE(second["inputRequests"].contains("colour"));
    EXPECT_NE(second["requestState"], first["requestState"]);
    auto third =
        world
            .modern("tools/call",
                    {{"name", "ask"},
                     {"requestState", second["requestState"]},
                     {"inputResponses", {{"colour", accept("blue")}, {"more", json::object()}}}},
                    can_elicit)
            ->reply["result"];
    EXPECT_EQ(third["content"][0]["text"], "name=Ada colour=blue");
}

TEST_F(Asking, AStateIsGoodForItsOwnRequestOnly) {
    auto first = world.modern("tools/call", {{"name", "ask"}}, can_elicit)->reply["result"];
    const std::string state = first["requestState"];
    for (const json& params :
         {json{{"name", "ask"}, {"requestState", state + "-TAMPERED"}},
          json{{"name", "ask"}, {"requestState", "bm9uc2Vuc2U"}},
          json{{"name", "ask"}, {"requestState", 5}},
          json{{"name", "ask"}, {"arguments", {{"other", 1}}}, {"requestState", state}}}) {
        auto out = world.modern("tools/call", params, can_elicit);
        EXPECT_EQ(out->reply["error"]["code"], -32602) << params;
    }
}

TEST_F(Asking, ModernResponsesMustBeObjects) {
    for (const json& responses : {json(nullptr), json({{"name", 12345}}), json::array()}) {
        auto out = world.modern("tools/call", {{"name", "ask"}, {"inputResponses", responses}},
                                can_elicit);
        EXPECT_EQ(out->reply["error"]["code"], -32602) << responses;
    }
}

TEST_F(Asking, AMissingCapabilityIsNamed) {
    auto out = world.modern("tools/call", {{"name", "ask"}});
    EXPECT_EQ(out->http_status, 400);
    EXPECT_EQ(out->reply["error"]["code"], -32021);
    EXPECT_TRUE(out->reply["error"]["data"]["requiredCapabilities"]["elicitation"].is_object());
}

TEST_F(Asking, LegacyClientsAreAskedOnTheStream) {
    auto session = world.open("2025-06-18", can_elicit);
    auto recorder = std::make_shared<Recorder>();
    recorder->on_send = [&](const json& asked) {
        EXPECT_EQ(asked["method"], "elicitation/create");
        EXPECT_FALSE(asked["params"].contains("mode"));  // 2025-11-25 and later
        FakeHeaders headers;
        const auto value = recorder->sent.size() == 1 ? "Ada" : "blue";
        world.send({{"jsonrpc", "2.0"}, {"id", asked["id"]}, {"result", accept(value)}}, &headers,
                   session);
    };
    world.legacy(session, "tools/call", {{"name", "ask"}}, recorder);
    ASSERT_TRUE(recorder->wait());
    const auto& result = recorder->reply["result"];
    EXPECT_EQ(result["content"][0]["text"], "name=Ada colour=blue");
    EXPECT_FALSE(result.contains("resultType"));
    recorder->on_send = nullptr;
}

TEST_F(Asking, ALegacyClientThatRefusesEndsTheCallReadably) {
    auto session = world.open("2025-11-25", can_elicit);
    auto recorder = std::make_shared<Recorder>();
    recorder->on_send = [&](const json& asked) {
        FakeHeaders headers;
        world.send({{"jsonrpc", "2.0"},
                    {"id", asked["id"]},
                    {"error", {{"code", -1}, {"message", "no user here"}}}},
                   &headers, session);
    };
    world.legacy(session, "tools/call", {{"name", "ask"}}, recorder);
    ASSERT_TRUE(recorder->wait());
    EXPECT_EQ(recorder->reply["result"]["isError"], true);
    EXPECT_NE(recorder->raw.find("no user here"), std::string::npos);
    recorder->on_send = nullptr;
}

TEST_F(Asking, LegacyClientsWithoutTheCapabilityOrAStream) {
    auto plain = world.legacy(world.open(), "tools/call", {{"name", "ask"}});
    EXPECT_EQ(plain->reply["result"]["isError"], true);
    auto recorder = std::make_shared<Recorder>();
    recorder->streams = false;
    world.legacy(world.open("2025-11-25", can_elicit), "tools/call", {{"name", "ask"}}, recorder);
    EXPECT_EQ(recorder->reply["result"]["isError"], true);
}

TEST_F(Asking, LegacyClientsCannotForgeAState) {
    auto session = world.open("2025-11-25", can_elicit);
    auto recorder = std::make_shared<Recorder>();
    world.legacy(session, "tools/call", {{"name", "ask"}, {"requestState", "name=root"}}, recorder);
    ASSERT_TRUE(recorder->wait_sent(1));
    EXPECT_FALSE(recorder->over);
    world.server.close_session(session);
    ASSERT_TRUE(recorder->wait());
}

TEST_F(Asking, CancellingWhileAskingEndsBoth) {
    auto session = world.open("2025-11-25", can_elicit);
    auto recorder = world.legacy(session, "tools/call", {{"name", "ask"}});
    ASSERT_EQ(recorder->sent.size(), 1u);
    FakeHeaders headers;
    world.send(
        {{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 7}}}},
        &headers, session);
    EXPECT_TRUE(recorder->ended);
    EXPECT_FALSE(session->resolve(recorder->sent[0]["id"].dump(), "{}", {}));
}

}  // namespace
}  // namespace pb::test
