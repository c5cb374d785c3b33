// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "fake_host.h"

namespace services_test {
namespace {

using namespace sdk_test;

class Services : public testing::Test {
  protected:
    void SetUp() override {
        services::reset();
        host.offer(PATCHBAY_SERVICE_STORE, services::store());
        host.offer(PATCHBAY_SERVICE_SECRETS, services::secrets());
        host.offer(PATCHBAY_SERVICE_EVENTS, services::events());
        host.offer(PATCHBAY_SERVICE_SCHEDULE, services::schedule());
        host.offer(PATCHBAY_SERVICE_INVOKE, services::invoke());
        host.offer(PATCHBAY_SERVICE_CONFIG, services::config());
        host.offer(PATCHBAY_SERVICE_CAPABILITIES, services::capabilities());
    }
    FakeHost host;
};

template <class F>
std::string code_of(F&& action) {
    try {
        action();
    } catch (const patchbay::Error& error) {
        return error.code();
    }
    return "no error";
}

TEST_F(Services, StoreKeepsVersionedValues) {
    const patchbay::Store store(host.table());
    EXPECT_FALSE(store.get("k"));
    const auto first = store.put("k", std::string_view("a\0b", 3));
    ASSERT_TRUE(store.get("k"));
    EXPECT_EQ(store.get("k")->value, std::string("a\0b", 3));
    EXPECT_EQ(store.get("k")->version, first);
    EXPECT_FALSE(store.put_if("k", "c", 0));
    EXPECT_FALSE(store.put_if("k", "c", first + 1));
    const auto second = store.put_if("k", "c", first);
    ASSERT_TRUE(second);
    EXPECT_GT(*second, first);
    EXPECT_FALSE(store.remove_if("k", first));
    EXPECT_TRUE(store.remove_if("k", *second));
    EXPECT_FALSE(store.remove("k"));
    EXPECT_TRUE(store.put_if("new", "x", 0));
    EXPECT_TRUE(store.remove("new"));
}

TEST_F(Services, StoreListsInPages) {
    const patchbay::Store store(host.table());
    for (const char* key : {"a/1", "a/2", "a/3", "b/1"})
        store.put(key, key);
    const auto page = store.list("a/", {}, 2);
    ASSERT_EQ(page.size(), 2u);
    EXPECT_EQ(page[1].key, "a/2");
    const auto rest = store.list("a/", page.back().key);
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].value, "a/3");
}

TEST_F(Services, StoreKeepsJson) {
    const patchbay::Store store(host.table());
    EXPECT_EQ(store.get_json("k"), json());
    store.put_json("k", {{"a", 1}});
    EXPECT_EQ(store.get_json("k"), json({{"a", 1}}));
    store.put("k", "{broken");
    EXPECT_EQ(store.get_json("k"), json());
}

TEST_F(Services, FailuresOfTheStoreAreErrors) {
    const patchbay::Store store(host.table());
    const std::pair<patchbay_status, const char*> cases[] = {{PATCHBAY_E_INVALID, "invalid"},
                                                             {PATCHBAY_E_GONE, "stopping"},
                                                             {PATCHBAY_E_INTERNAL, "host_failure"},
                                                             {PATCHBAY_E_AGAIN, "busy"}};
    for (const auto& [status, code] : cases) {
        services::fail_store(status);
        EXPECT_EQ(code_of([&] { store.get("k"); }), code);
        services::fail_store(status);
        EXPECT_EQ(code_of([&] { store.put("k", ""); }), code);
        services::fail_store(status);
        EXPECT_EQ(code_of([&] { store.list(""); }), code);
    }
}

TEST_F(Services, EventsReachTheirSubscribersUntilTheHandleEnds) {
    const patchbay::Events events(host.table());
    std::vector<std::string> seen;
    {
        const auto handle =
            events.subscribe("order.", [&](std::string_view topic, const json& data) {
                seen.push_back(std::string(topic) + "=" + data.dump());
            });
        EXPECT_TRUE(events.publish("order.new", {{"id", 1}}));
        EXPECT_TRUE(events.publish("other", 1));
    }
    EXPECT_TRUE(events.publish("order.new", 2));
    EXPECT_EQ(seen, (std::vector<std::string>{"order.new={\"id\":1}"}));
    EXPECT_EQ(services::subscriptions(), 0u);
    EXPECT_FALSE(events.publish("full", 1));
}

TEST_F(Services, AHandlerMayEndItsOwnSubscription) {
    const patchbay::Events events(host.table());
    patchbay::Handle handle;
    int seen = 0;
    handle =
        events.subscribe("", [&, kept = std::make_shared<int>(7)](std::string_view, const json&) {
            handle.reset();
            seen += *kept;
        });
    events.publish("a", 1);
    events.publish("a", 1);
    EXPECT_EQ(seen, 7);
    EXPECT_FALSE(handle);
}

