// SPDX-License-Identifier: Apache-2.0
// Asking the user: rounds, state, answers of the wrong shape, every kind of question.
#include <gtest/gtest.h>

#include "fake_host.h"

namespace {

using namespace sdk_test;

const json able = json::parse(
    R"({"clientCapabilities":{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}})");

json accept(const json& content) { return {{"action", "accept"}, {"content", content}}; }

patchbay::Question name_form() {
    return patchbay::elicit_form("Your name?", {patchbay::text_field("name").min_length(1)});
}

void offer(patchbay::Plugin& plugin) {
    plugin.tool("two").handle([](patchbay::Call& call) {
        const auto name = call.ask("name", name_form());
        if (!name.accepted()) return std::string(name.declined() ? "declined" : "dismissed");
        const auto age =
            call.ask("age", patchbay::elicit_form("Age?", {patchbay::integer_field("age")}));
        return name.get<std::string>("name") + " is " + std::to_string(age.get<int>("age"));
    });
    plugin.tool("several").handle([](patchbay::Call& call) {
        auto answers = call.require({{"name", name_form()},
                                     {"model", patchbay::Sampling("Hi", 50)},
                                     {"roots", patchbay::list_roots()}});
        return answers.at("name").get<std::string>("name") + "|" + answers.at("model").text() +
               "|" + answers.at("model").model() + "|" + answers.at("roots").roots().at(0);
    });
    plugin.tool("state").handle([](patchbay::Call& call) {
        if (call.state().is_null()) call.set_state({{"work", 42}});
        call.ask("name", name_form());
        return call.state();
    });
    plugin.tool("url").handle([](patchbay::Call& call) {
        static const auto question = patchbay::elicit_url("Sign in", "https://example.com/");
        call.ask("login", question);
        const int tries = call.state().is_null() ? 1 : call.state().get<int>() + 1;
        call.set_state(tries);
        if (tries < 2) call.ask_again("login", question);
        return std::to_string(tries);
    });
    plugin.tool("swallows").handle([](patchbay::Call& call) {
        try {
            call.ask("name", name_form());
        } catch (const std::exception&) {
            return "swallowed";
        }
        return "answered";
    });
}

class Ask : public testing::Test {
  protected:
    Ended round(const char* tool, const json& responses = nullptr, const json& state = nullptr,
                const json& context = able) {
        json params = {{"name", tool}, {"arguments", json::object()}};
        if (!responses.is_null()) params["inputResponses"] = responses;
        if (!state.is_null()) params["requestState"] = state;
        return plugin.call("tools/call", params, context);
    }
    static std::string text(const Ended& ended) {
        return ended.body["content"][0]["text"].get<std::string>();
    }
    Instance plugin{offer};
};

TEST_F(Ask, AQuestionEndsTheRoundAndItsAnswerContinues) {
    const auto first = round("two");
    EXPECT_EQ(first.status, PATCHBAY_INPUT_REQUIRED);
    EXPECT_EQ(first.body, json::parse(R"({"inputRequests":{"name":{"method":"elicitation/create",
        "params":{"mode":"form","message":"Your name?","requestedSchema":{"type":"object",
        "properties":{"name":{"type":"string","minLength":1}},"required":["name"]}}}}})"));

    const auto second = round("two", {{"name", accept({{"name", "Ann"}})}});
    EXPECT_EQ(second.status, PATCHBAY_INPUT_REQUIRED);
    EXPECT_TRUE(second.body["inputRequests"].contains("age"));
    EXPECT_FALSE(second.body["inputRequests"].contains("name"));

    // The client answers only the last round; the first answer is in the state.
    const auto third =
        round("two", {{"age", accept({{"age", 7}})}}, second.body.at("requestState"));
    EXPECT_EQ(third.status, PATCHBAY_OK);
    EXPECT_EQ(text(third), "Ann is 7");
}

TEST_F(Ask, ThePersonMayDecline) {
    EXPECT_EQ(text(round("two", {{"name", {{"action", "decline"}}}})), "declined");
    EXPECT_EQ(text(round("two", {{"name", {{"action", "cancel"}}}})), "dismissed");
}

