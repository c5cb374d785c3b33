// SPDX-License-Identifier: Apache-2.0
// What a caller may see: by scopes, and by what an organisation forbids.
#include "policy_world.h"

namespace pb::test {
namespace {

class ViewsTest : public PolicyWorld {};

TEST_F(ViewsTest, ALevelStandsForItself) {
    EXPECT_EQ(tools_of(with("mcp:read")), (Names{"look"}));
    EXPECT_EQ(tools_of(with("mcp:write")), (Names{"change"}));
    EXPECT_EQ(tools_of(with("mcp:admin")), (Names{"drop"}));
    EXPECT_EQ(tools_of(with("mcp:read mcp:write mcp:admin")), (Names{"look", "change", "drop"}));
    EXPECT_TRUE(tools_of(with("action:ns")).empty());
    EXPECT_EQ(kind_of(with("mcp:read"), "tools/call", "ns__drop"), ErrorKind::not_found);
}

TEST_F(ViewsTest, ActionsNarrowToCapabilities) {
    EXPECT_EQ(tools_of(with("mcp:read mcp:write mcp:admin action:ns")),
              (Names{"look", "change", "drop"}));
    const auto other = with("mcp:read mcp:write mcp:admin action:other");
    EXPECT_TRUE(tools_of(other).empty());
    EXPECT_TRUE(world.admission.visible(*other)->bindings.empty());
    EXPECT_EQ(world.admission.visible(*other)->instructions, "");
    EXPECT_NE(world.admission.visible(*with("mcp:read"))->instructions, "");
}

TEST_F(ViewsTest, WhatIsNoToolIsReading) {
    const auto writer = with("mcp:write");
    EXPECT_TRUE(world.admission.visible(*writer)->resources.empty());
    EXPECT_TRUE(world.admission.visible(*writer)->prompts.empty());
    EXPECT_EQ(kind_of(writer, "resources/read", uri), ErrorKind::not_found);
    // Also one that is not listed, which the capability's prefix leads to.
    EXPECT_EQ(kind_of(writer, "resources/read", uri + "b"), ErrorKind::not_found);
    EXPECT_EQ(kind_of(writer, "prompts/get", "ns__greet"), ErrorKind::not_found);
    EXPECT_TRUE(world.admission.find(*with("mcp:read"), "resources/read", uri + "b"));
}

TEST_F(ViewsTest, WhatIsForbiddenIsNotThereWhateverACredentialSays) {
    const auto all = with("mcp:read mcp:write mcp:admin"),
               ada = with("mcp:read mcp:write mcp:admin", "member");
    configure([](auto& access) { access.forbidden = {{{}, {}, {"ns__d*"}, {}}}; });
    EXPECT_EQ(tools_of(all), (Names{"look", "change"}));
    EXPECT_EQ(tools_of(caller), (Names{"look", "change"}));
    EXPECT_EQ(kind_of(all, "tools/call", "ns__drop"), ErrorKind::not_found);
    EXPECT_TRUE(world.admission.find(*all, "resources/read", uri)) << "a rule for tools alone";
    configure([](auto& access) { access.forbidden = {{{"member"}, {}, {}, {"admin", "write"}}}; });
    EXPECT_EQ(tools_of(ada), (Names{"look"}));
    EXPECT_EQ(tools_of(all), (Names{"look", "change", "drop"}));
    configure([](auto& access) { access.forbidden = {{{}, {"ns"}, {}, {}}}; });
    EXPECT_TRUE(tools_of(all).empty());
    EXPECT_EQ(kind_of(all, "resources/read", uri), ErrorKind::not_found);
    configure([](auto& access) { access.forbidden = {{{}, {"fake"}, {}, {}}}; });
    EXPECT_TRUE(tools_of(all).empty()) << "by the capability's name";
    configure([](auto&) {});
    EXPECT_EQ(tools_of(all).size(), 3u);
}

// Between its end in the rules and its end in the catalog, nothing of it may be seen or called.
TEST_F(ViewsTest, AnOrganisationWithoutRulesHasNothing) {
    const auto all = with("mcp:read mcp:write mcp:admin");
    EXPECT_EQ(tools_of(all).size(), 3u) << "nobody has said anything yet";
    world.admission.policies().set(std::make_shared<config::ConfigSet>());
    ASSERT_TRUE(world.catalog.of("default"));
    EXPECT_TRUE(tools_of(all).empty());
    EXPECT_TRUE(tools_of(caller).empty());
    EXPECT_EQ(kind_of(caller, "tools/call", "ns__look"), ErrorKind::not_found);
    EXPECT_EQ(kind_of(caller, "resources/read", uri), ErrorKind::not_found);
    const auto& binding = *world.catalog.of("default")->bindings.at(0);
    EXPECT_FALSE(world.admission.may_use(*all, binding, access::Level::read));
    EXPECT_FALSE(world.admission.may_answer(*caller, binding));
}

TEST_F(ViewsTest, PathsFollowTheSameRules) {
    const auto& binding = *world.catalog.of("default")->bindings.at(0);
    const auto& admission = world.admission;
    using access::Level;
    EXPECT_TRUE(admission.may_use(*with("mcp:admin"), binding, Level::admin));
    EXPECT_TRUE(admission.may_use(*with("mcp:read action:ns"), binding, Level::read));
    for (const char* narrowed : {"mcp:admin action:ns", "mcp:admin source:x", "mcp:admin object:x"})
        EXPECT_FALSE(admission.may_use(*with(narrowed), binding, Level::admin)) << narrowed;
    const auto scope = [&](const char* scopes, Level level) {
        return admission.scope_to_use(*with(scopes), binding, level);
    };
    EXPECT_EQ(scope("mcp:read", Level::write), "") << "nobody is told what there is";
    configure([](auto& access) { access.challenges = true; });
    EXPECT_EQ(scope("mcp:read", Level::write), "mcp:read mcp:write");
    EXPECT_EQ(scope("mcp:read action:other", Level::read), "mcp:read action:ns action:other");
    EXPECT_EQ(scope("mcp:read action:other", Level::admin), "mcp:read mcp:admin");
    EXPECT_EQ(scope("mcp:admin source:x", Level::admin), "") << "more scopes would not widen it";
    EXPECT_TRUE(admission.may_answer(*caller, binding));
    configure([](auto& access) {
        access.challenges = true;
        access.forbidden = {{{}, {"ns"}, {}, {"write"}}};
    });
    EXPECT_EQ(scope("mcp:read", Level::write), "");
    EXPECT_TRUE(admission.may_answer(*caller, binding)) << "reading is left";
    configure([](auto& access) { access.forbidden = {{{}, {"ns"}, {}, {}}}; });
    EXPECT_FALSE(admission.may_answer(*caller, binding));
}

TEST_F(ViewsTest, AnOrganisationMayTellWhichScopesItTakes) {
    const auto reader = with("mcp:read action:other");
    EXPECT_EQ(kind_of(reader, "tools/call", "ns__drop"), ErrorKind::not_found);
    configure([](auto& access) { access.challenges = true; });
    EXPECT_EQ(kind_of(reader, "tools/call", "ns__drop"), ErrorKind::denied);
    EXPECT_TRUE(tools_of(reader).empty()) << "still in no list";
    EXPECT_EQ(world.admission.scopes_for(*reader, "tools/call", "ns__drop"),
              "mcp:read mcp:admin action:ns action:other")
        << "with what it has, which it would lose otherwise";
    EXPECT_EQ(world.admission.scopes_for(*with("mcp:read"), "tools/call", "ns__change"),
              "mcp:read mcp:write");
    EXPECT_EQ(world.admission.scopes_for(*with("mcp:write source:a"), "resources/read", uri),
              "mcp:read mcp:write source:a");
    EXPECT_EQ(kind_of(reader, "tools/call", "ns__unknown"), ErrorKind::not_found);
    // No scope helps against a rule.
    configure([](auto& access) {
        access.challenges = true;
        access.forbidden = {{{}, {}, {"ns__drop"}, {}}};
    });
    EXPECT_EQ(kind_of(reader, "tools/call", "ns__drop"), ErrorKind::not_found);
}

TEST_F(ViewsTest, AViewFollowsTheCatalogAndTheFile) {
    const auto reader = with("mcp:read");
    const auto first = world.admission.visible(*reader);
    EXPECT_EQ(world.admission.visible(*with("mcp:read")), first) << "one for all who may the same";
    auto more = simple_tool("peek");
    more["annotations"] = {{"readOnlyHint", true}};
    world.tool(more, [](auto, const json&, const json&) {});
    world.publish("ns");
    EXPECT_EQ(tools_of(reader), (Names{"look", "peek"}));
}

TEST_F(ViewsTest, AViewHoldsNoProviderForLongerThanItsSnapshot) {
    const auto reader = with("mcp:read");
    auto other = std::make_shared<FakeProvider>(world.calls);
    other->handlers = world.provider->handlers;
    world.publish("ns", other);
    EXPECT_EQ(tools_of(reader), (Names{"look"}));
    const std::weak_ptr<catalog::Provider> replaced = other;
    other.reset();
    world.publish("ns");
    EXPECT_TRUE(replaced.expired());
    const std::weak_ptr<const catalog::Snapshot> view = world.admission.visible(*reader);
    EXPECT_FALSE(view.expired()) << "as long as its snapshot serves";
    world.catalog.replace("default", nullptr);
    EXPECT_TRUE(view.expired());
}

TEST_F(ViewsTest, ViewsOfOneSnapshotAreBoundedInNumber) {
    std::vector<std::weak_ptr<const catalog::Snapshot>> views;
    for (std::size_t i = 0; i <= catalog::Copies::most; ++i)
        views.push_back(world.admission.visible(
            *with(("mcp:read action:ns action:a" + std::to_string(i)).c_str())));
    EXPECT_TRUE(views.front().expired());
    EXPECT_FALSE(views.back().expired());
}

TEST_F(ViewsTest, OverTheWire) {
    const auto ask = [&](const runtime::CallerPtr& who, const std::string& name) {
        const json params{
            {"name", name}, {"arguments", json::object()}, {"_meta", World::modern_meta()}};
        FakeHeaders headers;
        headers.all = {{"MCP-Protocol-Version", "2026-07-28"},
                       {"Mcp-Method", "tools/call"},
                       {"Mcp-Name", name}};
        auto text = std::make_shared<const std::string>(json{
            {"jsonrpc", "2.0"},
            {"id", 1},
            {"method", "tools/call"},
            {"params", params}}.dump());
        auto recorder = std::make_shared<Recorder>();
        world.server.receive({text, *text, who, &headers, nullptr}, recorder);
        EXPECT_TRUE(recorder->wait());
        return recorder;
    };
    const auto reader = with("mcp:read");
    EXPECT_EQ(ask(reader, "ns__drop")->reply["error"]["code"], -32602);
    configure([](auto& access) { access.challenges = true; });
    const auto refused = ask(reader, "ns__drop");
    EXPECT_EQ(refused->http_status, 403);
    EXPECT_EQ(refused->reply["error"]["data"]["scope"], "mcp:read mcp:admin");
    EXPECT_EQ(notes.last().outcome, "denied");
    EXPECT_EQ(ask(reader, "ns__look")->http_status, 200);
    EXPECT_EQ(notes.last().outcome, "ok");
}

}  // namespace
}  // namespace pb::test