TEST_F(Services, WhatAHandlerThrowsStaysInside) {
    const patchbay::Events events(host.table());
    const auto handle =
        events.subscribe("", [](std::string_view, const json&) { throw std::runtime_error("no"); });
    EXPECT_TRUE(events.publish("a", 1));
    const patchbay::Schedule schedule(host.table());
    const auto timer = schedule.after(std::chrono::seconds(1), [] { throw 5; });
    services::fire_timers();
}

TEST_F(Services, TimersRunUntilTheirHandleEnds) {
    const patchbay::Schedule schedule(host.table());
    int once = 0, often = 0;
    auto single = schedule.after(std::chrono::seconds(1), [&] { ++once; });
    auto repeated = schedule.every(std::chrono::seconds(1), [&] { ++often; });
    services::fire_timers();
    services::fire_timers();
    EXPECT_EQ(once, 1);
    EXPECT_EQ(often, 2);
    repeated = {};
    services::fire_timers();
    EXPECT_EQ(often, 2);
    EXPECT_EQ(services::timers(), 0u);
}

TEST_F(Services, ThePluginsOwnSubscriptionsEndWhenItStops) {
    {
        Instance plugin(host, [](patchbay::Plugin& it) {
            it.on_event("a", [](std::string_view, const json&) {});
            it.every(std::chrono::seconds(1), [] {});
        });
        EXPECT_EQ(services::subscriptions(), 1u);
        EXPECT_EQ(services::timers(), 1u);
    }
    EXPECT_EQ(services::subscriptions(), 0u);
    EXPECT_EQ(services::timers(), 0u);
}

void offer_callers(patchbay::Plugin& plugin) {
    plugin.tool("call").handle([](patchbay::Call& call) {
        const auto result = call.invoke("other__tool", {{"x", 1}}, std::chrono::milliseconds(500));
        return result.text() + "|" + result.structured().dump() + "|" +
               (result.is_error() ? "failed" : "good");
    });
    plugin.tool("self").handle([&plugin] { return plugin.invoke("other__tool").text(); });
    plugin.tool("list").handle(
        [](patchbay::Call& call) { return call.request("tools/list", json::object()).raw(); });
    plugin.tool("async").handle_async([](patchbay::AsyncCall call) {
        // Not through `call` itself: it moves into the handler.
        auto shared = std::make_shared<patchbay::AsyncCall>(std::move(call));
        shared->invoke_async("other__tool", {}, [shared](const patchbay::Reply& reply) {
            shared->finish_with([&](patchbay::Call&) { return reply.get().text(); });
        });
    });
}

TEST_F(Services, InvokeWaitsForTheResult) {
    Instance plugin(host, offer_callers);
    for (const bool later : {false, true}) {
        services::answer_invoke(PATCHBAY_OK, R"({"content":[{"type":"text","text":"a"},
            {"type":"image"},{"type":"text","text":"b"}],"structuredContent":{"k":1},
            "isError":true})",
                                later);
        const auto id = plugin.send("tools/call", {{"name", "call"}});
        EXPECT_EQ(host.ended(id).body["content"][0]["text"], "a\nb|{\"k\":1}|failed");
        const auto made = services::invocations().back();
        EXPECT_EQ(made.parent, id);
        EXPECT_EQ(made.method, "tools/call");
        EXPECT_EQ(made.params, json::parse(R"({"name":"other__tool","arguments":{"x":1}})"));
        EXPECT_EQ(made.timeout_ns, 500'000'000);
    }
}

TEST_F(Services, ThePluginInvokesAsItself) {
    Instance plugin(host, offer_callers);
    services::answer_invoke(PATCHBAY_OK, R"({"content":[{"type":"text","text":"x"}]})");
    EXPECT_EQ(plugin.tool("self").body["content"][0]["text"], "x");
    EXPECT_EQ(services::invocations().back().parent, PATCHBAY_NO_CALL);
    EXPECT_EQ(services::invocations().back().params["arguments"], json::object());
    services::answer_invoke(PATCHBAY_OK, R"({"tools":[]})");
    EXPECT_EQ(plugin.tool("list").body["structuredContent"], json::parse(R"({"tools":[]})"));
}

TEST_F(Services, InvokeWithoutWaiting) {
    Instance plugin(host, offer_callers);
    for (const bool later : {false, true}) {
        services::answer_invoke(PATCHBAY_OK, R"({"content":[{"type":"text","text":"x"}]})", later);
        const auto ended = plugin.tool("async");
        EXPECT_EQ(ended.body["content"][0]["text"], "x");
        EXPECT_EQ(ended.times, 1);
    }
}

