// SPDX-License-Identifier: Apache-2.0
// The request metadata headers of 2026-07-28.
#include "mcp/header_rules.h"

#include <gtest/gtest.h>

#include "support/world.h"

namespace pb::test {
namespace {

TEST(HeaderRules, DecodesTheBase64FormOnly) {
    EXPECT_EQ(mcp::decode_header("plain value"), "plain value");
    EXPECT_EQ(mcp::decode_header("=?base64?SGVsbG8=?="), "Hello");
    EXPECT_EQ(mcp::decode_header("=?base64?SGVsbG8="), "=?base64?SGVsbG8=");
    EXPECT_EQ(mcp::decode_header("=?base64?"
                                 "?="),
              "");
    EXPECT_FALSE(mcp::decode_header("=?base64?SGVsbG8?="));
    EXPECT_FALSE(mcp::decode_header("=?base64?SGV*bG8=?="));
    EXPECT_FALSE(mcp::decode_header("caf\xc3\xa9"));
    EXPECT_FALSE(mcp::decode_header(std::string_view("a\x01", 2)));
}

TEST(HeaderRules, InvalidCharactersAreRefusedEvenIfTheBodyHasThem) {
    FakeHeaders headers;
    headers.all = {{"Mcp-Name", "caf\xc3\xa9"}};
    EXPECT_TRUE(mcp::check_header(headers, "Mcp-Name", "caf\xc3\xa9", true));
}

class Params : public testing::Test {
  protected:
    std::optional<int> check(const std::string& type, const std::string& header,
                             const std::string& arguments) {
        FakeHeaders headers;
        if (header != "absent") headers.all = {{"Mcp-Param-Region", header}};
        auto wrong = mcp::check_params(headers, {{"Region", {"where", "region"}, type}}, arguments);
        if (!wrong) return std::nullopt;
        EXPECT_EQ(wrong->http_status, 400);
        return wrong->code;
    }
};

TEST_F(Params, AreHeldAgainstTheBody) {
    const std::string here = R"({"where":{"region":"us west"}})";
    EXPECT_FALSE(check("string", "us west", here));
    EXPECT_FALSE(check("string", "=?base64?dXMgd2VzdA==?=", here));
    EXPECT_EQ(check("string", "eu", here), -32020);
    EXPECT_EQ(check("string", "absent", here), -32020);
    EXPECT_FALSE(check("string", "absent", "{}"));
    EXPECT_FALSE(check("string", "absent", R"({"where":{"region":null}})"));
    EXPECT_EQ(check("string", "us", "{}"), -32020);
    EXPECT_FALSE(check("integer", "42.0", R"({"where":{"region":42}})"));
    EXPECT_EQ(check("integer", "43", R"({"where":{"region":42}})"), -32020);
    EXPECT_EQ(check("integer", "4x", R"({"where":{"region":42}})"), -32020);
    EXPECT_FALSE(check("boolean", "true", R"({"where":{"region":true}})"));
    EXPECT_EQ(check("boolean", "True", R"({"where":{"region":true}})"), -32020);
}

TEST(StandardHeaders, MustMatchTheBody) {
    World world;
    world.tool(simple_tool("echo"), [&](auto call, const json&, const json&) {
        world.provider->ok(call, text_result("x"));
    });
    world.publish();
    const json body = {{"jsonrpc", "2.0"},
                       {"id", 1},
                       {"method", "tools/call"},
                       {"params", {{"name", "echo"}, {"_meta", World::modern_meta()}}}};
    auto code = [&](std::vector<std::pair<std::string, std::string>> headers) {
        FakeHeaders view;
        view.all = std::move(headers);
        view.all.emplace_back("MCP-Protocol-Version", "2026-07-28");
        auto out = world.send(body, &view);
        return out->reply.contains("error") ? out->reply["error"]["code"].get<int>() : 0;
    };
    EXPECT_EQ(code({{"Mcp-Method", "tools/call"}, {"Mcp-Name", "echo"}}), 0);
    EXPECT_EQ(code({{"Mcp-Method", "tools/call"}, {"Mcp-Name", "=?base64?ZWNobw==?="}}), 0);
    EXPECT_EQ(code({{"Mcp-Method", "Tools/Call"}, {"Mcp-Name", "echo"}}), -32020);
    EXPECT_EQ(code({{"Mcp-Name", "echo"}}), -32020);
    EXPECT_EQ(code({{"Mcp-Method", "tools/call"}}), -32020);
    EXPECT_EQ(code({{"Mcp-Method", "tools/call"}, {"Mcp-Name", "other"}}), -32020);
    EXPECT_EQ(code({{"Mcp-Method", "tools/call"}, {"Mcp-Name", "echo"}, {"Mcp-Name", "echo"}}),
              -32020);
    EXPECT_EQ(code({{"Mcp-Method", "tools/call"},
                    {"Mcp-Name", "echo"},
                    {"MCP-Protocol-Version", "2026-07-28"}}),
              -32020);
}

}  // namespace
}  // namespace pb::test
