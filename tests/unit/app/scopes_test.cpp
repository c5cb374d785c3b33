// SPDX-License-Identifier: Apache-2.0
// Scopes: servers of some calls alone, over the organisation's catalog; opened once, kept, closed.
#include "app/scopes.h"

#include <thread>

#include "app/invoker.h"
#include "org_world.h"

namespace pb::app {
namespace {

// One object stands for an array of it.
std::string scope_of(const json& objects) {
    return (objects.is_array() ? objects : json::array({objects})).dump();
}

json servers(const json& named) { return {{"mcpServers", named}}; }

class ScopesTest : public OrgsTest {
  protected:
    ScopesTest() {
        auto taking = std::make_shared<plugin::Library>(*plugins.library("mail"));
        taking->manifest.capabilities[0].takes = {"mcpServers"};
        folder.libraries[0] = taking;
        settle();
    }
    Names open(const json& objects, Scopes* with = nullptr) {
        const auto merged = Scopes::merged(scope_of(objects));
        if (!merged) return {"invalid: " + merged.error().message};
        auto opened = (with ? *with : scopes).open("acme", *merged);
        if (!opened) return {"refused: " + opened.error().message};
        Names out;
        for (const auto& tool : (*opened)->snapshot->tools)
            out.push_back(tool.exposed);
        return out;
    }
    static json hub(const json& tools) { return {{"hub", {{"tools", tools}}}}; }