TEST_F(Services, WhatCannotBeInvokedIsAnError) {
    Instance plugin(host, offer_callers);
    const auto failed_with = [&](const char* tool) {
        return plugin.tool(tool).body["structuredContent"];
    };
    services::answer_invoke(PATCHBAY_E_NOT_FOUND, R"({"message":"Unknown tool: other__tool"})");
    for (const char* tool : {"call", "async"}) {
        EXPECT_EQ(failed_with(tool)["message"], "Unknown tool: other__tool");
        EXPECT_EQ(failed_with(tool)["code"], "not_found");
    }
    services::answer_invoke(PATCHBAY_E_BUSY, "");
    EXPECT_EQ(failed_with("call")["retryable"], true);
    services::answer_invoke(PATCHBAY_OK, "not json");
    EXPECT_EQ(failed_with("call")["code"], "host_failure");
    services::answer_invoke(PATCHBAY_INPUT_REQUIRED, "{}");
    EXPECT_EQ(failed_with("call")["code"], "input_required");
    services::refuse_invoke(PATCHBAY_E_GONE);
    for (const char* tool : {"call", "async"})
        EXPECT_EQ(failed_with(tool)["code"], "stopping");
}

TEST(AbsentServices, AreSaidToBeAbsent) {
    FakeHost bare;
    const auto* host = bare.table();
    EXPECT_EQ(code_of([&] { patchbay::Store store(host); }), "service_unavailable");
    EXPECT_EQ(code_of([&] { patchbay::Events events(host); }), "service_unavailable");
    EXPECT_EQ(code_of([&] { patchbay::Schedule schedule(host); }), "service_unavailable");
    Instance plugin(bare, offer_callers);
    const auto failure = plugin.tool("call").body["structuredContent"];
    EXPECT_EQ(failure["code"], "service_unavailable");
    EXPECT_EQ(failure["message"], "This host does not offer patchbay.invoke/1");
}

TEST_F(Services, CurrentConfiguration) {
    static patchbay::Plugin* inside;
    Instance plugin(host, [](patchbay::Plugin& it) { inside = &it; });
    services::set_config("/key", "\"rotated\"");
    EXPECT_EQ(inside->current_config("/key"), "rotated");
    EXPECT_EQ(inside->current_config("/none"), json());
}

TEST_F(Services, TheOrganisationsOwnSecretsAreApart) {
    const patchbay::Secrets secrets(host.table());
    EXPECT_EQ(secrets.get_own("key"), std::nullopt);
    secrets.put("own:key", "k3y");
    EXPECT_EQ(secrets.get_own("key"), "k3y");
    sdk_test::services::fail_store(PATCHBAY_E_DENIED);
    EXPECT_THROW((void)secrets.get_own("key"), patchbay::Error);
}

TEST_F(Services, SecretsAreKeptAndListedByName) {
    const patchbay::Secrets secrets(host.table());
    EXPECT_FALSE(secrets.get("token"));
    const auto first = secrets.put("token", std::string_view("a\0b", 3));
    EXPECT_EQ(secrets.get("token")->value, std::string("a\0b", 3));
    EXPECT_EQ(secrets.get("token")->version, first);
    EXPECT_FALSE(secrets.put_if("token", "c", 0));
    EXPECT_TRUE(secrets.put_if("token", "c", first));
    secrets.put("other", "d");
    EXPECT_EQ(secrets.list(), (std::vector<std::string>{"other", "token"}));
    EXPECT_EQ(secrets.list("t"), (std::vector<std::string>{"token"}));
    EXPECT_TRUE(secrets.remove("token"));
    EXPECT_FALSE(secrets.remove("token"));
    services::fail_store(PATCHBAY_E_INTERNAL);
    EXPECT_EQ(code_of([&] { secrets.put("x", "y"); }), "host_failure");
}

TEST_F(Services, CapabilitiesAreOfferedAndSpokenOf) {
    const patchbay::Capabilities capabilities(host.table());
    capabilities.offer({"mcp:a", "a", "A", "about", true, 7, std::chrono::seconds(9)});
    EXPECT_EQ(services::offered().at("mcp:a"),
              json::parse(R"({"name":"mcp:a","namespace":"a","title":"A","description":"about",
                              "lists":{"scope":"private","ttl_ms":7},"call_time_ms":9000})"));
    EXPECT_TRUE(capabilities.tools_changed("mcp:a"));
    EXPECT_TRUE(capabilities.resource_updated("mcp:a", "a:\"b"));
    EXPECT_FALSE(capabilities.prompts_changed("mcp:b"));
    EXPECT_EQ(
        services::said(),
        (std::vector<std::string>{"mcp:a notifications/tools/list_changed {}",
                                  "mcp:a notifications/resources/updated {\"uri\":\"a:\\\"b\"}"}));
    EXPECT_TRUE(capabilities.withdraw("mcp:a"));
    EXPECT_FALSE(capabilities.withdraw("mcp:a"));
    try {
        capabilities.offer({"mcp:b", "taken"});
        FAIL();
    } catch (const patchbay::Error& error) {
        EXPECT_EQ(error.code(), "busy");
        EXPECT_STREQ(error.what(), "wiki has it");
    }
}

