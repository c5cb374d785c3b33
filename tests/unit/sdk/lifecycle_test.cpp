// SPDX-License-Identifier: Apache-2.0
// The C table of an instance: start, stop, discovery, unknown methods, the entry and the manifest.
#include <gtest/gtest.h>

#include "fake_host.h"

PATCHBAY_PLUGIN("unit-test", "1.2.3", plugin) {
    plugin.tool("hello").handle([] { return "hello"; });
}

namespace {

using namespace sdk_test;

struct Settings {
    std::string url;
    int limit = 0;
};
PATCHBAY_STRUCT(Settings, PATCHBAY_FIELD(url), PATCHBAY_FIELD(limit).maximum(10).default_value(5))

TEST(Lifecycle, SetUpKnowsWhatItIs) {
    static json seen;
    Instance plugin(
        [](patchbay::Plugin& it) {
            const auto settings = it.config<Settings>();
            seen = {{"org", it.org()},
                    {"capability", it.capability()},
                    {"ns", it.name_space()},
                    {"url", settings.url},
                    {"limit", settings.limit},
                    {"raw", it.config_json()},
                    {"current", it.current_config("/url")}};
        },
        {{"url", "u"}});
    EXPECT_EQ(plugin.start_status(), PATCHBAY_OK);
    EXPECT_EQ(seen, json::parse(R"({"org":"acme","capability":"cap","ns":"ns","url":"u","limit":5,
                                    "raw":{"url":"u"},"current":"u"})"));
}

TEST(Lifecycle, AFaultyConfigurationEndsTheStartAndIsNamed) {
    Instance plugin([](patchbay::Plugin& it) { it.config<Settings>(); }, {{"limit", 11}});
    EXPECT_EQ(plugin.start_status(), PATCHBAY_E_INVALID);
    const auto logs = plugin.host().logs();
    ASSERT_EQ(logs.size(), 1u);
    EXPECT_EQ(logs[0].level, PATCHBAY_LOG_ERROR);
    EXPECT_EQ(logs[0].message,
              "Invalid configuration: url is missing; limit must be at most 10, not 11");
}

TEST(Lifecycle, WhateverSetUpThrowsEndsTheStart) {
    const std::pair<void (*)(patchbay::Plugin&), const char*> cases[] = {
        {[](patchbay::Plugin&) { throw std::runtime_error("no disk"); }, "no disk"},
        {[](patchbay::Plugin&) { throw 5; }, "The plugin's set-up failed"},
        {[](patchbay::Plugin& it) { it.tool("bad name").handle([] {}); },
         "Tool name \"bad name\": use 1 to 128 letters, digits, '_', '-' or '.'"},
        {[](patchbay::Plugin& it) { it.store(); }, "This host does not offer patchbay.store/1"}};
    for (const auto& [set_up, reason] : cases) {
        Instance plugin(set_up);
        EXPECT_EQ(plugin.start_status(), PATCHBAY_E_INTERNAL);
        ASSERT_EQ(plugin.host().logs().size(), 1u);
        EXPECT_EQ(plugin.host().logs()[0].message, reason);
    }
}

TEST(Lifecycle, StopRunsItsActionsLastOneFirst) {
    static std::vector<int> order;
    order.clear();
    FakeHost host;
    {
        Instance plugin(host, [](patchbay::Plugin& it) {
            it.on_stop([] { order.push_back(1); });
            it.on_stop([] { throw std::runtime_error("stop failed"); });
            it.on_stop([] { order.push_back(2); });
        });
    }
    EXPECT_EQ(order, (std::vector<int>{2, 1}));
    ASSERT_EQ(host.logs().size(), 1u);
    EXPECT_EQ(host.logs()[0].message, "stop failed");
}

TEST(Lifecycle, WhatAFailedSetUpBeganIsEnded) {
    static std::vector<int> order;
    order.clear();
    FakeHost host;
    auto* table = patchbay::detail::make_instance(host.table(), [](patchbay::Plugin& it) {
        it.on_stop([] { order.push_back(1); });
        it.on_stop([] { order.push_back(2); });
        it.config<Settings>();
    });
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->start(table, patchbay::view("{}")), PATCHBAY_E_INVALID);
    EXPECT_EQ(order, (std::vector<int>{2, 1}));
    table->destroy(table);
    EXPECT_EQ(order.size(), 2u);
}

TEST(Lifecycle, DiscoverySaysWhatWasRegistered) {
    Instance bare([](patchbay::Plugin&) {});
    EXPECT_EQ(bare.call("server/discover", json::object()).body,
              json::parse(R"({"capabilities":{"tools":{"listChanged":true}}})"));
    Instance full([](patchbay::Plugin& it) {
        it.instructions("Be kind.");
        it.subscriptions();
        it.resource("a://b").text("x");
        it.prompt("p")
            .argument("x")
            .complete("x", std::vector<std::string>{"y"})
            .get([](const patchbay::Variables&) { return "z"; });
    });
    EXPECT_EQ(full.call("server/discover", json::object()).body, json::parse(R"({"capabilities":{
        "tools":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true},
        "prompts":{"listChanged":true},"completions":{}},"instructions":"Be kind."})"));
    Instance expecting([](patchbay::Plugin& it) {
        it.expect_resources();
        it.expect_prompts();
    });
    EXPECT_EQ(expecting.call("server/discover", json::object()).body["capabilities"].size(), 3u);
}

