// SPDX-License-Identifier: Apache-2.0
// Schemas and instances made to exhaust something end with an error or a violation. That they end
// is the test: each of them would run for hours, or overflow the stack, without its bound.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "json/schema.h"

namespace pb::json {
namespace {

std::shared_ptr<const Schema> compiled(const Json& source) {
    auto schema = compile_schema(source);
    EXPECT_TRUE(schema.ok()) << (schema ? "" : schema.error().message);
    return schema ? *schema : nullptr;
}

std::string compile_error(const Json& source) {
    auto schema = compile_schema(source);
    return schema ? "no error" : schema.error().message;
}

std::string verdict(const Json& schema, const Json& instance) {
    return describe(compiled(schema)->validate(instance));
}

Json reference(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }

const char* too_deep = "the value needs deeper evaluation than is allowed";
const char* too_much = "the value needs more work than is allowed";

TEST(SchemaHostile, SelfReference) {
    EXPECT_EQ(verdict({{"$ref", "#"}}, 1), too_deep);
    EXPECT_EQ(verdict({{"$dynamicRef", "#"}}, 1), too_deep);
    EXPECT_EQ(verdict({{"$dynamicRef", "#m"}, {"$dynamicAnchor", "m"}}, 1), too_deep);
    EXPECT_EQ(verdict({{"not", {{"$ref", "#"}}}}, 1), too_deep);
    EXPECT_EQ(verdict({{"allOf", {{{"$ref", "#"}}, {{"$ref", "#"}}}}}, 1), too_deep);
    EXPECT_EQ(verdict({{"if", {{"$ref", "#"}}}, {"then", true}}, 1), too_deep);
    EXPECT_EQ(verdict({{"$ref", "#"}, {"unevaluatedProperties", false}}, Json::object()), too_deep);
}

TEST(SchemaHostile, MutualRecursion) {
    Json schema = {{"$ref", "#/$defs/a"},
                   {"$defs", {{"a", {{"allOf", {reference("b")}}}}, {"b", reference("a")}}}};
    EXPECT_EQ(verdict(schema, 1), too_deep);
}

TEST(SchemaHostile, RecursionThatEndsIsFine) {
    Json schema = {{"properties", {{"child", {{"$ref", "#"}}}}}, {"maxProperties", 1}};
    Json instance = Json::object();
    for (int i = 0; i < 40; ++i)
        instance = Json{{"child", std::move(instance)}};
    EXPECT_EQ(verdict(schema, instance), "");
    for (int i = 0; i < 200; ++i)
        instance = Json{{"child", std::move(instance)}};
    EXPECT_EQ(verdict(schema, instance), too_deep);
}

TEST(SchemaHostile, WhatJsonMayNestIsNotTooDeep) {
    // As generators write an optional child: three steps a level.
    Json schema = {{"properties", {{"child", {{"anyOf", {{{"$ref", "#"}}, {{"type", "null"}}}}}}}}};
    Json instance = nullptr;
    for (std::size_t i = 0; i < Limits().depth; ++i)
        instance = Json{{"child", std::move(instance)}};
    EXPECT_EQ(verdict(schema, instance), "");
}

TEST(SchemaHostile, DeeplyNestedSchema) {
    Json schema = true;
    for (int i = 0; i < 10'000; ++i)
        schema = Json{{"allOf", Json::array({std::move(schema)})}};
    EXPECT_NE(compile_error(schema).find("nest deeper than"), std::string::npos);
}

TEST(SchemaHostile, LongChainOfReferences) {
    Json schema = reference("0");
    for (int i = 0; i < 4'000; ++i) {
        schema["$defs"][std::to_string(i)] = reference(std::to_string(i + 1));
    }
    schema["$defs"]["4000"] = true;
    EXPECT_EQ(verdict(schema, 1), too_deep);
}

TEST(SchemaHostile, TooManySubschemas) {
    Json schema;
    for (int i = 0; i < 10'001; ++i)
        schema["properties"][std::to_string(i)] = true;
    EXPECT_NE(compile_error(schema).find("more than 10000 subschemas"), std::string::npos);
}

TEST(SchemaHostile, ExponentialAlternatives) {
    for (const char* keyword : {"anyOf", "oneOf", "allOf"}) {
        Json schema = reference("0");
        for (int i = 0; i < 30; ++i) {
            Json next = reference(std::to_string(i + 1));
            schema["$defs"][std::to_string(i)] = {{keyword, Json::array({next, next})}};
        }
        schema["$defs"]["30"] = {{"type", keyword == std::string("allOf") ? "integer" : "string"}};
        EXPECT_EQ(verdict(schema, 1), too_much) << keyword;
    }
}

TEST(SchemaHostile, ChainOfSingleAlternatives) {
    for (const char* keyword : {"anyOf", "oneOf"}) {
        Json schema = {{"type", "string"}};
        for (int i = 0; i < 30; ++i)
            schema = Json{{keyword, Json::array({std::move(schema)})}};
        EXPECT_EQ(verdict(schema, 1), "the value must be a string") << keyword;
        EXPECT_EQ(verdict({{"not", schema}}, 1), "") << keyword;
    }
}

TEST(SchemaHostile, LongIdentifiers) {
    const std::string base = "http://a/" + std::string(8'000'000, 'b') + "/";
    Json schema = {{"$id", base}};
    for (int i = 0; i < 9'900; ++i)
        schema["$defs"][std::to_string(i)] = {{"$id", std::to_string(i)}};
    EXPECT_NE(compile_error(schema).find("longer than 2048"), std::string::npos);
    // One by one short, and long together.
    const std::string path = std::string(1'500, 'c') + "/";
    Json nested = {{"$id", "http://a/" + path}, {"$defs", {{"x", {{"$id", path + "d"}}}}}};
    EXPECT_NE(compile_error(nested).find("longer than 2048"), std::string::npos);
}

TEST(SchemaHostile, LongReferences) {
    const std::string slashes(16'000'000, '/');
    for (const char* keyword : {"$ref", "$dynamicRef"}) {
        for (const char* head : {"#", "", "http:/"}) {
            EXPECT_NE(compile_error({{keyword, head + slashes}}).find("longer than 2048"),
                      std::string::npos);
        }
    }
}

TEST(SchemaHostile, NamesAreWorkToo) {
    Json item = {{std::string(100'000, 'n'), 1}};
    Json items = Json::array();
    for (int i = 0; i < 2'000; ++i)
        items.push_back(item);
    EXPECT_EQ(verdict({{"uniqueItems", true}}, Json::array({item, item})),
              "the value must have no two equal items");
    for (std::size_t i = 0; i < items.size(); ++i)
        items[i]["x"] = i;
    EXPECT_EQ(verdict({{"uniqueItems", true}}, items), too_much);
}

TEST(SchemaHostile, LimitsAreTheCallers) {
    SchemaLimits limits;
    limits.work = 10;
    limits.depth = 2;
    limits.subschemas = 3;
    limits.pattern_size = 2;
    auto flat = compile_schema({{"items", {{"type", "integer"}}}}, limits);
    ASSERT_TRUE(flat.ok());
    EXPECT_EQ(describe((*flat)->validate({1, 2})), "");
    EXPECT_EQ(describe((*flat)->validate({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})), too_much);
    auto deep = compile_schema({{"items", {{"items", {{"type", "null"}}}}}}, limits);
    ASSERT_TRUE(deep.ok());
    EXPECT_EQ(describe((*deep)->validate(Json::array({Json::array({nullptr})}))), too_deep);
    EXPECT_FALSE(compile_schema({{"allOf", {true, true, true}}}, limits).ok());
    EXPECT_FALSE(compile_schema({{"pattern", "abc"}}, limits).ok());
    limits.depth = 1'000'000;  // never so deep that the stack would end first
    limits.work = 100'000'000;
    auto loop = compile_schema({{"$ref", "#"}}, limits);
    ASSERT_TRUE(loop.ok());
    EXPECT_EQ(describe((*loop)->validate(1)), too_deep);
}

TEST(SchemaHostile, Patterns) {
    std::string many_a(100'000, 'a');
    EXPECT_NE(verdict({{"pattern", "^(a+)+$"}}, many_a + "!"), "");
    EXPECT_EQ(verdict({{"pattern", "^(a+)+$"}}, many_a), "");
    EXPECT_EQ(verdict({{"pattern", "^(a|b)*$"}}, many_a + many_a), "");
    EXPECT_NE(verdict({{"pattern", "^(a|b)*$"}}, many_a + many_a + "c"), "");
    EXPECT_NE(verdict({{"pattern", "^(a|a)*(a|aa)*(.*)*b$"}}, many_a), "");
    EXPECT_NE(compile_error({{"pattern", std::string(5'000, 'a')}}).find("longer than 4096"),
              std::string::npos);
    EXPECT_NE(compile_error({{"pattern", "((a{1,100}){1,100}){1,100}"}}), "no error");
    std::string nested = std::string(2'000, '(') + "a" + std::string(2'000, ')');
    auto parentheses = compile_schema({{"pattern", nested}});
    ASSERT_TRUE(parentheses.ok());
    EXPECT_EQ(describe((*parentheses)->validate("a")), "");
    // A text so long that matching it is more work than is allowed.
    EXPECT_EQ(verdict({{"pattern", "a"}}, std::string(17'000'000, 'b')), too_much);
}

TEST(SchemaHostile, WideSchemasCountForEachItem) {
    // Rules that hold for anything, or concern absent members, are work too.
    Json always = Json::array();
    Json absent;
    for (int i = 0; i < 9'000; ++i) {
        always.push_back(true);
        absent[std::to_string(i)] = Json::array({"x"});
    }
    Json items = Json::array();
    for (int i = 0; i < 300'000; ++i)
        items.push_back(Json::object());
    EXPECT_EQ(verdict({{"items", {{"allOf", always}}}}, items), too_much);
    EXPECT_EQ(verdict({{"items", {{"dependentRequired", absent}}}}, items), too_much);
}

TEST(SchemaHostile, PatternsWithoutASmallAutomaton) {
    std::string text;
    for (unsigned i = 0, bits = 1; i < 400'000; ++i, bits = bits * 1103515245 + 12345) {
        text += (bits >> 16 & 1) != 0 ? 'a' : 'b';
    }
    EXPECT_EQ(verdict({{"pattern", "^(a|b)*a(a|b){900}c$"}}, text), too_much);
}

TEST(SchemaHostile, TooManyPatterns) {
    Json schema;
    for (int i = 0; i < 300; ++i)
        schema["patternProperties"]["^" + std::to_string(i)] = true;
    EXPECT_NE(compile_error(schema).find("more than 256"), std::string::npos);
}

TEST(SchemaHostile, DeepInstances) {
    Json deep = 1;
    for (int i = 0; i < 5'000; ++i)
        deep = Json::array({std::move(deep)});
    Json twice = Json::array({deep, deep});
    EXPECT_EQ(verdict({{"uniqueItems", true}}, twice), too_much);
    EXPECT_EQ(verdict({{"type", "array"}, {"items", {{"type", "array"}}}}, twice), "");
    EXPECT_EQ(verdict({{"items", {{"$ref", "#"}}}}, twice), too_deep);
    EXPECT_NE(verdict({{"const", 1}}, twice), "");
}

TEST(SchemaHostile, UniqueItemsOfLongArrays) {
    Json numbers = Json::array();
    for (int i = 0; i < 100'000; ++i)
        numbers.push_back(i);
    EXPECT_EQ(verdict({{"uniqueItems", true}}, numbers), "");
    numbers.push_back(77.0);
    EXPECT_EQ(verdict({{"uniqueItems", true}}, numbers), "the value must have no two equal items");
    // Numbers that collide as doubles are compared exactly, within the budget.
    Json close = Json::array();
    for (std::uint64_t i = 0; i < 500; ++i)
        close.push_back((std::uint64_t{1} << 63) + i);
    EXPECT_EQ(verdict({{"uniqueItems", true}}, close), "");
    Json shared = Json::array();
    for (int i = 0; i < 2'000; ++i)
        shared.push_back(Json::array({std::string(2'000, 'x'), i}));
    EXPECT_EQ(verdict({{"uniqueItems", true}}, shared), "");
}

TEST(SchemaHostile, LongNamesDoNotMultiply) {
    // Each subschema keeps its path; a long name above many of them must not be copied into all.
    Json inner;
    for (int i = 0; i < 5'000; ++i)
        inner["properties"][std::to_string(i)] = {{"type", "null"}};
    Json schema;
    schema["properties"][std::string(1'000'000, 'n')] = inner;
    auto violations = compiled(schema)->validate({{std::string(1'000'000, 'n'), {{"1", 1}}}});
    ASSERT_EQ(violations.size(), 1u);
    EXPECT_LT(violations[0].schema_path.size(), 500u);
}

}  // namespace
}  // namespace pb::json
