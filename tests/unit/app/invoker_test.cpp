// SPDX-License-Identifier: Apache-2.0
// Calls that plugins make into their organisation's catalog.
#include "app/invoker.h"

#include <gtest/gtest.h>

#include "support/notes.h"
#include "support/world.h"

namespace pb::test {
namespace {

class InvokerTest : public testing::Test {
  protected:
    InvokerTest() : invoker(world.admission) {
        auto strict = simple_tool("strict");
        strict["inputSchema"]["required"] = {"a"};
        world.tool(strict, [this](auto id, const json&, const json& context) {
            seen = context;
            world.provider->ok(id, text_result("done"));
        });
        world.tool(simple_tool("keep"), [this](auto id, const json&, const json&) { kept = id; });
        world.list("resources/list", "resources", {{{"uri", "note://a"}, {"name", "a"}}});
        world.provider->handlers["resources/read"] = [this](auto id, const json&, const json&) {
            world.provider->ok(id, {{"contents", json::array()}});
        };
        world.publish("ns");
    }
    // What invoke() says, and what `done` is told.
    Status invoke(const std::string& method, const std::string& params,
                  catalog::CallId parent = catalog::no_call) {
        return invoker.invoke(
            {.self = {"default", "agents"}, .parent = parent, .method = method, .params = params},
            [this](Status end, std::string_view body) {
                ++times;
                status = end;
                result = body.empty() ? json() : json::parse(body);
            });
    }
    World world;
    app::Invoker invoker;
    json seen, result;
    catalog::CallId kept = catalog::no_call;
    int times = 0;
    Status status = Status::internal;
};

TEST_F(InvokerTest, AsItselfWithoutAParent) {
    EXPECT_EQ(invoke("tools/call", R"({"name":"ns__strict","arguments":{"a":1}})"), Status::ok);
    EXPECT_EQ(times, 1);
    EXPECT_EQ(status, Status::ok);
    EXPECT_EQ(result["content"][0]["text"], "done");
    EXPECT_EQ(seen["principal"]["id"], "service:agents");
    EXPECT_EQ(seen["depth"], 0);
}

TEST_F(InvokerTest, WithTheParentsAuthorityBelowACall) {
    auto running = world.modern("tools/call", {{"name", "ns__keep"}});
    EXPECT_EQ(invoke("tools/call", R"({"name":"ns__strict","arguments":{"a":1}})", kept),
              Status::ok);
    EXPECT_EQ(seen["principal"]["id"], "anonymous");
    EXPECT_EQ(seen["client"]["name"], "test");
    EXPECT_EQ(seen["depth"], 1);
    EXPECT_EQ(seen["progress"], false);
    EXPECT_EQ(invoke("tools/call", R"({"name":"ns__strict"})", 987'654), Status::gone);
    EXPECT_EQ(times, 1);
}

TEST_F(InvokerTest, ListsOfTheOrganisation) {
    EXPECT_EQ(invoke("tools/list", "{}"), Status::ok);
    EXPECT_EQ(result["tools"].size(), 2u);
    EXPECT_EQ(result["tools"][0]["name"], "ns__strict");
    for (const auto& [method, member] :
         std::map<std::string, std::string>{{"resources/list", "resources"},
                                            {"resources/templates/list", "resourceTemplates"},
                                            {"prompts/list", "prompts"}}) {
        EXPECT_EQ(invoke(method, "{}"), Status::ok);
        EXPECT_TRUE(result[member].is_array()) << method;
    }
}

TEST_F(InvokerTest, PassesTheSameGateAsAClient) {
    EXPECT_EQ(invoke("tools/call", R"({"name":"ns__strict"})"), Status::ok);
    EXPECT_EQ(result["_meta"]["patchbay/error"]["code"], "invalid_arguments");
    EXPECT_EQ(invoke("tools/call", R"({"name":"strict"})"), Status::ok);
    EXPECT_EQ(status, Status::not_found);
    EXPECT_EQ(result["message"], "Unknown tool: strict");
    EXPECT_EQ(times, 2);
}

TEST_F(InvokerTest, WhatNoProviderAnswersIsCountedAndRecorded) {
    test::Notes notes;
    world.admission.recorder().use(&notes, {}, {});
    test::allow(world.admission.policies(), [](auto& access) { access.limits.org = {1, 2}; });
    invoke("tools/list", "{}");
    invoke("tools/call", R"({"name":"nothing"})");
    EXPECT_EQ(status, Status::not_found);
    invoke("tools/list", "{}");
    EXPECT_EQ(status, Status::busy);
    EXPECT_EQ(result["code"], -32005);
    EXPECT_GT(result["data"]["retry_after_seconds"], 0);
    ASSERT_EQ(notes.all().size(), 3u);
    EXPECT_EQ(notes.all()[0].outcome, "ok");
    EXPECT_EQ(notes.all()[0].method, "tools/list");
    EXPECT_EQ(notes.all()[1].name, "nothing");
    EXPECT_EQ(notes.all()[1].outcome, "error");
    EXPECT_EQ(notes.all()[1].reason, "Unknown tool: nothing");
    EXPECT_EQ(notes.all()[1].principal, "service:agents");
    EXPECT_EQ(notes.all()[2].outcome, "limited");
}

TEST_F(InvokerTest, WhatIsNoCallIsRefusedAtOnce) {
    for (const auto& [method, params] : std::vector<std::pair<std::string, std::string>>{
             {"tools/call", "{"},
             {"tools/call", "[]"},
             {"tools/call", "{}"},
             {"tools/call", R"({"name":3})"},
             {"resources/read", R"({"name":"ns__strict"})"},
             {"initialize", R"({"name":"ns__strict"})"},
             {"", "{}"}})
        EXPECT_EQ(invoke(method, params), Status::invalid) << method << params;
    EXPECT_EQ(times, 0);
}

TEST_F(InvokerTest, EndsWithItsParent) {
    auto running = world.modern("tools/call", {{"name", "ns__keep"}});
    const auto parent = kept;
    EXPECT_EQ(invoke("tools/call", R"({"name":"ns__keep"})", parent), Status::ok);
    EXPECT_EQ(times, 0);
    world.calls.cancel(parent);
    EXPECT_EQ(times, 1);
    EXPECT_EQ(result["_meta"]["patchbay/error"]["code"], "cancelled");
}

}  // namespace
}  // namespace pb::test
