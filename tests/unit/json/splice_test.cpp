// SPDX-License-Identifier: Apache-2.0
// Splicing changes the named member and no other byte; quoting gives valid JSON for any bytes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "json/scan.h"

namespace pb::json {
namespace {

TEST(Splice, WithReplacesInPlace) {
    EXPECT_EQ(with(R"({"a": 1 , "b":2})", "a", "[3]"), R"({"a":[3] , "b":2})");
    EXPECT_EQ(with(R"( { "x":0, "a":1,"y":1.0 } )", "a", "2"), R"( { "x":0, "a":2,"y":1.0 } )");
    EXPECT_EQ(with(R"({"a":1,"b":2,"\u0061":3})", "a", "4"), R"({"a":4,"b":2})");
}

TEST(Splice, WithAddsAtTheEnd) {
    EXPECT_EQ(with("{}", "a", "1"), R"({"a":1})");
    EXPECT_EQ(with(R"({"b":2 })", "a\n", "1"), R"({"b":2,"a\n":1 })");
}

TEST(Splice, Without) {
    EXPECT_EQ(without(R"({"a":1})", "a"), "{}");
    EXPECT_EQ(without(R"({"a":1, "b":2, "c":3})", "a"), R"({"b":2, "c":3})");
    EXPECT_EQ(without(R"({"a":1, "b":2, "c":3})", "b"), R"({"a":1, "c":3})");
    EXPECT_EQ(without(R"({"a":1, "b":2, "c":3})", "c"), R"({"a":1, "b":2})");
    EXPECT_EQ(without(R"({"a":1,"a":2,"a":3})", "a"), "{}");
    EXPECT_EQ(without(R"({"a":1,"b":1,"a":2})", "a"), R"({"b":1})");
    EXPECT_EQ(without(R"({"b":{"a":1}})", "a"), R"({"b":{"a":1}})");
    EXPECT_EQ(without("[1]", "a"), "[1]");
}

TEST(Splice, AgreesWithATree) {
    std::mt19937 random(7);
    const std::vector<std::string> names = {"a", "b", "c\"", "\xC3\xA9"};
    const std::vector<std::string> values = {"1", "\"},\\\"\"", "{\"a\":[1,2]}", "[ ]", "null"};
    for (int round = 0; round < 2'000; ++round) {
        std::string text = "{";
        for (std::size_t count = random() % 6, i = 0; i < count; ++i) {
            if (i > 0) text += random() % 2 ? "," : " , ";
            text += quote(names[random() % names.size()]) + ":" + values[random() % values.size()];
        }
        text += random() % 2 ? "}" : " }";
        auto expected = nlohmann::json::parse(text);
        const auto& name = names[random() % names.size()];
        std::string less = without(text, name);
        ASSERT_TRUE(scan(less).ok()) << text << " -> " << less;
        expected.erase(name);
        EXPECT_EQ(nlohmann::json::parse(less), expected) << text;
        std::string more = with(text, name, "[true]");
        ASSERT_TRUE(scan(more).ok()) << text << " -> " << more;
        expected[name] = {true};
        EXPECT_EQ(nlohmann::json::parse(more), expected) << text;
        std::vector<Member> found;
        members(more, found);
        std::size_t named = 0;
        for (const auto& each : found)
            named += string_value("\"" + std::string(each.key) + "\"") == name;
        EXPECT_EQ(named, 1u);
    }
}

TEST(Splice, Compact) {
    EXPECT_EQ(compact(" { \"a b\" :\n[ 1 ,\t\" \\\" \" ] } "), R"({"a b":[1," \" "]})");
    EXPECT_EQ(compact("1"), "1");
}

TEST(Splice, QuoteGivesValidJsonForAnyBytes) {
    EXPECT_EQ(quote("a\"\\\n\x01/"), R"("a\"\\\n\u0001/")");
    EXPECT_EQ(quote("\xFF"), "\"\xEF\xBF\xBD\"");
    EXPECT_EQ(quote("\xED\xA0\x80x"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\"");
    std::mt19937 random(3);
    for (int round = 0; round < 2'000; ++round) {
        std::string bytes(random() % 24, '\0');
        for (char& byte : bytes)
            byte = static_cast<char>(random());
        std::string text = quote(bytes);
        ASSERT_TRUE(scan(text).ok());
        ASSERT_EQ(string_value(text), nlohmann::json::parse(text).get<std::string>());
    }
    for (std::string bytes : {"", "plain", "\xC3\xA9\xF0\x9F\x98\x80", "\x7f\b\f\n\r\t"}) {
        EXPECT_EQ(string_value(quote(bytes)), bytes);
    }
}

}  // namespace
}  // namespace pb::json
