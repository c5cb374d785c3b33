// SPDX-License-Identifier: Apache-2.0
// What the official suite does not look at: messages, paths, errors of compiling, dialects,
// helpers.
#include "json/schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace pb::json {
namespace {

Json text(std::string_view source) {
    auto parsed = parse(source);
    EXPECT_TRUE(parsed.ok()) << source;
    return parsed ? *parsed : Json();
}

std::shared_ptr<const Schema> compiled(std::string_view source) {
    auto schema = compile_schema(text(source));
    EXPECT_TRUE(schema.ok()) << (schema ? "" : schema.error().message);
    return schema ? *schema : nullptr;
}

std::string verdict(std::string_view schema, std::string_view instance, std::size_t most = 8) {
    return describe(compiled(schema)->validate(text(instance), most));
}

std::string compile_error(std::string_view source) {
    auto schema = compile_schema(text(source));
    return schema ? "no error" : schema.error().message;
}

TEST(Schema, MessagesNameThePlaceAndTheRule) {
    EXPECT_EQ(verdict(R"({"type":"object"})", "1"), "the value must be an object");
    EXPECT_EQ(verdict(R"({"required":["a","b"]})", R"({"b":1})"), "at /a: is required");
    EXPECT_EQ(verdict(R"({"properties":{"a/b":{"type":["string","null"]}}})", R"({"a/b":1})"),
              "at /a~1b: must be null or a string");
    EXPECT_EQ(verdict(R"({"type":["integer","number","array"]})", "\"x\""),
              "the value must be an array or a number");
    EXPECT_EQ(verdict(R"({"items":{"minimum":1.5,"maximum":3}})", "[2,1,4]"),
              "at /1: must be >= 1.5; at /2: must be <= 3");
    EXPECT_EQ(verdict(R"({"exclusiveMinimum":1,"multipleOf":2})", "1"),
              "the value must be > 1; the value must be a multiple of 2");
    EXPECT_EQ(verdict(R"({"minLength":2})", "\"\xC3\xA9\""),
              "the value must have at least 2 characters");
    EXPECT_EQ(verdict(R"({"pattern":"^a"})", "\"b\""), "the value must match the pattern \"^a\"");
    EXPECT_EQ(verdict(R"({"pattern":"^\\s$"})", "\"b\""),
              "the value must match the pattern \"^\\\\s$\"");
    EXPECT_EQ(verdict(R"({"additionalProperties":false})", R"({"x":1})"), "at /x: is not allowed");
    EXPECT_EQ(verdict(R"({"enum":["a",1]})", "\"b\""), "the value must be one of [\"a\",1]");
    EXPECT_EQ(verdict(R"({"minItems":1})", "[]"), "the value must have at least 1 item");
    EXPECT_EQ(verdict(R"({"uniqueItems":true})", "[1,2,1.0]"),
              "the value must have no two equal items");
    EXPECT_EQ(verdict(R"({"anyOf":[{"required":["a"]}]})", "{}"), "at /a: is required");
}

TEST(Schema, ViolationsCarryBothPaths) {
    auto schema = compiled(R"({"properties":{"a":{"$ref":"#/$defs/t"}},
                               "$defs":{"t":{"items":{"type":"string"}}}})");
    auto violations = schema->validate(text(R"({"a":["x",1]})"));
    ASSERT_EQ(violations.size(), 1u);
    EXPECT_EQ(violations[0].instance_path, "/a/1");
    EXPECT_EQ(violations[0].schema_path, "/$defs/t/items/type");
    EXPECT_EQ(violations[0].message, "must be a string");
}

TEST(Schema, NeverShowsTheInstancesValues) {
    const std::string secret = "hunter2-hunter2";
    for (const char* schema :
         {R"({"type":"integer"})", R"({"const":"x"})", R"({"enum":["x"]})", R"({"pattern":"^x"})",
          R"({"maxLength":1})", R"({"not":{}})", R"({"anyOf":[false,false]})",
          R"({"oneOf":[true,true]})", "false", R"({"minLength":99})"}) {
        std::string said = verdict(schema, "\"" + secret + "\"");
        EXPECT_FALSE(said.empty()) << schema;
        EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
    }
}

