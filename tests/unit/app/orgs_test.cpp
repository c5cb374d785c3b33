// SPDX-License-Identifier: Apache-2.0
// Organisations follow their configuration and the loaded plugins: each change is put in place
// whole, what did not change goes on undisturbed, what fails leaves what served before.
#include "app/orgs.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "../plugin/support.h"
#include "app/ask.h"

namespace pb::app {
namespace {

using catalog::Status;
using nlohmann::json;
using Names = std::vector<std::string>;

// Every instance lists the tools that its configuration names, and more when it is told to.
class Plugins {
  public:
    plugin::LibraryPtr library(const std::string& capability,
                               const std::string& version = "1.0.0") {
        plugin::Script script;
        script.start = [this](const patchbay_host* host, std::string_view message) {
            auto start = json::parse(message);
            {
                std::lock_guard lock(mutex_);
                ++starts_[start["capability"]];
                started_.notify_all();
            }
            if (start["config"].contains("hangs")) go_on.wait();
            std::lock_guard lock(mutex_);
            if (start["config"].contains("broken") && !healed_) return PATCHBAY_E_INVALID;
            hosts_[host] = start;
            return PATCHBAY_OK;
        };
        script.stop = [this](const patchbay_host* host) {
            std::lock_guard lock(mutex_);
            hosts_.erase(host);
        };
        script.handle = [this](const patchbay_host* host, patchbay_call call,
                               const patchbay_request& request) { answer(host, call, request); };
        auto made = std::make_shared<plugin::Library>(*plugin::ScriptedPlugin::library(script));
        made->manifest.id = capability;
        made->manifest.version = version;
        made->manifest.capabilities[0].name = capability;
        made->sha256 = capability + version;
        return made;
    }
    void also_lists(const std::string& tool) {
        std::lock_guard lock(mutex_);
        more_.push_back(tool);
    }
    // The next one that is asked for its tools gets another while it answers, and says so.
    void gets_while_listing(const std::string& tool) {
        std::lock_guard lock(mutex_);
        late_ = tool;
    }
    // What was "broken" and "mute" is so no longer.
    void heal() {
        std::lock_guard lock(mutex_);
        healed_ = true;
    }
    std::size_t starts(const std::string& capability) {
        std::lock_guard lock(mutex_);
        return starts_[capability];
    }
    bool starts_reach(const std::string& capability, std::size_t number) {
        std::unique_lock lock(mutex_);
        return started_.wait_for(lock, plugin::long_enough,
                                 [&] { return starts_[capability] >= number; });
    }
    // Says something in the name of the instance of a capability.
    patchbay_status say(const std::string& capability, std::string_view method,
                        std::string_view params = "{}") {
        const patchbay_host* host = nullptr;
        {
            std::lock_guard lock(mutex_);
            for (const auto& [each, start] : hosts_)
                if (start["capability"] == capability) host = each;
        }
        return host ? host->notify(host, PATCHBAY_NO_CALL, plugin::str(method), plugin::str(params))
                    : PATCHBAY_E_GONE;
    }
    std::size_t running() {
        std::lock_guard lock(mutex_);
        return hosts_.size();
    }

    plugin::Signal go_on;  // for a start that "hangs"

  private:
    void answer(const patchbay_host* host, patchbay_call call, const patchbay_request& request) {
        json tools = json::array(), resources = json::array();
        const auto method = plugin::view(request.method);
        std::string late;
        {
            std::lock_guard lock(mutex_);
            const auto& config = hosts_[host]["config"];
            auto names = config.value("tools", Names{"one"});
            names.insert(names.end(), more_.begin(), more_.end());
            if (method == "tools/list") late = std::exchange(late_, {});
            if (!late.empty()) more_.push_back(late);
            if (config.contains("mute") && !healed_) {
                host->complete(host, call, PATCHBAY_E_INTERNAL, plugin::str("{}"));
                return;
            }
            for (const auto& name : names)
                tools.push_back({{"name", name}, {"inputSchema", {{"type", "object"}}}});
        }
        resources.push_back({{"uri", "note://a"}, {"name", "a"}});
        if (!late.empty()) {
            const auto said =
                host->notify(host, PATCHBAY_NO_CALL,
                             plugin::str("notifications/tools/list_changed"), plugin::str("{}"));
            EXPECT_EQ(said, PATCHBAY_OK);
        }
        json body = json::object();
        if (method == "server/discover")
            body = {{"capabilities", {{"tools", json::object()}, {"resources", json::object()}}}};
        if (method == "tools/list") body["tools"] = tools;
        if (method == "resources/list") body["resources"] = resources;
        if (method == "resources/templates/list") body["resourceTemplates"] = json::array();
        host->complete(host, call, PATCHBAY_OK, plugin::str(body.dump()));
    }

    std::mutex mutex_;
    std::condition_variable started_;
    std::map<const patchbay_host*, json> hosts_;
    std::map<std::string, std::size_t> starts_;
    Names more_;
    std::string late_;
    bool healed_ = false;
};

class OrgsTest : public testing::Test {
  protected:
    // Nothing is tried again by itself unless a test says so.
    explicit OrgsTest(Orgs::Patience patience = {plugin::long_enough, std::chrono::hours(1)})
        : orgs(catalog, make_ask(calls, plugin::long_enough), patience) {
        catalog.listen({[](const auto&, const auto&) {},
                        [this](const std::string& org, const std::string& uri) {
                            updated.push_back(org + " " + uri);
                        }});
        orgs.use({calls, orgs, invoker, *store, events, timers, workers, lifecycle});
        folder.libraries = {plugins.library("mail"), plugins.library("wiki")};
        configure("acme");
    }
    ~OrgsTest() override {
        plugins.go_on.raise();
        orgs.stop();
        calls.drain(std::chrono::seconds(5));
        lifecycle.drain(plugin::long_enough);
    }
    // Gives an organisation its configuration; a null one takes it away.
    void configure(const std::string& name, const json& capabilities = json::object()) {
        if (capabilities.is_null()) {
            config.orgs.erase(name);
            return;
        }
        auto org = std::make_shared<config::OrgConfig>();
        org->name = name;
        for (const auto& [capability, value] : capabilities.items()) {
            if (!org->capabilities) org->capabilities.emplace();
            auto& made = (*org->capabilities)[capability];
            made.enabled = value.value("enabled", true);
            made.config = value.value("config", json::object());
            if (value.contains("namespace")) made.name_space = value["namespace"];
        }
        config.orgs[name] = org;
    }
    void settle() {
        orgs.set(folder);
        orgs.set(std::make_shared<config::ConfigSet>(config));
        orgs.settle();
    }
    Names tools(const std::string& org = "acme") {
        Names out;
        if (auto snapshot = catalog.of(org))
            for (const auto& tool : snapshot->tools)
                out.push_back(tool.exposed);
        return out;
    }
    const catalog::Provider* provider(const std::string& tool) {
        const auto* found = catalog.of("acme")->tool(tool);
        return found ? found->binding->provider.get() : nullptr;
    }

    plugin::TempFolder data;
    std::unique_ptr<store::Store> store = std::move(*store::open_store(data / "store.db"));
    Plugins plugins;
    catalog::Catalog catalog;
    runtime::Calls calls;
    plugin::FakeInvoker invoker;
    Orgs orgs;
    Workers workers;
    plugin::EventBus events{workers};
    plugin::Timers timers{workers};
    plugin::Lifecycle lifecycle;
    plugin::FolderState folder;
    config::ConfigSet config;
    Names updated;
};

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