    // A replaced instance is told of the scope's end before its own.
    bool come_to(std::size_t instances) {
        const auto end = std::chrono::steady_clock::now() + plugin::long_enough;
        while (plugins.running() != instances && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return plugins.running() == instances;
    }

    Scopes scopes{catalog, calls, workers, make_ask(calls, plugin::long_enough)};
};

TEST_F(ScopesTest, TheLastOfANameCountsAndNamesAreTheKey) {
    EXPECT_EQ(*Scopes::merged("[]"), "");
    EXPECT_EQ(*Scopes::merged(R"([{"mcpServers":{}}])"), "");
    EXPECT_EQ(*Scopes::merged(R"([{"mcpServers":{"b":{"url":"1"},"a":{}}},
                                  {"mcpServers":{"b":{"url":"2"}}}])"),
              R"({"a":{},"b":{"url":"2"}})");
    for (const char* wrong :
         {"", "{}", "[1]", "[{}]", R"([{"mcpServers":[]}])", R"([{"mcpServers":{},"more":1}])"})
        EXPECT_FALSE(Scopes::merged(wrong)) << wrong;
    json many = json::object();
    for (int i = 0; i <= 100; ++i)
        many["s" + std::to_string(i)] = json::object();
    EXPECT_FALSE(Scopes::merged(scope_of({servers(many)})));
}

TEST_F(ScopesTest, LiesOverTheCatalogAndIsSeenByNobodyElse) {
    EXPECT_EQ(open({servers(hub({"a"}))}), (Names{"hub__a", "mail__one", "wiki__one"}));
    EXPECT_EQ(tools(), (Names{"mail__one", "wiki__one"}));
    // One that hides what the organisation has under its namespace.
    EXPECT_EQ(open({servers({{"wiki", {{"tools", {"mine"}}}}})}),
              (Names{"mail__one", "wiki__mine"}));
    EXPECT_EQ(tools(), (Names{"mail__one", "wiki__one"}));
}

TEST_F(ScopesTest, IsOpenedOnceAndFollowsTheCatalog) {
    const json scope = {servers(hub({"a"}))};
    const auto key = *Scopes::merged(scope_of(scope));
    EXPECT_EQ(scopes.at_hand("acme", key), nullptr);
    open(scope);
    EXPECT_NE(scopes.at_hand("acme", key), nullptr);
    EXPECT_EQ(scopes.at_hand("other", key), nullptr);
    open(scope);
    EXPECT_EQ(plugins.opened(), 1u);
    plugins.also_lists("more");
    EXPECT_EQ(plugins.say("wiki", "notifications/tools/list_changed"), PATCHBAY_OK);
    orgs.settle();
    EXPECT_EQ(scopes.at_hand("acme", key), nullptr);
    EXPECT_EQ(open(scope), (Names{"hub__a", "mail__one", "wiki__one", "wiki__more"}));
    EXPECT_EQ(plugins.opened(), 1u);
    EXPECT_EQ(plugins.listings("scope1:hub"), 1u);
}

TEST_F(ScopesTest, WhatCannotBeOpenedIsAnErrorAndTriedAgain) {
    EXPECT_EQ(open({servers({{"x", {{"refused", 1}}}})}), (Names{"refused: not that one"}));
    EXPECT_EQ(open({servers({{"x", {{"refused", 1}}}})}), (Names{"refused: not that one"}));
    EXPECT_EQ(plugins.opened(), 2u);
    configure("acme", {{"mail", {{"enabled", false}}}});
    settle();
    EXPECT_NE(open({servers(hub({"a"}))}).at(0).find("no capability"), std::string::npos);
}

TEST_F(ScopesTest, AServerThatCannotBeListedCostsTheOthersNothing) {
    Scopes hasty(catalog, calls, workers, make_ask(calls, plugin::long_enough),
                 {.retry = std::chrono::milliseconds(0)});
    const json scope = {servers({{"hub", {{"tools", {"a"}}}}, {"dead", {{"tools", nullptr}}}})};
    EXPECT_EQ(open(scope, &hasty), (Names{"hub__a", "mail__one", "wiki__one"}));
    const auto left_out = (*hasty.open("acme", *Scopes::merged(scope_of(scope))))->left_out;
    ASSERT_EQ(left_out.size(), 1u);
    EXPECT_NE(left_out[0].find("scope1:dead"), std::string::npos);
    plugins.lists("scope1:dead", {"risen"});
    EXPECT_EQ(open(scope, &hasty), (Names{"dead__risen", "hub__a", "mail__one", "wiki__one"}));
    EXPECT_TRUE((*hasty.open("acme", *Scopes::merged(scope_of(scope))))->left_out.empty());
    EXPECT_EQ(plugins.opened(), 1u);
    EXPECT_EQ(plugins.listings("scope1:hub"), 1u);
}

TEST_F(ScopesTest, WhatCannotBeUsedIsClosed) {
    const json scope = {servers({{"hub", {{"tools", {"a"}}, {"namespace", "No__t"}}}})};
    EXPECT_NE(open(scope).at(0).find("namespace"), std::string::npos);
    EXPECT_TRUE(plugins.closed_reach(1));
}

TEST_F(ScopesTest, IsOpenedOnceForAllWhoWait) {
    const auto key = *Scopes::merged(scope_of(servers(hub({"a"}))));
    constexpr int most = 20;
    std::atomic<int> seen{0};
    plugin::Signal all;
    for (int i = 0; i < most; ++i)
        scopes.when_open("acme", key, [&](const auto& view) {
            EXPECT_TRUE(view && (*view)->snapshot->tool("hub__a"));
            if (++seen == most) all.raise();
        });
    EXPECT_TRUE(all.wait());
    EXPECT_EQ(plugins.opened(), 1u);
}

TEST_F(ScopesTest, IdleOnesAreClosedWhenNobodyUsesThemAnyMore) {
    Scopes hasty(catalog, calls, workers, make_ask(calls, plugin::long_enough),
                 {.idle = std::chrono::milliseconds(0)});
    const auto key = *Scopes::merged(scope_of({servers(hub({"a"}))}));
    auto held = *hasty.open("acme", key);
    hasty.sweep();
    EXPECT_EQ(hasty.at_hand("acme", key), nullptr);
    const auto* tool = held->snapshot->tool("hub__a");
    ASSERT_TRUE(tool) << "whoever has it goes on";
    held = nullptr;
    EXPECT_TRUE(plugins.closed_reach(1));
}

TEST_F(ScopesTest, TheOldestMakesRoom) {
    Scopes few(catalog, calls, workers, make_ask(calls, plugin::long_enough), {.most = 2});
    for (const char* name : {"one", "two", "three"})
        open({servers({{name, {{"tools", {"a"}}}}})}, &few);
    EXPECT_TRUE(plugins.closed_reach(1));
    EXPECT_EQ(
        few.at_hand("acme", *Scopes::merged(scope_of({servers({{"one", {{"tools", {"a"}}}}})}))),
        nullptr);
    few.clear();
    EXPECT_TRUE(plugins.closed_reach(3));
}

TEST_F(ScopesTest, AnotherInstanceOpensAnew) {
    const json scope = {servers(hub({"a"}))};
    open(scope);
    configure("acme", {{"mail", {{"config", {{"tools", {"two"}}}}}}});
    settle();
    EXPECT_EQ(open(scope), (Names{"hub__a", "mail__two", "wiki__one"}));
    EXPECT_EQ(plugins.opened(), 2u);
    EXPECT_TRUE(come_to(2)) << "the one before is let go of";
    // Where it is only looked over, too.
    configure("acme");
    settle();
    scopes.sweep();
    EXPECT_TRUE(come_to(2));
}

class ScopedInvokeTest : public ScopesTest {
  protected:
    ScopedInvokeTest() { in.use(scopes); }
    // How a call ended.
    Status invoke(const std::string& scope, const std::string& method, const json& params) {
        plugin::Signal done;
        Status end = Status::internal;
        const auto text = params.dump();
        const auto begun = in.invoke(
            {.self = {"acme", "agents"}, .method = method, .params = text, .scope = scope},
            [&](Status status, std::string_view answer) {
                end = status;
                body = answer.empty() ? json() : json::parse(answer);
                done.raise();
            });
        if (begun != Status::ok) return begun;
        EXPECT_TRUE(done.wait());
        return end;
    }
    admission::Admission admission{catalog, calls};
    Invoker in{admission};
    json body;
};

TEST_F(ScopedInvokeTest, CallsWhatTheScopeHas) {
    const auto scope = scope_of({servers(hub({"a", "b"}))});
    for (int round = 0; round < 2; ++round) {  // opened, then at hand
        EXPECT_EQ(invoke(scope, "tools/list", json::object()), Status::ok);
        EXPECT_EQ(body["tools"].size(), 4u);
    }
    EXPECT_EQ(invoke(scope, "tools/call", {{"name", "hub__a"}}), Status::ok);
    EXPECT_EQ(invoke(scope, "tools/call", {{"name", "mail__one"}}), Status::ok);
    EXPECT_EQ(invoke("", "tools/call", {{"name", "hub__a"}}), Status::not_found);
    EXPECT_EQ(invoke("[]", "tools/call", {{"name", "hub__a"}}), Status::not_found);
    EXPECT_EQ(plugins.opened(), 1u);
}

TEST_F(ScopedInvokeTest, SaysWhatOfTheScopeIsNotThere) {
    const auto scope =
        scope_of({servers({{"hub", {{"tools", {"a"}}}}, {"dead", {{"tools", nullptr}}}})});
    EXPECT_EQ(invoke(scope, "tools/list", json::object()), Status::ok);
    ASSERT_EQ(body["_meta"]["patchbay/left_out"].size(), 1u) << body;
    EXPECT_EQ(invoke(scope, "tools/call", {{"name", "hub__a"}}), Status::ok);
    EXPECT_EQ(invoke(scope, "tools/call", {{"name", "dead__a"}}), Status::not_found);
    const std::string message = body["message"];
    EXPECT_EQ(message.find("Unknown tool: dead__a (capability 'scope1:dead'"), 0u) << message;
}

TEST_F(ScopedInvokeTest, RefusesWhatIsWrongAtOnceAndSaysWhatCannotBeOpened) {
    EXPECT_EQ(invoke("{", "tools/list", json::object()), Status::invalid);
    EXPECT_NE(body["message"].get<std::string>().find("not valid JSON"), std::string::npos);
    EXPECT_EQ(invoke(scope_of({servers(hub({"a"}))}), "tools/call", json::object()),
              Status::invalid);
    EXPECT_EQ(invoke(scope_of({servers({{"x", {{"refused", 1}}}})}), "tools/list", json::object()),
              Status::busy);
    EXPECT_NE(body["message"].get<std::string>().find("not that one"), std::string::npos);
    const json wrong = servers({{"x", {{"namespace", "No__t"}}}});
    EXPECT_EQ(invoke(scope_of(wrong), "tools/list", json::object()), Status::invalid);
    configure("acme", {{"mail", {{"enabled", false}}}});
    settle();
    EXPECT_EQ(invoke(scope_of({servers(hub({"a"}))}), "tools/list", json::object()),
              Status::unsupported);
    Invoker without{admission};
    EXPECT_EQ(without.invoke({.self = {"acme", "agents"},
                              .method = "tools/list",
                              .params = "{}",
                              .scope = R"([{"mcpServers":{"a":{}}}])"},
                             nullptr),
              Status::unsupported);
}

}  // namespace
}  // namespace pb::app
