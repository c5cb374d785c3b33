// SPDX-License-Identifier: Apache-2.0
// What a name means for a caller: what is not theirs does not exist, and what goes to the provider
// carries the provider's own names.
#include "gate.h"

namespace pb::test {
namespace {

class Visible : public Gate {
  protected:
    Visible() {
        world.tool(simple_tool("echo"), [this](auto id, const json& params, const json&) {
            asked = params;
            world.provider->ok(id, text_result("hi"));
        });
        world.list("prompts/list", "prompts", {{{"name", "greet"}}});
        world.list("resources/list", "resources", {{{"uri", "note://a"}, {"name", "a"}}});
        answers("prompts/get", {{"messages", json::array()}});
        answers("resources/read", {{"contents", json::array()}});
        answers("completion/complete", {{"completion", {{"values", json::array()}}}});
        world.publish("ns");
        uri = world.catalog.of("default")->resources.at(0).exposed;
    }
    std::string refused(const std::string& method, const std::string& name) {
        auto target = world.admission.find(*caller, method, name);
        if (target) return "it was found";
        EXPECT_EQ(target.error().kind, ErrorKind::not_found);
        return target.error().message;
    }
    std::string uri;
};

TEST_F(Visible, AnotherOrganisationSeesNothing) {
    const runtime::Caller stranger{"other", "bob", "user", {"mcp:admin"}};
    EXPECT_TRUE(world.admission.visible(stranger)->tools.empty());
    EXPECT_EQ(world.admission.visible(*caller)->tools.size(), 1u);
    for (const auto& [method, name] : std::map<std::string, std::string>{
             {"tools/call", "ns__echo"}, {"prompts/get", "ns__greet"}, {"resources/read", uri}}) {
        EXPECT_TRUE(world.admission.find(*caller, method, name).ok()) << method;
        EXPECT_FALSE(world.admission.find(stranger, method, name).ok()) << method;
    }
}

TEST_F(Visible, UnknownNamesAreNamed) {
    EXPECT_EQ(refused("tools/call", "echo"), "Unknown tool: echo");
    EXPECT_EQ(refused("tools/call", "ns__greet"), "Unknown tool: ns__greet");
    EXPECT_EQ(refused("tools/call", ""), "Unknown tool: ");
    EXPECT_EQ(refused("prompts/get", "ns__echo"), "Unknown prompt: ns__echo");
    EXPECT_EQ(refused("resources/read", "note://a"), "Resource not found: note://a");
    EXPECT_LT(refused("tools/call", std::string(100'000, 'x')).size(), 300u);
}

TEST_F(Visible, TheProviderHearsItsOwnNames) {
    tool("ns__echo", {{"name", "ns__echo"}});
    EXPECT_EQ(asked, json({{"name", "echo"}, {"arguments", {{"name", "ns__echo"}}}}));
    call("prompts/get", "ns__greet", {{"name", "ns__greet"}, {"arguments", {{"a", "b"}}}});
    EXPECT_EQ(asked, json({{"name", "greet"}, {"arguments", {{"a", "b"}}}}));
    call("resources/read", uri, {{"uri", uri}});
    EXPECT_EQ(asked, json({{"uri", "note://a"}}));
}

TEST_F(Visible, CompletionNamesItsReferenceLocally) {
    const json argument{{"name", "n"}, {"value", "v"}};
    auto complete = [&](const std::string& lookup, const std::string& name, const json& ref) {
        auto target = world.admission.find(*caller, lookup, name);
        ASSERT_TRUE(target);
        const auto params = json({{"ref", ref}, {"argument", argument}}).dump();
        admission::Admitted admitted;
        admitted.method = "completion/complete";
        admitted.params = params;
        admitted.caller = caller;
        world.admission.call(*target, admitted, std::make_shared<Witness>());
    };
    complete("prompts/get", "ns__greet", {{"type", "ref/prompt"}, {"name", "ns__greet"}});
    EXPECT_EQ(asked["ref"], json({{"type", "ref/prompt"}, {"name", "greet"}}));
    EXPECT_EQ(asked["argument"], argument);
    complete("completion/complete", uri, {{"type", "ref/resource"}, {"uri", uri}});
    EXPECT_EQ(asked["ref"], json({{"type", "ref/resource"}, {"uri", "note://a"}}));
}

// Where nobody can be guessed, the template itself says whose it is.
TEST_F(Visible, ATemplateIsFoundByItsOwnText) {
    auto snapshot = std::make_shared<catalog::Snapshot>();
    for (const std::string scheme : {"first", "second"}) {
        auto binding = std::make_shared<catalog::Binding>();
        binding->capability = scheme;
        binding->resources = true;
        catalog::ResourceTemplate entry;
        entry.exposed = entry.local = scheme + "://x{?q}";
        entry.binding = binding;
        snapshot->bindings.push_back(binding);
        snapshot->templates.push_back(std::move(entry));
    }
    snapshot->index();
    world.catalog.replace("default", snapshot);
    const auto target = world.admission.find(*caller, "completion/complete", "second://x{?q}");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->binding->capability, "second");
    EXPECT_EQ(target->local_name, "second://x{?q}");
    EXPECT_FALSE(world.admission.find(*caller, "completion/complete", "third://x{?q}"));
}

TEST_F(Visible, ATargetOutlivesTheSnapshotItCameFrom) {
    auto target = world.admission.find(*caller, "tools/call", "ns__echo");
    ASSERT_TRUE(target);
    world.catalog.replace("default", nullptr);
    EXPECT_EQ(refused("tools/call", "ns__echo"), "Unknown tool: ns__echo");
    EXPECT_EQ(target->tool->exposed, "ns__echo");
    auto witness = std::make_shared<Witness>();
    admission::Admitted admitted;
    admitted.method = "tools/call";
    admitted.params = R"({"name":"ns__echo"})";
    admitted.caller = caller;
    world.admission.call(*target, admitted, witness);
    EXPECT_EQ(witness->status(), Status::ok);
}

}  // namespace
}  // namespace pb::test
