// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "fake_host.h"

namespace prompt_test {
namespace {

using namespace sdk_test;

void offer(patchbay::Plugin& plugin) {
    plugin.prompt("greet")
        .title("Greet")
        .describe("Greets")
        .argument("name", "Whom")
        .optional_argument("mood")
        .complete(
            "name",
            [](const patchbay::Completing& typing) {
                std::vector<std::string> out;
                for (int i = 0; i < 150; ++i) {
                    out.push_back(typing.value + std::to_string(i) + typing.others.at("mood"));
                }
                return out;
            })
        .get([](const patchbay::Variables& in) { return "Hello " + in.at("name"); });
    plugin.prompt("many").get([](const patchbay::Variables&, patchbay::Call&) {
        return patchbay::Messages{patchbay::user("q"), patchbay::assistant("a")}.description("D");
    });
    plugin.prompt("fails").get([](const patchbay::Variables&) -> std::string {
        throw patchbay::Error("bad", "No such mood").validation();
    });
}

class Prompts : public testing::Test {
  protected:
    Ended get(const char* name, const json& arguments) {
        return plugin.call("prompts/get", {{"name", name}, {"arguments", arguments}});
    }
    Instance plugin{offer};
};

TEST_F(Prompts, AreListed) {
    EXPECT_EQ(plugin.call("prompts/list", json::object()).body, json::parse(R"({"prompts":[
        {"name":"fails"},
        {"name":"greet","title":"Greet","description":"Greets","arguments":[
            {"name":"name","description":"Whom","required":true},
            {"name":"mood","required":false}]},
        {"name":"many"}]})"));
}

TEST_F(Prompts, AreAnswered) {
    EXPECT_EQ(get("greet", {{"name", "Ann"}}).body,
              json::parse(R"({"description":"Greets","messages":[
        {"role":"user","content":{"type":"text","text":"Hello Ann"}}]})"));
    EXPECT_EQ(get("many", json::object()).body["messages"].size(), 2u);
    EXPECT_EQ(get("many", json::object()).body["description"], "D");
}

TEST_F(Prompts, RefuseWhatIsNotTheirs) {
    const auto missing = get("greet", json::object());
    EXPECT_EQ(missing.status, PATCHBAY_E_INVALID);
    EXPECT_EQ(missing.body["message"], "The prompt greet needs the argument name");
    EXPECT_EQ(get("greet", {{"name", 5}}).status, PATCHBAY_E_INVALID);
    EXPECT_EQ(get("greet", json::array()).status, PATCHBAY_E_INVALID);
    EXPECT_EQ(get("nope", json::object()).status, PATCHBAY_E_NOT_FOUND);
    const auto failed = get("fails", json::object());
    EXPECT_EQ(failed.status, PATCHBAY_E_INVALID);
    EXPECT_EQ(failed.body["message"], "No such mood");
}

TEST_F(Prompts, CompletionIsBoundedAndKnowsTheOtherArguments) {
    const json request = json::parse(R"({"ref":{"type":"ref/prompt","name":"greet"},
        "argument":{"name":"name","value":"A"},"context":{"arguments":{"mood":"!"}}})");
    const auto completion = plugin.call("completion/complete", request).body["completion"];
    EXPECT_EQ(completion["values"].size(), 100u);
    EXPECT_EQ(completion["values"][7], "A7!");
    EXPECT_EQ(completion["total"], 150);
    EXPECT_EQ(completion["hasMore"], true);
}

TEST_F(Prompts, CompletionRefusesNonsense) {
    for (const char* bad :
         {R"({})", R"({"ref":5,"argument":{"name":"a","value":"b"}})",
          R"({"ref":{"type":"ref/prompt","name":"greet"},"argument":{}})",
          R"({"ref":{"type":"ref/prompt"},"argument":{"name":"a","value":""}})"}) {
        EXPECT_EQ(plugin.call("completion/complete", json::parse(bad)).status, PATCHBAY_E_INVALID)
            << bad;
    }
    EXPECT_EQ(
        plugin
            .call("completion/complete", json::parse(R"({"ref":{"type":"ref/prompt","name":"nope"},
                                        "argument":{"name":"a","value":"b"}})"))
            .status,
        PATCHBAY_E_NOT_FOUND);
}

}  // namespace
}  // namespace prompt_test
