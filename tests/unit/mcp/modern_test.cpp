// SPDX-License-Identifier: Apache-2.0
// The modern era: what is refused and how, what results carry, what never leaks in.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "support/world.h"

namespace pb::test {
namespace {

class Modern : public testing::Test {
  protected:
    Modern() {
        world.tool(simple_tool("echo"), [this](auto call, const json& params, const json&) {
            world.provider->ok(call, text_result(params["arguments"].value("text", "nothing")));
        });
        world.publish();
    }
    World world;
};

json request(const std::string& method, const json& params) {
    return {{"jsonrpc", "2.0"}, {"id", "abc"}, {"method", method}, {"params", params}};
}

TEST_F(Modern, AnswersWithTypeAndServerInfo) {
    auto out = world.modern("tools/call", {{"name", "echo"}, {"arguments", {{"text", "hi"}}}});
    EXPECT_EQ(out->http_status, 200);
    EXPECT_EQ(out->reply["id"], 7);
    const auto& result = out->reply["result"];
    EXPECT_EQ(result["content"][0]["text"], "hi");
    EXPECT_EQ(result["resultType"], "complete");
    EXPECT_EQ(result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"], "1.2.3");
    EXPECT_FALSE(result.contains("ttlMs"));
}

TEST_F(Modern, DiscoverNamesOnlyModernVersions) {
    const auto result = world.modern("server/discover")->reply["result"];
    EXPECT_EQ(result["supportedVersions"], json({"2026-07-28"}));
    EXPECT_TRUE(result["capabilities"].contains("prompts"));
    EXPECT_TRUE(result["ttlMs"].is_number_integer());
    EXPECT_EQ(result["cacheScope"], "public");
    EXPECT_NE(result["instructions"].get<std::string>().find("Be kind."), std::string::npos);
}

TEST_F(Modern, UnknownAndLegacyMethodsAre404) {
    for (const std::string method : {"unknown/method", "initialize", "ping", "logging/setLevel",
                                     "resources/subscribe", "resources/unsubscribe"}) {
        auto out = world.modern(method);
        EXPECT_EQ(out->http_status, 404) << method;
        EXPECT_EQ(out->reply["error"]["code"], -32601) << method;
    }
}

TEST_F(Modern, MissingMetaIsInvalidParams) {
    FakeHeaders headers;
    headers.all = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "tools/list"}};
    auto none = world.send(request("tools/list", json::object()), &headers);
    EXPECT_EQ(none->http_status, 400);
    EXPECT_EQ(none->reply["error"]["code"], -32602);
    EXPECT_EQ(none->reply["id"], "abc");
    auto meta = World::modern_meta();
    meta.erase("io.modelcontextprotocol/clientCapabilities");
    auto some = world.send(request("tools/list", {{"_meta", meta}}), &headers);
    EXPECT_EQ(some->http_status, 400);
    EXPECT_EQ(some->reply["error"]["code"], -32602);
}

TEST_F(Modern, ClientInfoMayBeAbsent) {
    auto meta = World::modern_meta();
    meta.erase("io.modelcontextprotocol/clientInfo");
    FakeHeaders headers;
    headers.all = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "tools/list"}};
    EXPECT_TRUE(
        world.send(request("tools/list", {{"_meta", meta}}), &headers)->reply.contains("result"));
}

TEST_F(Modern, VersionsThatDisagreeOrAreUnknown) {
    auto meta = World::modern_meta();
    meta["io.modelcontextprotocol/protocolVersion"] = "v999.0.0";
    FakeHeaders headers;
    headers.all = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "tools/list"}};
    auto differ = world.send(request("tools/list", {{"_meta", meta}}), &headers);
    EXPECT_EQ(differ->http_status, 400);
    EXPECT_EQ(differ->reply["error"]["code"], -32020);

    headers.all[0].second = "v999.0.0";
    auto unknown = world.send(request("tools/list", {{"_meta", meta}}), &headers);
    EXPECT_EQ(unknown->http_status, 400);
    EXPECT_EQ(unknown->reply["error"]["code"], -32022);
    EXPECT_EQ(unknown->reply["error"]["data"]["requested"], "v999.0.0");
    EXPECT_EQ(unknown->reply["error"]["data"]["supported"], json({"2026-07-28"}));

    headers.all.erase(headers.all.begin());
    auto missing = world.send(request("tools/list", {{"_meta", World::modern_meta()}}), &headers);
    EXPECT_EQ(missing->reply["error"]["code"], -32020);
}

