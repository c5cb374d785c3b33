// SPDX-License-Identifier: Apache-2.0
// Asking the user: one provider, two eras.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "support/world.h"

namespace pb::test {
namespace {

const json question = {
    {"method", "elicitation/create"},
    {"params", {{"mode", "form"}, {"message", "Who?"}, {"requestedSchema", {{"type", "object"}}}}}};

class Asking : public testing::Test {
  protected:
    // Asks for a name, then for a colour, and answers with both; it never learns the era.
    explicit Asking(const mcp::ServerOptions& options = World::options())
        : world(World::quick(), options) {
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

    // The ids of the questions that the client was told to forget.
    static json withdrawn(const Recorder& recorder) {
        json out = json::array();
        for (const auto& message : recorder.sent)
            if (message["method"] == "notifications/cancelled")
                out.push_back(message["params"]["requestId"]);
        return out;
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

// What the trail says, in order.
class AskingTold : public Asking, public audit::Sink {
  protected:
    AskingTold() { world.admission.recorder().use(this, {}, {}); }
    void add(audit::Record&& record) noexcept override {
        EXPECT_EQ(record.name, record.method == "tools/call" ? "ask" : "");
        if (record.method == "tools/call")
            told.push_back(record.outcome + " " + record.capability + " " + record.reason);
    }
    std::vector<std::string> told;
};

TEST_F(AskingTold, ALegacyCallHasAnEndBesidesItsQuestions) {
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
    EXPECT_EQ(told, (std::vector<std::string>{"input_required fake ",
                                              "tool_error fake input_unavailable"}));
    recorder->on_send = nullptr;
}

TEST_F(AskingTold, AlsoWhereItIsCancelledWhileTheUserIsAsked) {
    auto session = world.open("2025-11-25", can_elicit);
    auto recorder = std::make_shared<Recorder>();
    world.legacy(session, "tools/call", {{"name", "ask"}}, recorder);
    ASSERT_TRUE(recorder->wait_sent(1));
    session->cancel("7");
    EXPECT_EQ(told, (std::vector<std::string>{"input_required fake ", "cancelled fake "}));
}

TEST_F(AskingTold, AModernOneEndsWithItsQuestionsOrTheirRefusal) {
    world.modern("tools/call", {{"name", "ask"}}, can_elicit);
    EXPECT_EQ(told, (std::vector<std::string>{"input_required fake "}));
    world.modern("tools/call", {{"name", "ask"}});
    ASSERT_EQ(told.size(), 3u);
    EXPECT_TRUE(told[2].starts_with("error fake the request needs")) << told[2];
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
    recorder->on_send = [&](const json&) { EXPECT_FALSE(recorder->ended); };
    FakeHeaders headers;
    world.send(
        {{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", 7}}}},
        &headers, session);
    EXPECT_TRUE(recorder->ended);
    EXPECT_EQ(withdrawn(*recorder), json::array({recorder->sent[0]["id"]}));
    EXPECT_FALSE(session->resolve(recorder->sent[0]["id"].dump(), "{}", {}));
    recorder->on_send = nullptr;
}

TEST_F(Asking, OneOfSeveralThatFailsWithdrawsTheOthers) {
    world.tool(simple_tool("several"), [this](auto call, const json&, const json&) {
        const json body{{"inputRequests", {{"a", question}, {"b", question}, {"c", question}}}};
        world.calls.complete(call, Status::input_required, body.dump());
    });
    world.publish();
    auto session = world.open("2025-11-25", can_elicit);
    auto recorder = world.legacy(session, "tools/call", {{"name", "several"}});
    ASSERT_EQ(recorder->sent.size(), 3u);
    const auto id = [&](int number) { return recorder->sent[number]["id"]; };
    EXPECT_TRUE(session->resolve(id(0).dump(), accept("x").dump(), {}));
    EXPECT_TRUE(session->resolve(id(1).dump(), {}, R"({"code":-1,"message":"no"})"));
    EXPECT_EQ(recorder->reply["result"]["isError"], true);
    EXPECT_EQ(withdrawn(*recorder), json::array({id(2)}));
}

TEST_F(Asking, NothingIsAskedForACallThatWasCancelled) {
    auto request = std::make_shared<mcp::Request>();
    auto recorder = std::make_shared<Recorder>();
    request->session = world.open("2025-11-25", can_elicit);
    request->outlet = recorder;
    auto ask = std::make_shared<mcp::LegacyAsk>(
        request, [](const Result<std::string>&) { FAIL() << "nobody waits"; });
    ask->cancel();
    ask->start(json{{"a", question}}.dump(), world.calls.timer(), std::chrono::seconds(60));
    EXPECT_TRUE(recorder->sent.empty());
    EXPECT_TRUE(request->session->asks.empty());
}

TEST_F(Asking, EveryUrlElicitationHasAnIdOfItsOwn) {
    world.tool(simple_tool("visit"), [this](auto call, const json&, const json&) {
        const json asked{{"method", "elicitation/create"},
                         {"params", {{"mode", "url"}, {"message", "m"}, {"url", "https://e/"}}}};
        world.calls.complete(call, Status::input_required,
                             json{{"inputRequests", {{"a", asked}, {"b", asked}}}}.dump());
    });
    world.publish();
    std::set<std::string> ids;
    for (int i = 0; i < 2; ++i) {
        auto session = world.open("2025-11-25", {{"elicitation", {{"url", json::object()}}}});
        for (const auto& asked : world.legacy(session, "tools/call", {{"name", "visit"}})->sent)
            ids.insert(asked["params"]["elicitationId"]);
    }
    EXPECT_EQ(ids.size(), 4u);
}

TEST(MissingCapabilities, AreThoseOfTheVersion) {
    using mcp::Version;
    const auto everything =
        R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}})";
    const auto has = [&](Version version, const std::string& method, const json& params) {
        const json questions{{"q", {{"method", method}, {"params", params}}}};
        return mcp::missing_capabilities(version, questions.dump(), everything)->empty();
    };
    const json form = question["params"], url{{"mode", "url"}}, tools{{"tools", json::array()}};
    for (auto version :
         {Version::v2025_03_26, Version::v2025_06_18, Version::v2025_11_25, Version::v2026_07_28}) {
        const bool newer = version >= Version::v2025_11_25;
        EXPECT_EQ(has(version, "elicitation/create", form), version != Version::v2025_03_26);
        EXPECT_EQ(has(version, "elicitation/create", url), newer);
        EXPECT_EQ(has(version, "sampling/createMessage", json::object()), true);
        EXPECT_EQ(has(version, "sampling/createMessage", tools), newer);
        EXPECT_EQ(has(version, "roots/list", json::object()), true);
    }
}

mcp::ServerOptions impatient() {
    auto out = World::options();
    out.patience = std::chrono::milliseconds(10);
    return out;
}

class Impatient : public Asking {
  protected:
    Impatient() : Asking(impatient()) {}
};

TEST_F(Impatient, WhoeverDoesNotAnswerIsNotWaitedForForever) {
    auto session = world.open("2025-11-25", can_elicit);
    auto recorder = world.legacy(session, "tools/call", {{"name", "ask"}});
    ASSERT_TRUE(recorder->wait());
    EXPECT_EQ(recorder->reply["result"]["isError"], true);
    EXPECT_NE(recorder->raw.find("did not answer in time"), std::string::npos);
    EXPECT_EQ(withdrawn(*recorder).size() * 2, recorder->sent.size());
}

mcp::ServerOptions two_rounds() {
    auto out = World::options();
    out.max_rounds = 2;
    return out;
}

class TwoRounds : public Asking {
  protected:
    TwoRounds() : Asking(two_rounds()) {
        world.tool(simple_tool("insist"),
                   [this](auto call, const json&, const json&) { ask(call, "name", "again"); });
        world.publish();
    }
};

TEST_F(TwoRounds, ModernClientsAreAskedOnlySoOften) {
    json params{{"name", "insist"}};
    for (int round = 1; round <= 2; ++round) {
        const auto result = world.modern("tools/call", params, can_elicit)->reply["result"];
        ASSERT_EQ(result["resultType"], "input_required") << round;
        params["requestState"] = result["requestState"];
        params["inputResponses"] = {{"name", accept("x")}};
    }
    const auto error = world.modern("tools/call", params, can_elicit)->reply["error"];
    EXPECT_EQ(error["code"], -32602);
    EXPECT_NE(error["message"].get<std::string>().find("too often"), std::string::npos);
}

TEST_F(TwoRounds, LegacyClientsAreAskedOnlySoOften) {
    auto session = world.open("2025-11-25", can_elicit);
    auto recorder = std::make_shared<Recorder>();
    recorder->on_send = [&](const json& asked) {
        session->resolve(asked["id"].dump(), accept("x").dump(), {});
    };
    world.legacy(session, "tools/call", {{"name", "insist"}}, recorder);
    ASSERT_TRUE(recorder->wait());
    EXPECT_EQ(recorder->sent.size(), 2u);
    EXPECT_NE(recorder->raw.find("too often"), std::string::npos);
    recorder->on_send = nullptr;
}

}  // namespace
}  // namespace pb::test
