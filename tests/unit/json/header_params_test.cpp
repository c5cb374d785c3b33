// SPDX-License-Identifier: Apache-2.0
#include "json/header_params.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace pb::json {
namespace {

Result<std::vector<HeaderParam>> read(const char* schema) {
    return header_params(json::Json::parse(schema));
}

TEST(HeaderParams, AreFoundAtAnyDepthOfProperties) {
    const auto params = read(R"({"type":"object","properties":{
        "region":{"type":"string","x-mcp-header":"Region"},
        "plain":{"type":"number"},
        "where":{"type":"object","properties":{
            "zone":{"type":"integer","x-mcp-header":"Zone-Id"},
            "flag":{"type":"boolean","x-mcp-header":"flag"}}}}})");
    ASSERT_TRUE(params) << params.error().message;
    ASSERT_EQ(params->size(), 3u);
    EXPECT_EQ((*params)[0].header, "Region");
    EXPECT_EQ((*params)[0].path, (std::vector<std::string>{"region"}));
    EXPECT_EQ((*params)[0].type, "string");
    EXPECT_EQ((*params)[1].path, (std::vector<std::string>{"where", "flag"}));
    EXPECT_EQ((*params)[1].type, "boolean");
    EXPECT_EQ((*params)[2].header, "Zone-Id");
    EXPECT_EQ((*params)[2].type, "integer");
}

TEST(HeaderParams, MayBeNone) {
    const auto params = read(R"({"type":"object"})");
    ASSERT_TRUE(params);
    EXPECT_TRUE(params->empty());
}

// A parameter may be called that, and data may contain anything.
TEST(HeaderParams, AreNotSeenInNamesAndData) {
    const auto params = read(R"({"type":"object","properties":{
        "x-mcp-header":{"type":"number"},
        "a":{"type":"object","default":{"x-mcp-header":"A"},"enum":[{"x-mcp-header":1}],
             "const":{"x-mcp-header":"A"},"examples":[{"x-mcp-header":"A"}]}},
        "$defs":{"x-mcp-header":{"type":"number"}}})");
    ASSERT_TRUE(params) << params.error().message;
    EXPECT_TRUE(params->empty());
}

class BadHeader : public testing::TestWithParam<const char*> {};

TEST_P(BadHeader, IsRefused) {
    const auto params = read(GetParam());
    ASSERT_FALSE(params) << GetParam();
    EXPECT_NE(params.error().message.find("x-mcp-header"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Values, BadHeader,
    testing::Values(R"({"properties":{"a":{"type":"string","x-mcp-header":""}}})",
                    R"({"properties":{"a":{"type":"string","x-mcp-header":"A B"}}})",
                    R"({"properties":{"a":{"type":"string","x-mcp-header":"A:B"}}})",
                    R"({"properties":{"a":{"type":"string","x-mcp-header":"A\r\nB"}}})",
                    R"({"properties":{"a":{"type":"string","x-mcp-header":"Ä"}}})",
                    R"({"properties":{"a":{"type":"string","x-mcp-header":7}}})",
                    R"({"properties":{"a":{"type":"string","x-mcp-header":null}}})"));

INSTANTIATE_TEST_SUITE_P(
    Types, BadHeader,
    testing::Values(R"({"properties":{"a":{"type":"number","x-mcp-header":"A"}}})",
                    R"({"properties":{"a":{"type":"object","x-mcp-header":"A"}}})",
                    R"({"properties":{"a":{"type":["string","null"],"x-mcp-header":"A"}}})",
                    R"({"properties":{"a":{"x-mcp-header":"A"}}})"));

INSTANTIATE_TEST_SUITE_P(
    Duplicates, BadHeader,
    testing::Values(R"({"properties":{"a":{"type":"string","x-mcp-header":"Region"},
                                      "b":{"type":"string","x-mcp-header":"REGION"}}})"));

#define LEAF R"({"type":"string","x-mcp-header":"A"})"
INSTANTIATE_TEST_SUITE_P(
    Unreachable, BadHeader,
    testing::Values(LEAF, R"({"properties":{"a":{"items":)" LEAF "}}}",
                    R"({"properties":{"a":{"prefixItems":[)" LEAF "]}}}",
                    R"({"properties":{"a":{"items":{"properties":{"b":)" LEAF "}}}}}",
                    R"({"allOf":[{"properties":{"a":)" LEAF "}}]}",
                    R"({"anyOf":[{"properties":{"a":)" LEAF "}}]}",
                    R"({"oneOf":[{"properties":{"a":)" LEAF "}}]}",
                    R"({"not":{"properties":{"a":)" LEAF "}}}",
                    R"({"if":{"properties":{"a":)" LEAF "}}}",
                    R"({"then":{"properties":{"a":)" LEAF "}}}",
                    R"({"else":{"properties":{"a":)" LEAF "}}}", R"({"$defs":{"a":)" LEAF "}}",
                    R"({"definitions":{"a":)" LEAF "}}", R"({"patternProperties":{"a":)" LEAF "}}",
                    R"({"additionalProperties":)" LEAF "}",
                    R"({"dependentSchemas":{"a":{"properties":{"b":)" LEAF "}}}}"));
#undef LEAF

}  // namespace
}  // namespace pb::json