TEST_F(Modern, UnknownToolAndResource) {
    auto tool = world.modern("tools/call", {{"name", "nope"}});
    EXPECT_EQ(tool->http_status, 200);
    EXPECT_EQ(tool->reply["error"]["code"], -32602);
    auto resource = world.modern("resources/read", {{"uri", "test://nope"}});
    EXPECT_EQ(resource->reply["error"]["code"], -32602);
    EXPECT_EQ(resource->reply["error"]["data"]["uri"], "test://nope");
}

TEST_F(Modern, WrongLogLevelIsRefused) {
    auto out =
        world.modern("tools/list", {{"_meta", {{"io.modelcontextprotocol/logLevel", "loud"}}}});
    EXPECT_EQ(out->reply["error"]["code"], -32602);
}

TEST_F(Modern, LogsOnlyWhereAskedAndFromTheAskedLevel) {
    world.tool(simple_tool("talk"), [this](auto call, const json&, const json&) {
        world.calls.notify(call, "notifications/message", R"({"level":"debug","data":"a"})");
        world.calls.notify(call, "notifications/message", R"({"level":"error","data":"b"})");
        world.provider->ok(call, text_result("done"));
    });
    world.publish();
    EXPECT_TRUE(world.modern("tools/call", {{"name", "talk"}})->sent.empty());
    auto out = world.modern(
        "tools/call",
        {{"name", "talk"}, {"_meta", {{"io.modelcontextprotocol/logLevel", "warning"}}}});
    ASSERT_EQ(out->sent.size(), 1u);
    EXPECT_EQ(out->sent[0]["params"]["data"], "b");
}

TEST_F(Modern, ProgressGoesForwardOnlyAndNeedsAToken) {
    world.tool(simple_tool("work"), [this](auto call, const json&, const json&) {
        for (const char* step : {"0", "50", "20", "100"})
            EXPECT_EQ(world.calls.notify(call, "notifications/progress",
                                         std::string("{\"progress\":") + step + ",\"total\":100}"),
                      Status::ok);
        world.provider->ok(call, text_result("done"));
    });
    world.publish();
    EXPECT_TRUE(world.modern("tools/call", {{"name", "work"}})->sent.empty());
    auto out = world.modern("tools/call", {{"name", "work"}, {"_meta", {{"progressToken", "p"}}}});
    ASSERT_EQ(out->sent.size(), 3u);
    EXPECT_EQ(out->sent[1]["params"]["progress"], 50);
    EXPECT_EQ(out->sent[2]["params"]["progressToken"], "p");
}

// The first step waits in the outlet for the second, which must not come by.
TEST_F(Modern, NoStepOfProgressOvertakesAnother) {
    struct Slow : Recorder {
        std::promise<void> first_is_here, second_is_through;
        std::atomic<int> steps = 0;
        mcp::Sent send(std::string_view message) override {
            if (++steps > 1) return Recorder::send(message);
            first_is_here.set_value();
            second_is_through.get_future().wait_for(std::chrono::milliseconds(50));
            return Recorder::send(message);
        }
    };
    auto slow = std::make_shared<Slow>();
    world.tool(simple_tool("work"), [&](auto call, const json&, const json&) {
        std::jthread second([&] {
            slow->first_is_here.get_future().wait();
            world.calls.notify(call, "notifications/progress", R"({"progress":2})");
            slow->second_is_through.set_value();
        });
        world.calls.notify(call, "notifications/progress", R"({"progress":1})");
        second.join();
        world.provider->ok(call, text_result("done"));
    });
    world.publish();
    world.modern("tools/call", {{"name", "work"}, {"_meta", {{"progressToken", "p"}}}},
                 json::object(), slow);
    ASSERT_EQ(slow->sent.size(), 2u);
    EXPECT_EQ(slow->sent[0]["params"]["progress"], 1);
    EXPECT_EQ(slow->sent[1]["params"]["progress"], 2);
}

TEST_F(Modern, DisconnectCancelsTheProvidersCall) {
    catalog::CallId running = 0;
    world.tool(simple_tool("slow"), [&](auto call, const json&, const json&) { running = call; });
    world.publish();
    auto out = world.modern("tools/call", {{"name", "slow"}});
    ASSERT_TRUE(out->gone);
    EXPECT_FALSE(out->over);
    out->gone();
    EXPECT_TRUE(world.provider->wait_cancelled(running));
    EXPECT_TRUE(out->ended);
    EXPECT_EQ(world.calls.complete(running, Status::ok, "{}"), Status::ok);
    EXPECT_EQ(world.calls.complete(running, Status::ok, "{}"), Status::gone);
}

