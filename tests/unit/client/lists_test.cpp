// SPDX-License-Identifier: Apache-2.0
// Lists, page after page, and the headers that a tool's parameters are mirrored into.
#include "client/lists.h"

#include <atomic>

#include "base/base64.h"
#include "client/param_headers.h"
#include "support.h"

namespace pb::client::testing::lists_test {
namespace {

using Pages = std::function<std::string(const Got&)>;

// A modern server that answers lists with what `pages` says.
TestServer::Serve lists(Pages pages, const std::string& capabilities = R"({"tools":{}})") {
    return [pages = std::move(pages), capabilities](const Got& got, const Out& out) {
        if (!modern(got, out, capabilities)) out.result(pages(got));
    };
}

std::string tool_named(const std::string& name) {
    return R"({"name":")" + name + R"(",  "inputSchema":{"type":"object"}})";
}

TEST(Lists, EveryPageIsAskedForAndEntriesStayAsTheyCame) {
    TestServer server(lists(
        [](const Got& got) -> std::string {
            const auto cursor = got.params().value("cursor", "");
            if (got.method() == "tools/list")
                return cursor.empty()
                           ? R"({"tools":[)" + tool_named("a") + R"(],"nextCursor":"p\"2"})"
                           : R"({"tools":[)" + tool_named("b") + "]}";
            if (got.method() == "resources/list")
                return R"({"resources":[{"uri":"file:///x","name":"x"}]})";
            if (got.method() == "resources/templates/list")
                return R"({"resourceTemplates":[{"uriTemplate":"file:///{y}","name":"y"}]})";
            return R"({"prompts":[{"name":"z"}]})";
        },
        R"({"tools":{},"resources":{},"prompts":{}})"));
    World world(server.url());
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all) << all.error().message;
    EXPECT_EQ(all->tools, (std::vector<std::string>{tool_named("a"), tool_named("b")}));
    EXPECT_EQ(all->resources.size(), 1U);
    EXPECT_EQ(all->templates.size(), 1U);
    EXPECT_EQ(all->prompts.size(), 1U);
    EXPECT_EQ(server.got("tools/list").at(1).params()["cursor"], "p\"2");
    EXPECT_FALSE(all->ttl_ms);
    EXPECT_TRUE(all->warnings.empty());
}

TEST(Lists, OnlyWhatTheServerHasIsAskedFor) {
    TestServer server(lists([](const Got&) { return R"({"tools":[]})"; }));
    World world(server.url());
    ASSERT_TRUE(list_all(world.client(), soon()));
    EXPECT_EQ(server.count("resources/list") + server.count("prompts/list"), 0U);
}

TEST(Lists, TheShortestTimeAndTheMostPrivateScopeCount) {
    TestServer server(lists([](const Got& got) -> std::string {
        if (!got.params().contains("cursor"))
            return R"({"tools":[],"ttlMs":9000,"cacheScope":"private","nextCursor":"2"})";
        return R"({"tools":[],"ttlMs":4000,"cacheScope":"public"})";
    }));
    World world(server.url());
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all);
    EXPECT_EQ(all->ttl_ms, 4'000);
    EXPECT_TRUE(all->is_private);
}

TEST(Lists, CursorsThatGoRoundEnd) {
    TestServer server(
        lists([](const Got&) { return R"({"tools":[{"name":"a"}],"nextCursor":"again"})"; }));
    World world(server.url());
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all);
    EXPECT_EQ(server.count("tools/list"), 2U);
    EXPECT_FALSE(all->warnings.empty());
}

TEST(Lists, PagesWithoutEndAreBounded) {
    std::atomic<int> page{0};
    TestServer server(lists([&](const Got&) {
        const auto n = std::to_string(++page);
        return R"({"tools":[{"name":"t)" + n + R"("}],"nextCursor":")" + n + "\"}";
    }));
    World world(server.url());
    world.spec.limits.pages = 7;
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all);
    EXPECT_EQ(all->tools.size(), 7U);
    EXPECT_EQ(server.count("tools/list"), 7U);
    EXPECT_FALSE(all->warnings.empty());
}

TEST(Lists, WhatIsBeyondTheLimitIsNotEvenAskedFor) {
    std::atomic<int> page{0};
    TestServer server(lists([&](const Got&) {
        const auto n = std::to_string(++page);
        return R"({"tools":[{"name":"a)" + n + R"("},{"name":"b)" + n + R"("}],"nextCursor":")" +
               n + "\"}";
    }));
    World world(server.url());
    world.spec.limits.entries = 3;
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all);
    EXPECT_EQ(all->tools.size(), 3U);
    EXPECT_EQ(server.count("tools/list"), 2U);
    EXPECT_FALSE(all->warnings.empty());
}

