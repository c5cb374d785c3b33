// SPDX-License-Identifier: Apache-2.0
// Organisations follow their configuration and the loaded plugins: each change is put in place
// whole, what did not change goes on undisturbed, what fails leaves what served before.
#include <thread>

#include "org_world.h"

namespace pb::app {
namespace {

TEST_F(OrgsTest, ServeWhatIsLoaded) {
    settle();
    EXPECT_EQ(tools(), (Names{"mail__one", "wiki__one"}));
    EXPECT_EQ(plugins.running(), 2u);
    EXPECT_TRUE(tools("other").empty());
}

TEST_F(OrgsTest, EachHasInstancesOfItsOwn) {
    configure("other", {{"mail", {{"config", {{"tools", {"two"}}}}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"mail__one", "wiki__one"}));
    EXPECT_EQ(tools("other"), (Names{"mail__two", "wiki__one"}));
    EXPECT_EQ(plugins.running(), 4u);
    configure("other", nullptr);
    settle();
    EXPECT_EQ(catalog.of("other"), nullptr);
    lifecycle.drain(plugin::long_enough);
    EXPECT_EQ(plugins.running(), 2u);
}

TEST_F(OrgsTest, WhatDidNotChangeGoesOnUndisturbed) {
    settle();
    const auto* wiki = provider("wiki__one");
    const auto* mail = provider("mail__one");
    configure("acme", {{"mail", {{"config", {{"tools", {"two", "three"}}}}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"mail__two", "mail__three", "wiki__one"}));
    EXPECT_EQ(provider("wiki__one"), wiki);
    EXPECT_NE(provider("mail__two"), mail);
    configure("acme", {{"mail", {{"enabled", false}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"wiki__one"}));
}

TEST_F(OrgsTest, ANewGenerationReplacesTheOld) {
    settle();
    auto old = catalog.of("acme");
    folder.libraries[0] = plugins.library("mail", "1.0.1");
    settle();
    EXPECT_EQ(catalog.of("acme")->tool("mail__one")->binding->provider->label(), "mail@1.0.1#1");
    EXPECT_EQ(old->tool("mail__one")->binding->provider->label(), "mail@1.0.0#1");
    EXPECT_EQ(plugins.running(), 3u) << "who still holds the old one keeps it at work";
    old = nullptr;
    lifecycle.drain(plugin::long_enough);
    EXPECT_EQ(plugins.running(), 2u);
    folder.libraries.erase(folder.libraries.begin());
    settle();
    EXPECT_EQ(tools(), (Names{"wiki__one"}));
}

TEST_F(OrgsTest, OneThatDoesNotStartLeavesTheOneBefore) {
    settle();
    configure("acme", {{"mail", {{"config", {{"broken", true}}}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"mail__one", "wiki__one"}));
    configure("new", {{"mail", {{"config", {{"broken", true}}}}}});
    settle();
    EXPECT_EQ(tools("new"), (Names{"wiki__one"}));
}

TEST_F(OrgsTest, OneThatCannotBeListedLeavesTheOneBefore) {
    settle();
    const auto* mail = provider("mail__one");
    configure("acme", {{"mail", {{"config", {{"mute", true}}}, {"namespace", "post"}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"mail__one", "wiki__one"}));
    EXPECT_EQ(provider("mail__one"), mail);
    EXPECT_EQ(plugins.say("wiki", "notifications/tools/list_changed"), PATCHBAY_OK);
    orgs.settle();
    EXPECT_EQ(provider("mail__one"), mail);
    // The same for one that fits nowhere.
    configure("acme", {{"mail", {{"namespace", "wiki"}}}});
    settle();
    EXPECT_EQ(provider("mail__one"), mail);
    EXPECT_EQ(tools(), (Names{"mail__one", "wiki__one"}));
}

TEST_F(OrgsTest, AChangeOfListsStartsNothing) {
    configure("acme", {{"mail", {{"config", {{"broken", true}}}}}});
    settle();
    const auto starts = plugins.starts("mail");
    EXPECT_GE(starts, 1u);
    plugins.heal();
    plugins.also_lists("more");
    EXPECT_EQ(plugins.say("wiki", "notifications/tools/list_changed"), PATCHBAY_OK);
    orgs.settle();
    EXPECT_EQ(tools(), (Names{"wiki__one", "wiki__more"}));
    EXPECT_EQ(plugins.starts("mail"), starts);
    settle();
    EXPECT_EQ(tools(), (Names{"mail__one", "mail__more", "wiki__one", "wiki__more"}));
}

TEST_F(OrgsTest, WhatChangesWhileItIsListedIsListedAgain) {
    plugins.gets_while_listing("late");
    configure("acme", {{"mail", {{"enabled", false}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"wiki__one", "wiki__late"}));
}

TEST_F(OrgsTest, StopWaitsForOneStartAtMost) {
    configure("acme", {{"mail", {{"config", {{"hangs", true}}}}}});
    orgs.set(folder);
    orgs.set(std::make_shared<config::ConfigSet>(config));
    ASSERT_TRUE(plugins.starts_reach("mail", 1));
    std::thread stopper([this] { orgs.stop(); });
    orgs.settle();  // returns when the end has begun
    plugins.go_on.raise();
    stopper.join();
    EXPECT_EQ(plugins.starts("wiki"), 0u);
}

class OrgsAgainTest : public OrgsTest {
  protected:
    OrgsAgainTest() : OrgsTest({std::chrono::seconds(1), std::chrono::milliseconds(1)}) {}
    bool becomes(const Names& expected) {
        const auto end = std::chrono::steady_clock::now() + plugin::long_enough;
        while (tools() != expected && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return tools() == expected;
    }
};

TEST_F(OrgsAgainTest, WhatFailedIsTriedAgain) {
    configure("acme", {{"mail", {{"config", {{"broken", true}}}}},
                       {"wiki", {{"config", {{"mute", true}}}}}});
    settle();
    EXPECT_TRUE(tools().empty());
    ASSERT_TRUE(plugins.starts_reach("mail", 3));
    EXPECT_EQ(plugins.starts("wiki"), 1u);
    plugins.heal();
    EXPECT_TRUE(becomes({"mail__one", "wiki__one"}));
}

TEST_F(OrgsAgainTest, AStartThatHungIsNotTriedAgainByItself) {
    configure("acme", {{"mail", {{"config", {{"broken", true}}}}},
                       {"wiki", {{"config", {{"hangs", true}}}}}});
    settle();
    ASSERT_TRUE(plugins.starts_reach("mail", 4));
    EXPECT_EQ(plugins.starts("wiki"), 1u);
    plugins.go_on.raise();
    plugins.heal();
    settle();
    EXPECT_TRUE(becomes({"mail__one", "wiki__one"}));
}

TEST_F(OrgsTest, OfTwoThatWantANameTheOneThatServesKeepsIt) {
    configure("acme", {{"mail", {{"enabled", false}}}});
    settle();
    const auto* wiki = provider("wiki__one");
    configure("acme", {{"mail", {{"namespace", "wiki"}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"wiki__one"}));
    EXPECT_EQ(provider("wiki__one"), wiki);
    configure("acme", {{"mail", {{"namespace", "mail2"}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"mail2__one", "wiki__one"}));
}

TEST_F(OrgsTest, AProviderMayChangeItsLists) {
    settle();
    const auto* wiki = provider("wiki__one");
    plugins.also_lists("more");
    EXPECT_EQ(plugins.say("wiki", "notifications/tools/list_changed"), PATCHBAY_OK);
    orgs.settle();
    const auto now = tools();
    EXPECT_TRUE(std::find(now.begin(), now.end(), "wiki__more") != now.end());
    EXPECT_EQ(provider("wiki__one"), wiki);
}

TEST_F(OrgsTest, UpdatesCarryTheExposedUri) {
    settle();
    EXPECT_EQ(plugins.say("wiki", "notifications/resources/updated", R"({"uri":"note://a"})"),
              PATCHBAY_OK);
    const auto snapshot = catalog.of("acme");
    ASSERT_EQ(updated.size(), 1u);
    EXPECT_EQ(updated[0], "acme " + snapshot->resources.at(1).exposed);
    EXPECT_NE(plugins.say("wiki", "notifications/resources/updated"), PATCHBAY_OK);
    EXPECT_EQ(updated.size(), 1u);
}

TEST_F(OrgsTest, OnlyThoseThatServeAreHeard) {
    settle();
    const auto held = catalog.of("acme");
    const auto& mail = *held->tool("mail__one")->binding->provider;
    EXPECT_EQ(orgs.changed(mail, "notifications/tools/list_changed", "{}"), Status::ok);
    EXPECT_EQ(orgs.changed(mail, "notifications/message", "{}"), Status::unsupported);
    configure("acme", {{"mail", {{"enabled", false}}}});
    settle();
    EXPECT_EQ(orgs.changed(mail, "notifications/tools/list_changed", "{}"), Status::gone);
    EXPECT_EQ(orgs.changed(mail, "notifications/resources/updated", R"({"uri":"note://a"})"),
              Status::gone);
}

TEST_F(OrgsTest, OneThatTakesOverItsConfigurationGoesOn) {
    plugins.configurable = true;
    folder.libraries[0] = plugins.library("mail");
    settle();
    const auto* mail = provider("mail__one");
    configure("acme", {{"mail", {{"config", {{"tools", {"two"}}}}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"mail__two", "wiki__one"})) << "its lists were asked for again";
    EXPECT_EQ(provider("mail__two"), mail);
    EXPECT_EQ(plugins.starts("mail"), 1u);
    // One that it does not want, but a new one does.
    configure("acme", {{"mail", {{"config", {{"tools", {"two"}}, {"unwanted", 1}}}}}});
    settle();
    EXPECT_NE(provider("mail__two"), mail);
    EXPECT_EQ(plugins.starts("mail"), 2u);
    // Nobody wants this: what serves goes on with what it had.
    configure("acme", {{"mail", {{"config", {{"unwanted", 1}, {"broken", 1}}}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"mail__two", "wiki__one"}));
    // Under another namespace it is another instance.
    const auto starts = plugins.starts("mail");
    configure("acme", {{"mail", {{"namespace", "post"}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"post__one", "wiki__one"}));
    EXPECT_EQ(plugins.starts("mail"), starts + 1);
}

TEST_F(OrgsTest, SecretsOfTheOrganisationAreResolved) {
    const json with_secret = {{"tools", {"${secret:tool-name}"}}};
    configure("acme", {{"mail", {{"config", with_secret}}}});
    settle();
    EXPECT_EQ(tools(), (Names{"wiki__one"}));
    ASSERT_TRUE(secrets.put(store::own_secrets("acme"), "tool-name", "hidden"));
    orgs.again();
    orgs.settle();
    EXPECT_EQ(tools(), (Names{"mail__hidden", "wiki__one"}));
    configure("other", {{"mail", {{"config", with_secret}}}});
    settle();
    EXPECT_EQ(tools("other"), (Names{"wiki__one"})) << "another organisation has none";
}

TEST_F(OrgsTest, StopEmptiesTheCatalogAndLetsGo) {
    settle();
    orgs.stop();
    EXPECT_TRUE(catalog.orgs().empty());
    lifecycle.drain(plugin::long_enough);
    EXPECT_EQ(plugins.running(), 0u);
    orgs.settle();  // returns
    orgs.stop();
}

}  // namespace
}  // namespace pb::app