TEST(Schema, StopsAtMostViolations) {
    std::string schema = R"({"items":{"type":"string"}})";
    EXPECT_EQ(compiled(schema)->validate(text("[1,2,3,4,5,6,7,8,9,10]")).size(), 8u);
    EXPECT_EQ(compiled(schema)->validate(text("[1,2,3]"), 2).size(), 2u);
    EXPECT_EQ(compiled(schema)->validate(text("[1,2,3]"), 0).size(), 1u);  // still invalid
    EXPECT_EQ(verdict(schema, "[1,\"\",3]", 1), "at /0: must be a string");
}

TEST(Schema, CutsLongNamesInPaths) {
    Json instance;
    instance[std::string(100'000, 'n')] = 1;
    auto violations = compiled(R"({"additionalProperties":false})")->validate(instance);
    ASSERT_EQ(violations.size(), 1u);
    EXPECT_LT(violations[0].instance_path.size(), 200u);
}

TEST(Schema, AcceptsAnyObject) {
    for (const char* source :
         {"true", "{}", R"({"type":"object"})", R"({"type":"object","properties":{}})",
          R"({"properties":{"a":{},"b":true}})", R"({"type":["object","null"],"title":"t"})",
          R"({"type":"object","additionalProperties":true,"required":[]})",
          R"({"type":"object","minLength":3,"items":false,"format":"x"})"}) {
        EXPECT_TRUE(compiled(source)->accepts_any_object()) << source;
    }
    for (const char* source :
         {"false", R"({"type":"string"})", R"({"required":["a"]})", R"({"properties":{"a":false}})",
          R"({"additionalProperties":false})", R"({"minProperties":1})", R"({"enum":[{}]})",
          R"({"maxProperties":5})", R"({"patternProperties":{"a":{"type":"null"}}})",
          R"({"propertyNames":{"maxLength":3}})", R"({"dependentRequired":{"a":["b"]}})",
          R"({"dependentSchemas":{"a":false}})", R"({"unevaluatedProperties":false})",
          R"({"not":{}})", R"({"$ref":"#/$defs/x","$defs":{"x":false}})"}) {
        EXPECT_FALSE(compiled(source)->accepts_any_object()) << source;
    }
}

TEST(Schema, ErrorsNameKeywordAndPath) {
    EXPECT_EQ(compile_error("1"), "invalid schema: it must be an object, true or false");
    EXPECT_EQ(compile_error(R"({"properties":{"a":{"minimum":"1"}}})"),
              "invalid schema: at \"/properties/a\", \"minimum\" must be a number");
    EXPECT_EQ(compile_error(R"({"required":"a"})"),
              "invalid schema: at the top of the schema, \"required\" must hold an array of "
              "strings");
    for (const char* source : {R"({"type":"strin"})",
                               R"({"type":1})",
                               R"({"minLength":-1})",
                               R"({"minLength":1.5})",
                               R"({"enum":1})",
                               R"({"allOf":[]})",
                               R"({"allOf":{}})",
                               R"({"anyOf":[1]})",
                               R"({"properties":[]})",
                               R"({"properties":{"a":1}})",
                               R"({"items":[{}]})",
                               R"({"multipleOf":0})",
                               R"({"multipleOf":-1})",
                               R"({"uniqueItems":1})",
                               R"({"pattern":1})",
                               R"({"$ref":1})",
                               R"({"$id":1})",
                               R"({"$anchor":1})",
                               R"({"$schema":1})",
                               R"({"$id":"x#y"})",
                               R"({"required":[1]})",
                               R"({"dependentRequired":{"a":"b"}})",
                               R"({"not":null})",
                               R"({"contains":[]})",
                               R"({"patternProperties":{"(":{}}})"}) {
        EXPECT_EQ(compile_error(source).rfind("invalid schema: at ", 0), 0u)
            << source << ": " << compile_error(source);
    }
}

TEST(Schema, ReferencesAreNeverFetched) {
    EXPECT_EQ(compile_error(R"({"items":{"$ref":"https://example.com/other.json#/a"}})"),
              "invalid schema: at \"/items\", \"$ref\" names \"https://example.com/other.json\", "
              "which is not part of the schema; nothing is ever fetched");
    EXPECT_NE(compile_error(R"({"$ref":"file:///etc/passwd"})").find("nothing is ever fetched"),
              std::string::npos);
    EXPECT_NE(compile_error(R"({"$ref":"#/$defs/x"})").find("does not exist"), std::string::npos);
    EXPECT_NE(compile_error(R"({"$ref":"#nowhere"})").find("anchor"), std::string::npos);
    EXPECT_NE(compile_error(R"({"$ref":"#/type","type":"object"})").find("is not a schema"),
              std::string::npos);
    EXPECT_NE(compile_error(R"({"$ref":"#/~2"})").find("malformed"), std::string::npos);
    // Only what somebody evaluates has to lead somewhere.
    EXPECT_EQ(compile_error(R"({"$defs":{"unused":{"$ref":"https://example.com/"}}})"), "no error");
}

TEST(Schema, DocumentsAreFoundByUri) {
    SchemaDocuments documents;
    documents["https://example.com/a.json"] = text(R"({"$defs":{"n":{"type":"integer"}}})");
    documents["https://example.com/bad.json"] = text(R"({"type":"nothing"})");
    auto schema = compile_schema(
        text(R"({"$id":"https://example.com/root.json","$ref":"a.json#/$defs/n"})"), {}, documents);
    ASSERT_TRUE(schema.ok()) << schema.error().message;
    EXPECT_TRUE((*schema)->validate(1).empty());
    auto violations = (*schema)->validate("x");
    ASSERT_EQ(violations.size(), 1u);
    EXPECT_EQ(violations[0].schema_path, "https://example.com/a.json#/$defs/n/type");
    auto bad = compile_schema(text(R"({"$ref":"https://example.com/bad.json"})"), {}, documents);
    ASSERT_FALSE(bad.ok());
    EXPECT_NE(bad.error().message.find("https://example.com/bad.json#"), std::string::npos);
}

TEST(Schema, MetaschemasAreBuiltIn) {
    for (const char* uri : {"https://json-schema.org/draft/2020-12/schema",
                            "http://json-schema.org/draft-07/schema#"}) {
        auto schema = compile_schema(Json{{"$ref", uri}});
        ASSERT_TRUE(schema.ok()) << schema.error().message;
        EXPECT_TRUE(
            (*schema)->validate(text(R"({"type":"object","properties":{"a":true}})")).empty());
        EXPECT_FALSE(
            (*schema)->validate(text(R"({"properties":{"a":{"minLength":"1"}}})")).empty());
        EXPECT_FALSE((*schema)->validate(text(R"({"type":"nothing"})")).empty());
    }
}

TEST(Schema, Dialects) {
    EXPECT_EQ(compile_error(R"({"$schema":"http://json-schema.org/draft-07/schema#",
                                "items":[{"type":"string"}],"additionalItems":false})"),
              "no error");
    EXPECT_EQ(compile_error(R"({"$schema":"https://json-schema.org/draft/2020-12/schema#"})"),
              "no error");
    for (const char* uri : {"http://json-schema.org/draft-04/schema#", "https://example.com/mine",
                            "https://json-schema.org/draft/2019-09/schema"}) {
        std::string said = compile_error(Json{{"$schema", uri}}.dump());
        EXPECT_NE(said.find("not supported"), std::string::npos) << said;
        EXPECT_NE(said.find(uri), std::string::npos) << said;
    }
    // "$ref" hides its siblings in draft-07, not in 2020-12.
    std::string body = R"("$ref":"#/definitions/s","maxLength":1,
                          "definitions":{"s":{"type":"string"}}})";
    std::string draft7 = R"({"$schema":"http://json-schema.org/draft-07/schema#",)" + body;
    EXPECT_EQ(verdict(draft7, "\"long\""), "");
    EXPECT_NE(verdict("{" + body, "\"long\""), "");
}

TEST(Schema, FormatIsAnAnnotation) {
    EXPECT_EQ(verdict(R"({"format":"date"})", "\"tomorrow\""), "");
}

TEST(Schema, IsSharedBetweenEvaluations) {
    // A compiled schema has no state: answers do not depend on what was asked before.
    auto schema = compiled(R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"integer","minimum":3}}})");
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(schema->validate(5).empty());
        EXPECT_EQ(schema->validate(1).size(), 1u);
        EXPECT_EQ(schema->validate("x").size(), 1u);
    }
}

}  // namespace
}  // namespace pb::json
