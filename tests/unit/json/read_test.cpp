// SPDX-License-Identifier: Apache-2.0
// The cheap readers give the slices and values that nlohmann reads from the same text.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "json/scan.h"

namespace pb::json {
namespace {

TEST(Read, TypeOf) {
    EXPECT_EQ(type_of("null"), Type::null);
    EXPECT_EQ(type_of("true"), Type::boolean);
    EXPECT_EQ(type_of("false"), Type::boolean);
    EXPECT_EQ(type_of("-1"), Type::number);
    EXPECT_EQ(type_of("7"), Type::number);
    EXPECT_EQ(type_of("\"\""), Type::string);
    EXPECT_EQ(type_of("[]"), Type::array);
    EXPECT_EQ(type_of(" {}"), Type::object);
}

TEST(Read, MembersInOrder) {
    std::vector<Member> out;
    ASSERT_TRUE(members(R"( { "a" : 1 , "b\n":{"c":[1,"}"]}, "a":"x,\"y" } )", out));
    ASSERT_EQ(out.size(), 3u);
    EXPECT_EQ(out[0].key, "a");
    EXPECT_EQ(out[0].value, "1");
    EXPECT_EQ(out[1].key, "b\\n");
    EXPECT_EQ(out[1].value, R"({"c":[1,"}"]})");
    EXPECT_EQ(out[2].value, R"("x,\"y")");
    EXPECT_TRUE(members("{}", out));
    EXPECT_TRUE(out.empty());
    EXPECT_FALSE(members("[]", out));
    EXPECT_FALSE(members("", out));
}

TEST(Read, Elements) {
    std::vector<std::string_view> out;
    ASSERT_TRUE(elements(R"([ 1 ,"]" , [2,[3]],{"a":[]} ,null])", out));
    EXPECT_EQ(out, (std::vector<std::string_view>{"1", "\"]\"", "[2,[3]]", "{\"a\":[]}", "null"}));
    EXPECT_TRUE(elements(" [ ] ", out));
    EXPECT_TRUE(out.empty());
    EXPECT_FALSE(elements("{}", out));
}

TEST(Read, MemberByName) {
    std::string_view text = R"({"a":1,"nested":{"b":2},"b":3,"a":4,"\u0065\t":5,"quo\"te":6})";
    EXPECT_EQ(member(text, "a"), "4");  // of duplicates the last
    EXPECT_EQ(member(text, "b"), "3");
    EXPECT_EQ(member(text, "e\t"), "5");
    EXPECT_EQ(member(text, "quo\"te"), "6");
    EXPECT_EQ(member(text, "quo\\\"te"), "");
    EXPECT_EQ(member(text, "c"), "");
    EXPECT_EQ(member("[1]", "a"), "");
    auto tree = nlohmann::json::parse(text);
    for (const auto& [key, value] : tree.items())
        EXPECT_EQ(member(text, key), value.dump());
}

TEST(Read, StringValue) {
    EXPECT_EQ(string_value(R"("plain")"), "plain");
    EXPECT_EQ(string_value(R"("")"), "");
    EXPECT_EQ(string_value("1"), std::nullopt);
    EXPECT_EQ(string_value("null"), std::nullopt);
    for (std::string_view text :
         {R"("\"\\\/\b\f\n\r\t")", R"("a\u00e9b")", R"("\ud83d\ude00!")", R"("\u0000x")",
          R"("\uD800\uDC00\uDBFF\uDFFF")", R"("\u20ac\u007f\u0080\u07ff\u0800\uffff")",
          "\"\xE2\x82\xAC\""}) {
        EXPECT_EQ(string_value(text), nlohmann::json::parse(text).get<std::string>()) << text;
    }
}

TEST(Read, IntegerValue) {
    EXPECT_EQ(integer_value("0"), 0);
    EXPECT_EQ(integer_value("-0"), 0);
    EXPECT_EQ(integer_value("1.0"), 1);
    EXPECT_EQ(integer_value("-1.50e1"), -15);
    EXPECT_EQ(integer_value("1e3"), 1000);
    EXPECT_EQ(integer_value("1000E-3"), 1);
    EXPECT_EQ(integer_value("0e999999999999999999999"), 0);
    EXPECT_EQ(integer_value("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(integer_value("-9223372036854775808"), INT64_MIN);
    EXPECT_EQ(integer_value("9223372036854775807.0"), INT64_MAX);
    EXPECT_EQ(integer_value("9223372036854775808"), std::nullopt);
    EXPECT_EQ(integer_value("1.5"), std::nullopt);
    EXPECT_EQ(integer_value("1e-1"), std::nullopt);
    EXPECT_EQ(integer_value("1e19"), std::nullopt);
    EXPECT_EQ(integer_value("1e999999999999999999999"), std::nullopt);
    EXPECT_EQ(integer_value("1e-999999999999999999999"), std::nullopt);
    EXPECT_EQ(integer_value("\"1\""), std::nullopt);
    EXPECT_EQ(integer_value("true"), std::nullopt);
}

TEST(Read, NumberValue) {
    EXPECT_EQ(number_value("1.5"), 1.5);
    EXPECT_EQ(number_value("-2E2"), -200.0);
    EXPECT_EQ(number_value("18446744073709551615"), 18446744073709551615.0);
    EXPECT_EQ(number_value("1e-999"), 0.0);
    EXPECT_EQ(number_value("1e999"), std::nullopt);
    EXPECT_EQ(number_value("\"1\""), std::nullopt);
    EXPECT_EQ(number_value("null"), std::nullopt);
}

TEST(Read, UncheckedTextIsSafe) {
    const std::string whole = R"({"a":[1,{"b":"\u00e9\ud83d\ude00"}],"c\n":-1.5e3})";
    std::vector<Member> found;
    std::vector<std::string_view> list;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        for (std::size_t from = 0; from <= size; ++from) {
            std::vector<char> exact(whole.begin() + static_cast<long>(from),
                                    whole.begin() + static_cast<long>(size));
            std::string_view text(exact.data(), exact.size());
            members(text, found);
            elements(text, list);
            EXPECT_LE(member(text, "c\n").size(), text.size());
            string_value(text);
            integer_value(text);
            number_value(text);
            EXPECT_LE(compact(text).size(), text.size());
            without(text, "a");
            with(text, "a", "1");
        }
    }
    for (std::string_view text :
         {"{,}", "[,]", "{\"a\"}", "[]]", "{]", "{\"\\", "[\"\\u", "\"\\u\""}) {
        members(text, found);
        elements(text, list);
        string_value(text);
    }
}

}  // namespace
}  // namespace pb::json
