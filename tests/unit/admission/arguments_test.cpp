// SPDX-License-Identifier: Apache-2.0
// Arguments are held against the tool's inputSchema before the provider hears of the call, and a
// refusal says which member is wrong.
#include "gate.h"

namespace pb::test {
namespace {

class Arguments : public Gate {
  protected:
    Arguments() {
        auto definition = simple_tool("add");
        definition["inputSchema"] = json::parse(R"({
            "type": "object",
            "properties": {
                "a": {"type": "integer"},
                "b": {"type": "integer", "maximum": 10},
                "deep": {"type": "object", "properties": {"list": {"items": {"type": "string"}}}}
            },
            "required": ["a"]
        })");
        world.tool(definition, [this](auto id, const json& params, const json&) {
            ++reached;
            asked = params;
            world.provider->ok(id, text_result("sum"));
        });
        auto strict = definition;
        strict["name"] = "strict";
        strict["outputSchema"] = {{"type", "object"}, {"required", {"sum"}}};
        world.tool(strict, [this](auto id, const json&, const json&) {
            ++reached;
            world.provider->ok(id, text_result("sum"));
        });
        world.publish();
    }
    int reached = 0;
};

TEST_F(Arguments, ValidOnesReachTheProvider) {
    EXPECT_FALSE(tool("add", {{"a", 1}, {"b", 10}})->result().contains("isError"));
    EXPECT_EQ(asked["arguments"], json({{"a", 1}, {"b", 10}}));
    EXPECT_EQ(reached, 1);
}

TEST_F(Arguments, TheRefusalNamesTheMember) {
    for (const auto& [arguments, member] : std::vector<std::pair<json, std::string>>{
             {json::object(), "a"},
             {{{"a", "one"}}, "a"},
             {{{"a", 1}, {"b", 11}}, "b"},
             {{{"a", 1}, {"deep", {{"list", {"x", 2}}}}}, "/deep/list/1"}}) {
        const auto witness = tool("add", arguments);
        EXPECT_EQ(witness->status(), Status::ok);
        EXPECT_EQ(witness->times(), 1);
        const auto result = witness->result();
        EXPECT_EQ(result["isError"], true);
        const std::string text = result["content"][0]["text"];
        EXPECT_TRUE(text.starts_with("Invalid arguments for add")) << text;
        EXPECT_NE(text.find(member), std::string::npos) << text;
    }
    EXPECT_EQ(reached, 0);
}

TEST_F(Arguments, TheRefusalHasAStructuredBody) {
    const auto witness = tool("add");
    const auto failure = failure_of(witness);
    EXPECT_EQ(failure["code"], "invalid_arguments");
    EXPECT_EQ(failure["category"], "validation");
    EXPECT_EQ(failure["retryable"], false);
    EXPECT_EQ(failure["message"], witness->result()["content"][0]["text"]);
    EXPECT_EQ(witness->result()["structuredContent"], failure);
}

TEST_F(Arguments, NoStructuredContentThatWouldViolateTheOutputSchema) {
    const auto witness = tool("strict");
    EXPECT_EQ(failure_of(witness)["code"], "invalid_arguments");
    EXPECT_FALSE(witness->result().contains("structuredContent"));
}

TEST_F(Arguments, TheyAreAnObjectOrAbsent) {
    for (const json& wrong : {json::array(), json("text"), json(nullptr), json(3)}) {
        const auto witness = call("tools/call", "add", {{"name", "add"}, {"arguments", wrong}});
        EXPECT_EQ(failure_of(witness)["code"], "invalid_arguments") << wrong;
    }
    world.tool(simple_tool("free"), [this](auto id, const json&, const json&) {
        world.provider->ok(id, text_result("free"));
    });
    world.publish();
    const auto free = call("tools/call", "free", {{"name", "free"}});
    EXPECT_FALSE(free->result().contains("isError"));
    EXPECT_EQ(failure_of(call("tools/call", "free", {{"name", "free"}, {"arguments", 1}}))["code"],
              "invalid_arguments");
    EXPECT_EQ(reached, 0);
}

TEST_F(Arguments, AMemberGivenTwiceIsRefused) {
    // Whoever reads the text again might take the one that was not checked.
    const std::string text = R"({"name":"add","arguments":{"a":"x","\u0061":1}})";
    auto target = world.admission.find(*caller, "tools/call", "add");
    ASSERT_TRUE(target) << target.error().message;
    admission::Admitted admitted;
    admitted.method = "tools/call";
    admitted.params = text;
    admitted.caller = caller;
    auto witness = std::make_shared<Witness>();
    world.admission.call(*target, admitted, witness);
    ASSERT_TRUE(witness->wait());
    EXPECT_EQ(failure_of(witness)["code"], "invalid_arguments");
    EXPECT_EQ(reached, 0);
}

TEST_F(Arguments, AResumedCallWasCheckedBefore) {
    const auto witness = call("tools/call", "add", {{"name", "add"}}, true);
    EXPECT_FALSE(witness->result().contains("isError"));
    EXPECT_EQ(reached, 1);
}

}  // namespace
}  // namespace pb::test