TEST_F(Services, CallsOfVirtualCapabilitiesHaveAHandlerOfTheirOwn) {
    Instance plugin([](patchbay::Plugin& it) {
        it.tool("own").handle([] { return "own"; });
        it.virtual_calls([](patchbay::Call& call, std::string_view method) {
            if (method == "prompts/get") throw patchbay::not_found("no such prompt");
            if (method == "tools/call") throw patchbay::Error("broken", "it broke");
            return json{{"of", call.capability()}, {"method", method}};
        });
    });
    const json context = {{"capability", "mcp:a"}};
    EXPECT_EQ(plugin.call("tools/list", json::object(), context).body,
              (json{{"of", "mcp:a"}, {"method", "tools/list"}}));
    EXPECT_EQ(plugin.call("prompts/get", json::object(), context).status, PATCHBAY_E_NOT_FOUND);
    const auto failed = plugin.call("tools/call", {{"name", "own"}}, context);
    EXPECT_EQ(failed.body["isError"], true);
    const auto own = plugin.call("tools/call", {{"name", "own"}}, {{"capability", "cap"}});
    EXPECT_EQ(own.body["content"][0]["text"], "own");
    EXPECT_EQ(plugin.tool("own").body["content"][0]["text"], "own") << "a 1.0 host does not say";
}

TEST_F(Services, RoutesAnswerPlainHttp) {
    Instance plugin([](patchbay::Plugin& it) {
        it.route("/api/notes", [](const patchbay::HttpRequest& request, patchbay::Call&) {
            if (request.path == "/go") return patchbay::HttpResponse::redirect("https://x");
            if (request.path == "/bad") throw patchbay::Error("bad", "no").validation();
            return patchbay::HttpResponse::of({{"method", request.method},
                                               {"q", request.query.at("q")},
                                               {"body", request.body_json()}});
        });
    });
    const auto request = [&](json more) {
        json params = {{"method", "POST"},      {"route", "/api/notes"},     {"path", ""},
                       {"query", {{"q", "1"}}}, {"headers", json::object()}, {"body", "[1]"}};
        params.update(more);
        return plugin.call("patchbay/http/request", params);
    };
    const json answer = request(json::object()).body;
    EXPECT_EQ(answer["status"], 200);
    EXPECT_EQ(json::parse(answer["body"].get<std::string>()),
              (json{{"method", "POST"}, {"q", "1"}, {"body", {1}}}));
    EXPECT_EQ(answer["headers"]["content-type"], "application/json");
    EXPECT_EQ(request({{"path", "/go"}}).body["headers"]["location"], "https://x");
    EXPECT_EQ(request({{"path", "/bad"}}).body["status"], 400);
    EXPECT_EQ(request({{"body", "{"}}).status, PATCHBAY_E_INVALID);
    EXPECT_EQ(request({{"route", "/api/other"}}).status, PATCHBAY_E_NOT_FOUND);
}

TEST_F(Services, ACallMayLeaveANoteForItsRecord) {
    Instance plugin([](patchbay::Plugin& it) {
        it.tool("noted").handle([](patchbay::Call& call) {
            return json{{"kept", call.record({{"acts_as", "service"}})}};
        });
    });
    const auto ended = plugin.tool("noted");
    EXPECT_EQ(ended.body["structuredContent"]["kept"], true) << ended.text;
    EXPECT_EQ(plugin.host().notices("patchbay/record").at(0).params,
              json({{"acts_as", "service"}}));
}

TEST_F(Services, AScopeGoesWithTheInvocation) {
    services::answer_invoke(PATCHBAY_OK, R"({"tools":[]})");
    static const json scope = {{{"mcpServers", {{"hub", {{"url", "https://hub"}}}}}}};
    Instance plugin(host, [](patchbay::Plugin& it) {
        it.tool("look").handle([](patchbay::Call& call) {
            return call.request_in(scope, "tools/list", json::object()).raw();
        });
    });
    EXPECT_EQ(plugin.tool("look").body["structuredContent"], json::parse(R"({"tools":[]})"));
    ASSERT_EQ(services::invocations().size(), 1u);
    EXPECT_EQ(json::parse(services::invocations()[0].scope), scope);
    // A host of 1.0 has a shorter table.
    static const patchbay_invoke_v1 old{offsetof(patchbay_invoke_v1, invoke_in),
                                        services::invoke()->invoke, nullptr};
    host.offer(PATCHBAY_SERVICE_INVOKE, &old);
    const auto refused = plugin.tool("look");
    EXPECT_EQ(refused.body["structuredContent"]["code"], "unsupported") << refused.text;
}

}  // namespace
}  // namespace services_test
