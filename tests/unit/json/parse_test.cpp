// SPDX-License-Identifier: Apache-2.0
// Text becomes a tree only within the limits, and a person's file gets errors that help the person.
#include "json/parse.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/files.h"

namespace pb::json {
namespace {

std::string file_error(std::string_view text, const Limits& limits = {}) {
    const test::TempFolder folder;
    const auto path = folder / "file.json";
    test::write(path, text);
    auto result = parse_file(path, limits);
    if (result) return "no error";
    std::string message = result.error().message;
    EXPECT_EQ(message.rfind(path, 0), 0u) << message;
    return message.substr(path.size());
}

TEST(Parse, GivesTheTree) {
    auto result = parse(R"( {"a":[1,-2,3.5,18446744073709551615,"\u00e9"],"b":null} )");
    ASSERT_TRUE(result.ok());
    EXPECT_EQ((*result)["a"][0], 1);
    EXPECT_EQ((*result)["a"][3].get<std::uint64_t>(), UINT64_MAX);
    EXPECT_EQ((*result)["a"][4], "\xC3\xA9");
    EXPECT_TRUE((*result)["b"].is_null());
}

TEST(Parse, RefusesWithThePlace) {
    EXPECT_EQ(parse("[1,").error().message,
              "not valid JSON at byte 3: the text ends where a value should be");
    EXPECT_EQ(parse("[\"1e999\",1e999]").error().message,
              "not valid JSON at byte 9: a number is too large");
    EXPECT_FALSE(parse("\xEF\xBB\xBF{}").ok());
    EXPECT_FALSE(parse(std::string(100'000, '[')).ok());
    Limits limits;
    limits.size = 3;
    EXPECT_FALSE(parse("[12]", limits).ok());
}

TEST(Parse, FileErrorsNameLineAndColumn) {
    EXPECT_EQ(file_error("{\n  \"a\": 1\n  \"b\": 2\n}\n"), ":3:3: ',' or '}' was expected");
    EXPECT_EQ(file_error("x"), ":1:1: a value was expected");
    EXPECT_EQ(file_error("{\"\xC3\xA9\": x}"), ":1:7: a value was expected");
    EXPECT_EQ(file_error("\xEF\xBB\xBF{}"),
              ":1:1: the text begins with a byte order mark; UTF-8 needs none");
    Limits limits;
    limits.size = 4;
    EXPECT_EQ(file_error("[\n\n\n\n\n]", limits), ":4:1: the text is longer than 4 bytes");
}

TEST(Parse, FileRefusesDuplicateNames) {
    EXPECT_EQ(file_error("{\"a\":1,\n \"a\":2}"), ":2:2: the member name \"a\" is given twice");
    EXPECT_EQ(file_error(R"({"x":[{"a":1},{"a":1,"\u0061" : 2}]})"),
              ":1:22: the member name \"a\" is given twice");
    EXPECT_EQ(file_error(R"({"a":{"a":["a",{"a":"a"}]},"b":{"a":"b"}})"), "no error");
}

TEST(Parse, UniqueRefusesDuplicateNames) {
    auto twice = parse_unique(R"({"x":[{"a":1},{"a":1,"\u0061" : {"b":2}}]})");
    ASSERT_FALSE(twice.ok());
    EXPECT_NE(twice.error().message.find("the member name \"a\" is given twice"),
              std::string::npos);
    const std::string fine = R"({"a":{"a":["a",{"a":"a"},[]]},"b":{},"":null,"c":[1,-2.5,true]})";
    ASSERT_TRUE(parse_unique(fine).ok());
    EXPECT_EQ(*parse_unique(fine), *parse(fine));
    EXPECT_FALSE(parse_unique("{").ok());
}

TEST(Parse, MissingFile) {
    auto result = parse_file(::testing::TempDir() + "/no/such/file.json");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind, ErrorKind::not_found);
    EXPECT_FALSE(parse_file(::testing::TempDir()).ok());
}

TEST(Parse, DumpNeverThrows) {
    EXPECT_EQ(dump(Json{{"a", {1, 2}}}), R"({"a":[1,2]})");
    EXPECT_EQ(dump(Json("\xFFx")), "\"\xEF\xBF\xBDx\"");
}

}  // namespace
}  // namespace pb::json