TEST(Lists, ToolsWithInvalidHeadersAreLeftOutWithAWarning) {
    const auto annotated = [](const std::string& name, const std::string& property) {
        return R"({"name":")" + name + R"(","inputSchema":{"type":"object","properties":{"p":)" +
               property + "}}}";
    };
    const std::vector<std::string> wrong{
        R"({"type":"string","x-mcp-header":""})", R"({"type":"string","x-mcp-header":"a b"})",
        R"({"type":"number","x-mcp-header":"N"})", R"({"type":"string","x-mcp-header":"a\r\nb"})",
        R"({"type":"array","items":{"type":"string","x-mcp-header":"I"}})"};
    TestServer server(lists([&](const Got&) {
        std::string tools = annotated("good", R"({"type":"string","x-mcp-header":"P"})");
        for (std::size_t i = 0; i < wrong.size(); ++i)
            tools += "," + annotated("wrong" + std::to_string(i), wrong[i]);
        return "{\"tools\":[" + tools + R"(,{"description":"no name"}]})";
    }));
    World world(server.url());
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all);
    ASSERT_EQ(all->tools.size(), 1U);
    EXPECT_NE(all->tools[0].find("good"), std::string::npos);
    ASSERT_EQ(all->warnings.size(), wrong.size() + 1);
    EXPECT_NE(all->warnings[0].find("wrong0"), std::string::npos);
}

TEST(Lists, AMissingMethodIsAnEmptyListAndAnotherErrorIsAnError) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out, R"({"tools":{},"prompts":{}})")) return;
        if (got.method() == "prompts/list") return out.error(404, -32601);
        out.result(R"({"tools":[{"name":"a"}]})");
    });
    World world(server.url());
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all);
    EXPECT_EQ(all->tools.size(), 1U);

    server.serve([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.error(200, -32603, "its own words");
    });
    const auto failed = list_all(world.client(), soon());
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("its own words"), std::string::npos);
}

struct Missing {
    const char* name;
    std::function<void(const Out&)> fail;
};

void PrintTo(const Missing& missing, std::ostream* out) { *out << missing.name; }

class MissingList : public ::testing::TestWithParam<Missing> {};

TEST_P(MissingList, LeavesTheTools) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out, R"({"tools":{},"resources":{},"prompts":{}})")) return;
        if (got.method() == "tools/list") return out.result(R"({"tools":[{"name":"a"}]})");
        if (got.method() == "prompts/list") return out.result(R"({"prompts":[{"name":"b"}]})");
        if (got.method() == "resources/templates/list")
            return out.result(R"({"resourceTemplates":[]})");
        if (got.params().contains("cursor")) return GetParam().fail(out);
        out.result(R"({"resources":[{"uri":"x:1"}],"nextCursor":"2"})");
    });
    World world(server.url());
    const auto all = list_all(world.client(), soon());
    ASSERT_TRUE(all) << all.error().message;
    EXPECT_EQ(all->tools.size(), 1U);
    EXPECT_EQ(all->prompts.size(), 1U);
    EXPECT_TRUE(all->resources.empty());
    ASSERT_EQ(all->failed.size(), 1U);
    EXPECT_EQ(all->failed[0], &ServerLists::resources);
    ASSERT_EQ(all->warnings.size(), 1U);
    EXPECT_NE(all->warnings[0].find("resources/list"), std::string::npos) << all->warnings[0];
}

INSTANTIATE_TEST_SUITE_P(
    Http, MissingList,
    ::testing::Values(Missing{"Error", [](const Out& out) { out.error(200, -32603); }},
                      Missing{"Status", [](const Out& out) { out.empty(500); }},
                      Missing{"NoList", [](const Out& out) { out.result("{}"); }},
                      Missing{"NoJson", [](const Out& out) { out.json(200, "{"); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Lists, AServerThatIsLostMeanwhileIsAnError) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out, R"({"tools":{},"prompts":{}})")) return;
        if (got.method() == "tools/list") return out.result(R"({"tools":[{"name":"a"}]})");
        out.stream();
        out.end();
    });
    World world(server.url());
    EXPECT_FALSE(list_all(world.client(), soon()));
}

// Taken for an empty list, it would take away all that there was.
TEST(Lists, WhatIsNoListIsAnError) {
    std::string answer;
    TestServer server(lists([&](const Got& got) {
        return got.params().contains("cursor") ? answer
                                               : R"({"tools":[{"name":"a"}],"nextCursor":"2"})";
    }));
    World world(server.url());
    for (const std::string each :
         {"{}", R"({"tools":null})", R"({"tools":{}})", R"({"tools":"a"})", R"({"Tools":[]})",
          R"({"tools":[{"name":"a"},null]})", R"({"tools":["a"]})", R"({"tools":[[]]})"}) {
        answer = each;
        const auto all = list_all(world.client(), soon());
        ASSERT_FALSE(all) << each;
        EXPECT_NE(all.error().message.find("tools/list"), std::string::npos) << all.error().message;
    }
    answer = R"({"tools":[]})";
    EXPECT_TRUE(list_all(world.client(), soon()));
}