TEST(Lifecycle, UnknownMethodsAreUnsupported) {
    Instance plugin([](patchbay::Plugin&) {});
    const auto unknown = plugin.call("tasks/list", json::object());
    EXPECT_EQ(unknown.status, PATCHBAY_E_UNSUPPORTED);
    EXPECT_EQ(unknown.body["message"], "Unknown method: tasks/list");
    EXPECT_EQ(plugin.call("resources/subscribe", {{"uri", "a://b"}}).status,
              PATCHBAY_E_UNSUPPORTED);
}

TEST(Lifecycle, AMethodCanBeAnsweredByThePluginItself) {
    Instance plugin([](patchbay::Plugin& it) {
        it.method("tasks/list", [](patchbay::Call& call) { return json{{"got", call.params()}}; });
        it.method("tools/call",
                  [](patchbay::Call&) -> json { throw patchbay::not_found("none here"); });
    });
    EXPECT_EQ(plugin.call("tasks/list", {{"x", 1}}).body, json::parse(R"({"got":{"x":1}})"));
    EXPECT_EQ(plugin.tool("any").status, PATCHBAY_E_NOT_FOUND);
}

TEST(Lifecycle, LogLinesCarryFields) {
    Instance plugin([](patchbay::Plugin& it) {
        it.log(patchbay::Level::warning, "careful", {{"n", 1}});
        it.log(patchbay::Level::info, "plain");
    });
    const auto logs = plugin.host().logs();
    ASSERT_EQ(logs.size(), 2u);
    EXPECT_EQ(logs[0].level, PATCHBAY_LOG_WARNING);
    EXPECT_EQ(logs[0].fields, "{\"n\":1}");
    EXPECT_EQ(logs[1].fields, "");
}

TEST(Entry, MakesInstancesForItsOwnMajorVersionOnly) {
    FakeHost host;
    patchbay_plugin* plugin = patchbay_plugin_v1(host.table());
    ASSERT_NE(plugin, nullptr);
    EXPECT_EQ(plugin->struct_size, sizeof(patchbay_plugin));
    EXPECT_EQ(plugin->abi_major, PATCHBAY_ABI_MAJOR);
    plugin->destroy(plugin);

    patchbay_host newer = *host.table();
    newer.abi_major = PATCHBAY_ABI_MAJOR + 1;
    EXPECT_EQ(patchbay_plugin_v1(&newer), nullptr);
    patchbay_host smaller = *host.table();
    smaller.struct_size = offsetof(patchbay_host, wait);
    EXPECT_EQ(patchbay_plugin_v1(&smaller), nullptr);
    EXPECT_EQ(patchbay_plugin_v1(nullptr), nullptr);
}

TEST(Entry, StartRefusesWhatIsNoObject) {
    FakeHost host;
    patchbay_plugin* plugin = patchbay_plugin_v1(host.table());
    ASSERT_NE(plugin, nullptr);
    EXPECT_EQ(plugin->start(plugin, patchbay::view("[]")), PATCHBAY_E_INVALID);
    plugin->destroy(plugin);
}

TEST(Manifest, NamesThePluginAndItsCapability) {
    const auto& capsule = patchbay_manifest_;
    EXPECT_EQ(std::string_view(capsule.magic, sizeof capsule.magic), PATCHBAY_MANIFEST_MAGIC);
    const auto size = std::stoul(std::string(capsule.size, sizeof capsule.size), nullptr, 16);
    EXPECT_EQ(std::string_view(capsule.text, size),
              R"({"id":"unit-test","version":"1.2.3","abi":"1.0"})");
}

TEST(Manifest, IdsAreChecked) {
    using patchbay::detail::good_plugin_id;
    static_assert(good_plugin_id("a") && good_plugin_id("a-b_c9"));
    static_assert(!good_plugin_id("") && !good_plugin_id("A") && !good_plugin_id("-a"));
    static_assert(!good_plugin_id("a-") && !good_plugin_id("a__b") && !good_plugin_id("a.b"));
    SUCCEED();
}

TEST(Lifecycle, AChangedConfigurationIsTakenOverWhereThereIsAHandler) {
    static json seen;
    Instance plugin(
        [](patchbay::Plugin& it) {
            it.on_configure([](const json& config) {
                if (config.contains("bad")) throw std::runtime_error("not that");
                seen = config;
            });
        },
        {{"url", "u"}});
    EXPECT_EQ(plugin.configure({{"url", "v"}}), PATCHBAY_OK);
    EXPECT_EQ(seen, json({{"url", "v"}}));
    EXPECT_EQ(plugin.configure({{"bad", 1}}), PATCHBAY_E_INTERNAL);
    EXPECT_EQ(plugin.host().logs().at(0).message, "not that");
    Instance without([](patchbay::Plugin&) {});
    EXPECT_EQ(without.configure({}), PATCHBAY_E_UNSUPPORTED);
    EXPECT_TRUE(without.host().logs().empty());
}

}  // namespace