TEST_F(Modern, ArgumentsThatDoNotFitAreAResultTheModelCanRead) {
    auto definition = simple_tool("add");
    definition["inputSchema"] = {
        {"type", "object"}, {"properties", {{"a", {{"type", "number"}}}}}, {"required", {"a"}}};
    world.tool(definition, [](auto, const json&, const json&) { FAIL() << "must not be called"; });
    world.publish();
    const auto result =
        world.modern("tools/call", {{"name", "add"}, {"arguments", {{"a", "x"}}}})->reply["result"];
    EXPECT_EQ(result["isError"], true);
    EXPECT_EQ(result["structuredContent"]["category"], "validation");
    EXPECT_NE(result["content"][0]["text"].get<std::string>().find("/a"), std::string::npos);
}

TEST_F(Modern, ResultsAreHeldAgainstTheOutputSchema) {
    auto definition = simple_tool("sum");
    definition["outputSchema"] = {{"type", "object"}, {"required", {"sum"}}};
    world.tool(definition, [this](auto call, const json& params, const json&) {
        auto result = text_result("1");
        if (params.contains("arguments")) result["structuredContent"] = {{"sum", 1}};
        world.provider->ok(call, result);
    });
    world.publish();
    auto good = world.modern("tools/call", {{"name", "sum"}, {"arguments", {{"right", 1}}}});
    EXPECT_EQ(good->reply["result"]["structuredContent"]["sum"], 1);
    auto bad = world.modern("tools/call", {{"name", "sum"}});
    EXPECT_EQ(bad->reply["result"]["isError"], true);
    EXPECT_FALSE(bad->reply["result"].contains("structuredContent"));
}

TEST_F(Modern, ListsHavePagesAndStaleCursorsAreRefused) {
    for (const char* name : {"b", "c", "d"})
        world.tool(simple_tool(name), [](auto, const json&, const json&) {});
    world.publish();
    auto first = world.modern("tools/list")->reply["result"];
    EXPECT_EQ(first["tools"].size(), 3u);
    auto second = world.modern("tools/list", {{"cursor", first["nextCursor"]}})->reply["result"];
    EXPECT_EQ(second["tools"].size(), 1u);
    EXPECT_FALSE(second.contains("nextCursor"));
    EXPECT_TRUE(second["ttlMs"].is_number_integer());
    auto wrong = world.modern("tools/list", {{"cursor", "bm90IG9uZQ"}});
    EXPECT_EQ(wrong->reply["error"]["code"], -32602);
}

TEST_F(Modern, MembersNobodyKnowsPassThrough) {
    world.tool({{"name", "odd"},
                {"x-vendor", {{"a", 1}}},
                {"execution", {{"taskSupport", "optional"}}},
                {"inputSchema", {{"type", "object"}, {"x-mine", true}}}},
               [this](auto call, const json&, const json&) {
                   world.provider->ok(call, {{"content", json::array()}, {"x-extra", {1, 2}}});
               });
    world.publish();
    const auto tools = world.modern("tools/list")->reply["result"]["tools"];
    EXPECT_EQ(tools[1]["x-vendor"]["a"], 1);
    EXPECT_EQ(tools[1]["inputSchema"]["x-mine"], true);
    EXPECT_FALSE(tools[1].contains("execution"));  // 2025-11-25 only
    EXPECT_EQ(world.modern("tools/call", {{"name", "odd"}})->reply["result"]["x-extra"],
              json({1, 2}));
}

TEST_F(Modern, ArgumentsThatAreNoObjectAreAProtocolError) {
    for (const std::string method : {"tools/call", "prompts/get"})
        for (const json& wrong : {json::array({1}), json("text"), json(nullptr)}) {
            auto out = world.modern(method, {{"name", "echo"}, {"arguments", wrong}});
            EXPECT_EQ(out->http_status, 400) << method << wrong;
            EXPECT_EQ(out->reply["error"]["code"], -32602) << method << wrong;
        }
    auto legacy = world.legacy(world.open(), "tools/call", {{"name", "echo"}, {"arguments", {1}}});
    EXPECT_EQ(legacy->http_status, 200);
    EXPECT_EQ(legacy->reply["error"]["code"], -32602);
}