TEST(Lists, TheyAreAskedForWithinOneTime) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.on_gone([out] {});
    });
    World world(server.url());
    const auto all = list_all(world.client(), Deadline::clock::now() + milliseconds(300));
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().kind, ErrorKind::deadline);
}

// --- headers -------------------------------------------------------------------------------------

struct Encoded {
    const char* value;
    const char* header;
};

TEST(ParamHeaders, ValuesAreEncodedWhereAHeaderCannotCarryThem) {
    const Encoded table[] = {
        {"us-west1", "us-west1"},
        {"Hello, World", "Hello, World"},
        {"", ""},
        {" padded ", "=?base64?IHBhZGRlZCA=?="},
        {"line1\nline2", "=?base64?bGluZTEKbGluZTI=?="},
        {"=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="},
        {"Hello, \xE4\xB8\x96\xE7\x95\x8C", "=?base64?SGVsbG8sIOS4lueVjA==?="},
    };
    for (const auto& [value, header] : table)
        EXPECT_EQ(encode_header(value), header) << value;
    // A tab could be taken for white space around the value on the way.
    EXPECT_TRUE(encode_header("\tx").starts_with("=?base64?"));
    EXPECT_TRUE(encode_header(std::string("a\0b", 3)).starts_with("=?base64?"));
}

TEST(ParamHeaders, AreReadAtTheirPathAndLeftOutWhereNothingIsThere) {
    const std::vector<json::HeaderParam> params{{"Region", {"region"}, "string"},
                                                {"Deep", {"a", "b"}, "integer"},
                                                {"Flag", {"flag"}, "boolean"}};
    const auto all =
        param_headers(params, R"({"region":"eu","a":{"b":-7},"flag":true,"other":"x"})");
    EXPECT_EQ(all, (outbound::Headers{{"Mcp-Param-Region", "eu"},
                                      {"Mcp-Param-Deep", "-7"},
                                      {"Mcp-Param-Flag", "true"}}));
    EXPECT_EQ(param_headers(params, R"({"a":{"b":42.0}})"),
              (outbound::Headers{{"Mcp-Param-Deep", "42"}}));
    EXPECT_TRUE(param_headers(params, R"({"region":null,"a":{},"flag":[]})").empty());
    EXPECT_TRUE(param_headers(params, "").empty());
    EXPECT_TRUE(param_headers(params, R"({"a":"b"})").empty());
}

TEST(ParamHeaders, GoOutWithModernCallsOverHttpAlone) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.result("{}");
    });
    World world(server.url());
    auto request = tool("h\u00e9", R"({"region":"eu\r\nX-Evil: 1"})");
    request.header_params = {{"Region", {"region"}, "string"}};
    EXPECT_TRUE(world.ask(request).ok());
    const auto got = server.got("tools/call").at(0);
    EXPECT_EQ(got.header("mcp-param-region"),
              "=?base64?" + base64_encode("eu\r\nX-Evil: 1", Alphabet::standard) + "?=");
    EXPECT_TRUE(got.header("mcp-name").starts_with("=?base64?"));

    TestServer old([](const Got& got, const Out& out) {
        if (!legacy(got, out)) out.result("{}");
    });
    World other(old.url());
    EXPECT_TRUE(other.ask(request).ok());
    EXPECT_FALSE(old.got("tools/call").at(0).has("mcp-param-region"));
}

TEST(Meta, WhatTheCallerSentIsKeptAndOurOwnIsNotForged) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.result("{}");
    });
    World world(server.url());
    auto request = tool("x");
    request.params =
        R"({"name":"x","later":1.50,"_meta":{"com.example/a":1,"progressToken":"theirs",)"
        R"("io.modelcontextprotocol/protocolVersion":"1900-01-01","traceparent":"forged"}})";
    request.progress = true;
    request.trace = R"({"traceparent":"00-ours"})";
    request.client_capabilities = R"({"elicitation":{}})";
    EXPECT_TRUE(world.ask(request).ok());
    const auto got = server.got("tools/call").at(0);
    const auto meta = got.params()["_meta"];
    EXPECT_EQ(meta["com.example/a"], 1);
    EXPECT_EQ(meta["progressToken"], got.json["id"]);
    EXPECT_EQ(meta["traceparent"], "00-ours");
    EXPECT_EQ(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    EXPECT_EQ(meta["io.modelcontextprotocol/clientCapabilities"],
              Json::parse(R"({"elicitation":{}})"));
    EXPECT_NE(got.body.find("\"later\":1.50"), std::string::npos);
}

}  // namespace
}  // namespace pb::client::testing::lists_test