TEST_F(Ask, AnAnswerOfTheWrongShapeIsAskedForAgain) {
    const json bad[] = {5,
                        nullptr,
                        json::array(),
                        json::object(),
                        {{"action", "maybe"}},
                        {{"action", 1}},
                        {{"action", "accept"}},
                        accept(json::array()),
                        accept(json::object()),
                        accept({{"name", 5}}),
                        accept({{"other", "x"}})};
    for (const auto& answer : bad) {
        const auto again = round("two", {{"name", answer}});
        EXPECT_EQ(again.status, PATCHBAY_INPUT_REQUIRED) << answer;
        EXPECT_TRUE(again.body["inputRequests"].contains("name")) << answer;
        EXPECT_FALSE(again.body.contains("requestState")) << "a bad answer is not kept";
    }
}

TEST_F(Ask, SeveralQuestionsInOneRound) {
    const auto first = round("several");
    EXPECT_EQ(first.status, PATCHBAY_INPUT_REQUIRED);
    EXPECT_EQ(first.body["inputRequests"].size(), 3u);
    EXPECT_EQ(first.body["inputRequests"]["model"],
              json::parse(R"({"method":"sampling/createMessage","params":{"messages":[
                  {"role":"user","content":{"type":"text","text":"Hi"}}],"maxTokens":50}})"));
    EXPECT_EQ(first.body["inputRequests"]["roots"],
              json::parse(R"({"method":"roots/list","params":{}})"));
    const json sampled = {
        {"role", "assistant"}, {"content", {{"type", "text"}, {"text", "Ho"}}}, {"model", "m1"}};

    // One is missing: only that one is asked for.
    const auto second = round("several", {{"name", accept({{"name", "Ann"}})}, {"model", sampled}});
    EXPECT_EQ(second.body["inputRequests"].size(), 1u);
    const auto third = round("several", {{"roots", {{"roots", {{{"uri", "file:///r"}}}}}}},
                             second.body.at("requestState"));
    EXPECT_EQ(text(third), "Ann|Ho|m1|file:///r");
}

TEST_F(Ask, StateLastsAcrossRounds) {
    const auto first = round("state");
    ASSERT_TRUE(first.body.at("requestState").is_string());
    const auto second =
        round("state", {{"name", accept({{"name", "x"}})}}, first.body["requestState"]);
    EXPECT_EQ(second.body["structuredContent"], json({{"work", 42}}));
}

TEST_F(Ask, AForeignStateIsIgnored) {
    for (const json& state : {json("nonsense"), json("[]"), json(5), json(R"({"answers":5})")}) {
        EXPECT_EQ(round("state", nullptr, state).status, PATCHBAY_INPUT_REQUIRED) << state;
    }
}

TEST_F(Ask, AskAgainDiscardsTheAnswer) {
    const auto first = round("url");
    EXPECT_EQ(first.body["inputRequests"]["login"],
              json::parse(R"({"method":"elicitation/create","params":{"mode":"url",
                  "message":"Sign in","url":"https://example.com/"}})"));
    const auto second = round("url", {{"login", {{"action", "accept"}}}});
    EXPECT_EQ(second.status, PATCHBAY_INPUT_REQUIRED);
    const auto third =
        round("url", {{"login", {{"action", "accept"}}}}, second.body.at("requestState"));
    EXPECT_EQ(text(third), "2");
}

TEST_F(Ask, AClientThatCannotAnswerIsNotAsked) {
    const auto ended = round("two", nullptr, nullptr, json::object());
    EXPECT_EQ(ended.status, PATCHBAY_OK);
    EXPECT_EQ(ended.body["structuredContent"]["code"], "client_cannot_answer");
    const json forms_only = {{"clientCapabilities", {{"elicitation", json::object()}}}};
    EXPECT_EQ(round("two", nullptr, nullptr, forms_only).status, PATCHBAY_INPUT_REQUIRED);
    EXPECT_EQ(round("url", nullptr, nullptr, forms_only).body["isError"], true);
}