// Only the status says what an answer is; its members are the provider's.
TEST_F(Modern, ACompletedCallIsComplete) {
    world.tool(simple_tool("forge"), [this](auto call, const json&, const json&) {
        auto result = text_result("x");
        result["resultType"] = "input_required";
        result["requestState"] = "unsealed";
        world.provider->ok(call, result);
    });
    world.publish();
    EXPECT_EQ(world.modern("tools/call", {{"name", "forge"}})->reply["result"]["resultType"],
              "complete");
}

TEST_F(Modern, CachingHintsAreAsTheSchemaHasThem) {
    json hints;
    world.list("resources/list", "resources", {{{"uri", "test://a"}, {"name", "a"}}});
    world.provider->handlers["resources/read"] = [&](auto call, const json&, const json&) {
        json result{{"contents", json::array()}};
        result.update(hints);
        world.provider->ok(call, result);
    };
    world.publish();
    const auto read = [&](const json& given) {
        hints = given;
        const auto result = world.modern("resources/read", {{"uri", "test://a"}})->reply["result"];
        return json{{"ttlMs", result["ttlMs"]}, {"cacheScope", result["cacheScope"]}};
    };
    const json good{{"ttlMs", 5}, {"cacheScope", "public"}};
    const json strict{{"ttlMs", 0}, {"cacheScope", "private"}};
    EXPECT_EQ(read(good), good);
    EXPECT_EQ(read({{"ttlMs", -1}, {"cacheScope", "all"}}), strict);
    EXPECT_EQ(read({{"ttlMs", "5"}, {"cacheScope", nullptr}}), strict);
    EXPECT_EQ(read({{"ttlMs", 0.5}, {"cacheScope", 1}}), strict);
}

TEST_F(Modern, CompletionsAreAtMostAHundredValues) {
    world.list("prompts/list", "prompts", {{{"name", "greet"}}});
    std::size_t count = 0;
    world.provider->handlers["completion/complete"] = [&](auto call, const json&, const json&) {
        json values = json::array();
        for (std::size_t i = 0; i < count; ++i)
            values.push_back(std::to_string(i));
        world.provider->ok(call, {{"completion", {{"values", values}, {"total", count}}}});
    };
    world.publish();
    const json params{{"ref", {{"type", "ref/prompt"}, {"name", "greet"}}},
                      {"argument", {{"name", "n"}, {"value", "v"}}}};
    for (count = 99; count <= 101; ++count) {
        const bool cut = count > 100;
        auto out = world.legacy(world.open(), "completion/complete", params)->reply["result"];
        EXPECT_EQ(out["completion"]["values"].size(), cut ? 100 : count);
        EXPECT_EQ(out["completion"].contains("hasMore"), cut);
        out = world.modern("completion/complete", params)->reply["result"];
        EXPECT_EQ(out["completion"]["values"].size(), cut ? 100 : count);
        EXPECT_EQ(out["completion"]["values"].back(), std::to_string(cut ? 99 : count - 1));
        EXPECT_EQ(out["completion"].value("hasMore", false), cut);
        EXPECT_EQ(out["completion"]["total"], count);
    }
}

TEST_F(Modern, ReadsSayHowLongTheyKeep) {
    world.list("resources/list", "resources", {{{"uri", "test://a"}, {"name", "a"}}});
    world.provider->handlers["resources/read"] = [this](auto call, const json& params,
                                                        const json&) {
        world.provider->ok(call, {{"contents", {{{"uri", params["uri"]}, {"text", "x"}}}}});
    };
    world.publish("files");
    auto list = world.modern("resources/list")->reply["result"]["resources"];
    const std::string uri = list[0]["uri"];
    EXPECT_NE(uri, "test://a");
    const auto result = world.modern("resources/read", {{"uri", uri}})->reply["result"];
    EXPECT_EQ(result["contents"][0]["uri"], uri);
    EXPECT_EQ(result["ttlMs"], 0);
    EXPECT_EQ(result["cacheScope"], "private");
}

TEST_F(Modern, MalformedEnvelopes) {
    for (const auto& message :
         {json{{"id", 1}, {"method", "ping"}},
          json{{"jsonrpc", "2.0"}, {"id", nullptr}, {"method", "x"}},
          json{{"jsonrpc", "2.0"}, {"id", 1}},
          json{{"jsonrpc", "2.0"}, {"id", 1.5}, {"method", "x"}}, json::array(), json("text")}) {
        auto out = world.send(message);
        EXPECT_EQ(out->http_status, 400) << message;
        EXPECT_EQ(out->reply["error"]["code"], -32600) << message;
    }
}

}  // namespace
}  // namespace pb::test
