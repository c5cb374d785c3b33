// SPDX-License-Identifier: Apache-2.0
// Virtual capabilities in an organisation: they come and go with what their instance says, each
// alone, and with the instance.
#include "org_world.h"

namespace pb::app {
namespace {

constexpr const char* tools_changed = "notifications/tools/list_changed";

json spec(const std::string& name, json more = json::object()) {
    json out = {{"name", "mcp:" + name}, {"namespace", name}};
    out.update(more);
    return out;
}

class OffersTest : public OrgsTest {
  protected:
    OffersTest() {
        plugins.lists("mcp:github", {"issue", "pull"});
        plugins.lists("mcp:linear", {"ticket"});
    }
    void offer(const json& what) { EXPECT_EQ(plugins.offer("mail", what), PATCHBAY_OK); }
};

TEST_F(OffersTest, ComeAndGoAtRunTime) {
    settle();
    offer(spec("github"));
    orgs.settle();
    EXPECT_EQ(tools(), (Names{"github__issue", "github__pull", "mail__one", "wiki__one"}));
    const auto binding = catalog.of("acme")->tool("github__pull")->binding;
    EXPECT_EQ(binding->capability, "mcp:github");
    EXPECT_EQ(binding->provider->label(), "mail@1.0.0#1/mcp:github");
    EXPECT_NE(&binding->provider->health, &provider("mail__one")->health);
    offer(spec("linear"));
    EXPECT_EQ(plugins.withdraw("mail", "mcp:github"), PATCHBAY_OK);
    orgs.settle();
    EXPECT_EQ(tools(), (Names{"linear__ticket", "mail__one", "wiki__one"}));
    EXPECT_EQ(plugins.withdraw("mail", "mcp:github"), PATCHBAY_E_NOT_FOUND);
    configure("acme", {{"mail", {{"enabled", false}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"wiki__one"}));
}

TEST_F(OffersTest, AreListedAloneWhenTheyChange) {
    settle();
    std::vector<std::string> names;
    for (int i = 0; i < 50; ++i)
        names.push_back("s" + std::to_string(i));
    for (const auto& name : names) {
        plugins.lists("mcp:" + name, {"a"});
        offer(spec(name));
        orgs.settle();
    }
    EXPECT_EQ(tools().size(), 52u);
    for (const auto& name : names)
        EXPECT_EQ(plugins.listings("mcp:" + name), 1u) << name;
    const auto before = catalog.of("acme");
    plugins.lists("mcp:s7", {"a", "b"});
    EXPECT_EQ(plugins.say_of("mail", "mcp:s7", tools_changed), PATCHBAY_OK);
    orgs.settle();
    const auto after = catalog.of("acme");
    EXPECT_TRUE(after->tool("s7__b"));
    EXPECT_EQ(after->tool("s8__a")->input, before->tool("s8__a")->input);
    EXPECT_EQ(plugins.listings("mcp:s7"), 2u);
    EXPECT_EQ(plugins.listings("mcp:s8"), 1u);
    EXPECT_EQ(plugins.listings("mail"), 1u);
    EXPECT_EQ(plugins.listings("wiki"), 1u);
    orgs.again();
    orgs.settle();
    EXPECT_EQ(plugins.listings("mcp:s8"), 2u) << "everything is asked when somebody says so";
}

TEST_F(OffersTest, OneThatCannotBeListedIsNotAskedAgainForTheOthers) {
    settle();
    plugins.lists("mcp:dead", nullptr);
    offer(spec("dead"));
    offer(spec("github"));
    orgs.settle();
    EXPECT_TRUE(catalog.of("acme")->tool("github__issue"));
    EXPECT_EQ(plugins.listings("mcp:dead"), 1u);
    EXPECT_EQ(plugins.say_of("mail", "mcp:github", tools_changed), PATCHBAY_OK);
    orgs.settle();
    EXPECT_EQ(plugins.listings("mcp:dead"), 1u);
    plugins.lists("mcp:dead", {"alive"});
    EXPECT_EQ(plugins.say_of("mail", "mcp:dead", tools_changed), PATCHBAY_OK);
    orgs.settle();
    EXPECT_TRUE(catalog.of("acme")->tool("dead__alive"));
    // One that served keeps what it had.
    plugins.lists("mcp:dead", nullptr);
    EXPECT_EQ(plugins.say_of("mail", "mcp:dead", tools_changed), PATCHBAY_OK);
    orgs.settle();
    EXPECT_TRUE(catalog.of("acme")->tool("dead__alive"));
}

TEST_F(OffersTest, OfferedAgainTheyAreWhatIsSaidLast) {
    settle();
    offer(spec("github"));
    orgs.settle();
    const auto* before = provider("github__issue");
    offer(spec("github"));
    orgs.settle();
    EXPECT_EQ(plugins.listings("mcp:github"), 1u) << "the same again is no change";
    offer(spec("github", {{"lists", {{"scope", "private"}, {"ttl_ms", 5}}}}));
    orgs.settle();
    EXPECT_TRUE(catalog.of("acme")->lists.is_private);
    EXPECT_EQ(catalog.of("acme")->lists.ttl_ms, 5);
    EXPECT_EQ(provider("github__issue"), before);
    offer(spec("github", {{"namespace", "gh"}}));
    orgs.settle();
    EXPECT_EQ(tools(), (Names{"gh__issue", "gh__pull", "mail__one", "wiki__one"}));
    EXPECT_EQ(provider("gh__issue"), before);
}

TEST_F(OffersTest, OfANewGenerationReplaceTheOldOnesInOneMoment) {
    std::vector<Names> seen;
    catalog.listen(
        {[](const auto&, const auto&) {}, nullptr, [&](const auto&) { seen.push_back(tools()); }});
    configure("acme", {{"mail", {{"config", {{"offers", {spec("github"), spec("old")}}}}}}});
    plugins.lists("mcp:old", {"a"});
    plugins.lists("mcp:new", {"a"});
    settle();
    EXPECT_EQ(tools(),
              (Names{"github__issue", "github__pull", "mail__one", "old__a", "wiki__one"}));
    seen.clear();
    // Another server has the namespace of one of before.
    const json taken = {{"name", "mcp:new"}, {"namespace", "old"}};
    configure("acme", {{"mail", {{"config", {{"offers", {spec("github"), taken}}}}}}});
    settle();
    EXPECT_EQ(tools(),
              (Names{"github__issue", "github__pull", "mail__one", "old__a", "wiki__one"}));
    EXPECT_EQ(catalog.of("acme")->tool("old__a")->binding->capability, "mcp:new");
    EXPECT_FALSE(seen.empty());
    for (const auto& names : seen)
        EXPECT_EQ(names, tools()) << "nothing in between";
    lifecycle.drain(plugin::long_enough);
    EXPECT_EQ(plugins.running(), 2u);
    orgs.stop();  // while what listens is there
}

TEST_F(OffersTest, CannotHaveTheNamespaceOfAnother) {
    settle();
    std::string reason;
    EXPECT_EQ(plugins.offer("mail", spec("wiki"), &reason), PATCHBAY_E_BUSY);
    for (const char* part : {"'wiki'", "mcp:wiki", "mail@1.0.0#1", "capability 'wiki'", "wiki@1"})
        EXPECT_NE(reason.find(part), std::string::npos) << reason;
    EXPECT_EQ(plugins.offer("mail", spec("mail"), &reason), PATCHBAY_E_BUSY);
    offer(spec("github"));
    const json same = {{"name", "mcp:hub"}, {"namespace", "github"}};
    EXPECT_EQ(plugins.offer("mail", same, &reason), PATCHBAY_E_BUSY);
    EXPECT_NE(reason.find("mcp:github"), std::string::npos) << reason;
    orgs.settle();
    EXPECT_EQ(plugins.offer("wiki", spec("github"), &reason), PATCHBAY_E_BUSY);
    EXPECT_NE(reason.find("mcp:github"), std::string::npos) << reason;
}

// What could not be known when it was offered is found when the catalog is made.
TEST_F(OffersTest, ThatClashAreLeftOutAndTheOthersServe) {
    configure("acme", {{"mail", {{"config", {{"offers", {spec("wiki"), spec("github")}}}}}}});
    plugins.lists("mcp:wiki", {"a"});
    settle();
    EXPECT_EQ(tools(), (Names{"github__issue", "github__pull", "mail__one", "wiki__one"}));
    configure("acme", {{"mail", {{"config", {{"offers", {spec("wiki"), spec("github")}}}}}},
                       {"wiki", {{"enabled", false}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"github__issue", "github__pull", "mail__one", "wiki__a"}));
}

TEST_F(OffersTest, AreHeardByTheirOwnName) {
    settle();
    offer(spec("github"));
    orgs.settle();
    EXPECT_EQ(plugins.say_of("mail", "mcp:github", "notifications/resources/updated",
                             R"({"uri":"repo://a"})"),
              PATCHBAY_OK);
    EXPECT_EQ(updated, (Names{"acme github+repo://a"}));
    EXPECT_EQ(plugins.say_of("mail", "mcp:github", "notifications/message"),
              PATCHBAY_E_UNSUPPORTED);
    EXPECT_EQ(plugins.say_of("mail", "mcp:nobody", tools_changed), PATCHBAY_E_NOT_FOUND);
}

}  // namespace
}  // namespace pb::app