TEST_F(Ask, CatchingStandardExceptionsDoesNotSwallowAQuestion) {
    EXPECT_EQ(round("swallows").status, PATCHBAY_INPUT_REQUIRED);
}

TEST_F(Ask, PromptsAndResourcesAskAndOthersCannot) {
    Instance asking([](patchbay::Plugin& it) {
        it.resource("a://b").read([](patchbay::Call& call) {
            return call.ask("name", name_form()).get<std::string>("name");
        });
        it.prompt("p")
            .optional_argument("x")
            .complete("x",
                      [](const patchbay::Completing&, patchbay::Call& call) {
                          call.ask("name", name_form());
                          return std::vector<std::string>{};
                      })
            .get([](const patchbay::Variables&, patchbay::Call& call) {
                return call.ask("name", name_form()).get<std::string>("name");
            });
    });
    const json answer = {{"name", accept({{"name", "Ann"}})}};
    EXPECT_EQ(asking.call("resources/read", {{"uri", "a://b"}}, able).status,
              PATCHBAY_INPUT_REQUIRED);
    EXPECT_EQ(asking.call("resources/read", {{"uri", "a://b"}, {"inputResponses", answer}}, able)
                  .body["contents"][0]["text"],
              "Ann");
    EXPECT_EQ(asking.call("prompts/get", {{"name", "p"}}, able).status, PATCHBAY_INPUT_REQUIRED);
    const auto complete = asking.call("completion/complete",
                                      {{"ref", {{"type", "ref/prompt"}, {"name", "p"}}},
                                       {"argument", {{"name", "x"}, {"value", ""}}}},
                                      able);
    EXPECT_EQ(complete.status, PATCHBAY_E_INTERNAL);
}

TEST(Form, EveryFieldLooksAsSpecified) {
    const auto form = patchbay::elicit_form(
        "m",
        {patchbay::text_field("s").title("S").description("d").max_length(5).format("email"),
         patchbay::number_field("n").minimum(0).maximum(1.5).default_value(0.5),
         patchbay::integer_field("i").optional(), patchbay::boolean_field("b").default_value(true),
         patchbay::choice_field("c", {"x", "y"}).default_value("x"),
         patchbay::titled_choice_field("t", {{"x", "The X"}}),
         patchbay::multi_choice_field("m", {"x", "y"}).min_items(1).max_items(2),
         patchbay::titled_multi_choice_field("u", {{"x", "The X"}})});
    EXPECT_EQ(json::parse(form.params["requestedSchema"].dump()), json::parse(R"({
      "type":"object","properties":{
        "s":{"type":"string","title":"S","description":"d","maxLength":5,"format":"email"},
        "n":{"type":"number","minimum":0,"maximum":1.5,"default":0.5},
        "i":{"type":"integer"},
        "b":{"type":"boolean","default":true},
        "c":{"type":"string","enum":["x","y"],"default":"x"},
        "t":{"type":"string","oneOf":[{"const":"x","title":"The X"}]},
        "m":{"type":"array","items":{"type":"string","enum":["x","y"]},"minItems":1,"maxItems":2},
        "u":{"type":"array","items":{"anyOf":[{"const":"x","title":"The X"}]}}},
      "required":["s","n","b","c","t","m","u"]})"));
}

TEST(Sampling, CarriesItsSettings) {
    const patchbay::Question question = patchbay::Sampling("Hi", 10)
                                            .system_prompt("Be brief")
                                            .temperature(0.5)
                                            .stop_sequences({"END"})
                                            .message("assistant", "Yes?");
    EXPECT_EQ(json::parse(question.params.dump()), json::parse(R"({"messages":[
        {"role":"user","content":{"type":"text","text":"Hi"}},
        {"role":"assistant","content":{"type":"text","text":"Yes?"}}],
        "maxTokens":10,"systemPrompt":"Be brief","temperature":0.5,"stopSequences":["END"]})"));
    EXPECT_TRUE(question.good(json::parse(R"({"role":"assistant","content":[]})")));
    EXPECT_FALSE(question.good(json::object()));
}

}  // namespace
