// SPDX-License-Identifier: Apache-2.0
// Batches: several messages in one body, in 2025-03-26 and nowhere else.
#include "endpoint/batch.h"

#include <set>

#include "door.h"
#include "support/notes.h"

namespace pb::test {
namespace {

class Batch : public Door {
  protected:
    FakeExchangePtr batch(const json& messages) { return legacy(session, messages); }
    static std::set<int> ids(const json& answers) {
        std::set<int> out;
        for (const auto& answer : answers)
            EXPECT_TRUE(out.insert(answer["id"].get<int>()).second) << "answered twice";
        return out;
    }
    const json notification{{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}};
    std::string session = open("2025-03-26");
};

TEST_F(Batch, AnswersLeaveTogether) {
    auto exchange = batch({message("ping", json::object(), 1), notification,
                           message("nope", json::object(), 2), call("echo", 3)});
    EXPECT_EQ(exchange->status(), 200);
    const auto answers = reply_of(exchange);
    ASSERT_TRUE(answers.is_array());
    EXPECT_EQ(ids(answers), (std::set{1, 2, 3}));
    EXPECT_TRUE(answers[0].contains("result"));
    EXPECT_EQ(answers[1]["error"]["code"], -32601);
}

TEST_F(Batch, OfNotificationsAloneHasNoAnswer) {
    auto exchange = batch({notification, notification});
    EXPECT_EQ(exchange->status(), 202);
    EXPECT_EQ(exchange->body(), "");
}

TEST_F(Batch, WhatIsNoMessageIsChargedOneByOneAndRecordedOnce) {
    test::Notes notes;
    world.admission.recorder().use(&notes, {}, {});
    test::allow(world.admission.policies(), [](auto& access) { access.limits.org = {1, 20}; });
    const auto answers = reply_of(batch(json::array_t(15, json::object())));
    EXPECT_EQ(answers.size(), 15u);
    EXPECT_EQ(answers[14]["error"]["code"], -32600);
    ASSERT_EQ(notes.all().size(), 1u);
    EXPECT_EQ(notes.all()[0].outcome, "error");
    const auto more = reply_of(batch(json::array_t(15, json::object())));
    EXPECT_EQ(more[4]["error"]["code"], -32600);
    EXPECT_EQ(more[5]["error"]["code"], -32005);
    EXPECT_EQ(notes.all().size(), 2u);
}

TEST_F(Batch, WhatIsRefusedBeforeItIsAMessageIsChargedToo) {
    test::allow(world.admission.policies(), [](auto& access) { access.limits.org = {1, 2}; });
    const HeaderList json_type{{"Content-Type", "application/json"}};
    EXPECT_EQ(send("POST", json_type, "{")->status(), 400);
    EXPECT_EQ(send("POST", {{"Content-Type", "text/plain"}}, "{}")->status(), 415);
    const auto limited = send("POST", json_type, "{");
    EXPECT_EQ(limited->status(), 429);
    EXPECT_NE(limited->header("Retry-After"), "");
    EXPECT_EQ(reply_of(limited)["error"]["code"], -32005);
}

TEST_F(Batch, WaitsForTheLast) {
    auto exchange = batch({message("ping", json::object(), 1), call("keep", 2)});
    EXPECT_FALSE(exchange->answered());
    answer_kept();
    EXPECT_EQ(ids(reply_of(exchange)), (std::set{1, 2}));
}

TEST_F(Batch, AMessageBeforeTheAnswersMakesAStream) {
    auto exchange =
        batch({message("ping", json::object(), 1), call("talk", 2, {{"progressToken", "t"}}),
               message("ping", json::object(), 3)});
    EXPECT_TRUE(exchange->ended());
    json answers = json::array();
    int notices = 0;
    for (const auto& event : exchange->events()) {
        if (event.data.empty()) continue;
        if (data_of(event).contains("method"))
            ++notices;
        else
            answers.push_back(data_of(event));
    }
    EXPECT_EQ(notices, 1);
    EXPECT_EQ(ids(answers), (std::set{1, 2, 3}));
}

TEST_F(Batch, AMemberThatIsNoMessageIsAnsweredForItself) {
    auto exchange = batch({3, message("ping", json::object(), 1), json::object()});
    const auto answers = reply_of(exchange);
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0]["error"]["code"], -32600);
    EXPECT_FALSE(answers[0].contains("id"));
    EXPECT_EQ(answers[1]["id"], 1);
}

// Every request has its answer, however little the client reads.
TEST_F(Batch, AnswersOutlastASlowReader) {
    auto exchange =
        batch({message("ping", json::object(), 1), call("keep", 2, {{"progressToken", "t"}})});
    exchange->fill();
    notify_kept(R"({"progress":1})");
    answer_kept();
    ASSERT_TRUE(exchange->ended());
    ASSERT_EQ(exchange->events().size(), 1u);
    EXPECT_EQ(ids(data_of(exchange->events()[0])), (std::set{1, 2}));
}

TEST_F(Batch, WhatWasNotTakenIsSentWhenThereIsRoom) {
    auto exchange =
        batch({message("ping", json::object(), 1), call("keep", 2, {{"progressToken", "t"}})});
    exchange->fill();
    notify_kept(R"({"progress":1})");
    exchange->fill(false);
    answer_kept();
    json answers = json::array();
    for (const auto& event : exchange->events())
        answers.push_back(data_of(event));
    EXPECT_EQ(ids(answers), (std::set{1, 2}));
}

TEST_F(Batch, CannotInitialize) {
    auto exchange = batch({message("ping", json::object(), 1),
                           message("initialize", {{"protocolVersion", "2025-03-26"}}, 2)});
    const auto answers = reply_of(exchange);
    ASSERT_EQ(answers.size(), 2u);
    EXPECT_EQ(answers[1]["id"], 2);
    EXPECT_EQ(answers[1]["error"]["code"], -32600);
    EXPECT_EQ(exchange->header("Mcp-Session-Id"), "");
}

TEST_F(Batch, OneToAHundred) {
    json messages = json::array();
    EXPECT_EQ(batch(messages)->status(), 400);
    for (int i = 0; i < 100; ++i)
        messages.push_back(message("ping", json::object(), i));
    EXPECT_EQ(ids(reply_of(batch(messages))).size(), 100u);
    messages.push_back(message("ping", json::object(), 100));
    auto refused = batch(messages);
    EXPECT_EQ(refused->status(), 400);
    EXPECT_EQ(reply_of(refused)["error"]["code"], -32600);
}

TEST_F(Batch, OtherVersionsHaveNone) {
    for (const char* version : {"2025-06-18", "2025-11-25"}) {
        auto exchange = legacy(open(version), json::array({message("ping")}));
        EXPECT_EQ(exchange->status(), 400) << version;
        EXPECT_EQ(reply_of(exchange)["error"]["code"], -32600);
    }
    EXPECT_EQ(post(json::array({message("ping")}))->status(), 400) << "no session";
    auto modern = message("tools/list", {{"_meta", World::modern_meta()}});
    EXPECT_EQ(post(json::array({modern}), {{"MCP-Protocol-Version", "2026-07-28"}})->status(), 400);
}

}  // namespace
}  // namespace pb::test
