// SPDX-License-Identifier: Apache-2.0
// scan() accepts what RFC 8259 allows and nothing else, within its limits, and agrees with
// nlohmann.
#include "json/scan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "json/parse.h"

namespace pb::json {
namespace {

using namespace std::string_literals;

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i)
        text += open;
    for (std::size_t i = 0; i < depth; ++i)
        text += close;
    return text;
}

const std::vector<std::string> accepted = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "12",
    "-1",
    "0.5",
    "-0.0",
    "1e5",
    "1E+5",
    "1e-5",
    "0e0",
    "0e+1",
    "1.25e-10",
    "123456789012345678901234567890",
    "-9223372036854775808",
    "18446744073709551615",
    "0.1e1",
    R"("")",
    R"("a")",
    R"(" ")",
    R"("\"\\\/\b\f\n\r\t")",
    R"("\u0000")",
    R"("\u00e9")",
    R"("\u00E9")",
    R"("\ud83d\ude00")",
    R"("\uD800\uDC00")",
    R"("\uDBFF\uDFFF")",
    R"("\uFFFF")",
    "\"\x7f\"",
    "\"\xC2\x80\"",
    "\"\xDF\xBF\"",
    "\"\xE0\xA0\x80\"",
    "\"\xED\x9F\xBF\"",
    "\"\xEE\x80\x80\"",
    "\"\xEF\xBF\xBF\"",
    "\"\xF0\x90\x80\x80\"",
    "\"\xF4\x8F\xBF\xBF\"",
    "[]",
    "{}",
    " [ ] ",
    "\t{\r\n}\n",
    "[1]",
    "[1,2]",
    "[[],{},[[]]]",
    R"({"a":1})",
    R"({"a":1,"a":2})",
    R"({"":0})",
    R"( { "a" : [ 1 , { "b" : null } ] } )",
    "[null,true,false,0,\"\"]",
    R"("01234567")",
    R"("0123456789abcdef\n")",
    R"("0123456\u0041789")",
};

const std::vector<std::string> refused = {
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "-.5",
    "1e",
    "1e+",
    "1.e1",
    "0x10",
    "1 2",
    "0.1.2",
    "1e5.5",
    "--1",
    "1_000",
    "\"",
    "\"a",
    R"("\")",
    R"("\x")",
    R"("\u")",
    R"("\u12")",
    R"("\u12G4")",
    R"("\U0041")",
    R"("\ud800")",
    R"("\udc00")",
    R"("\ud800\ud800")",
    R"("\ud800a")",
    R"("\ud800\n")",
    R"("\ud83d\u0041")",
    R"("\ud800\u")",
    "\"\n\"",
    "\"\t\"",
    "\"\x01\"",
    "\"a\0b\""s,
    "\"\x1f\"",
    "'a'",
    "\"\x80\"",
    "\"\xBF\"",
    "\"\xC0\x80\"",
    "\"\xC1\xBF\"",
    "\"\xC2\"",
    "\"\xE0\x80\x80\"",
    "\"\xE0\x9F\xBF\"",
    "\"\xED\xA0\x80\"",
    "\"\xED\xBF\xBF\"",
    "\"\xF0\x80\x80\x80\"",
    "\"\xF0\x8F\xBF\xBF\"",
    "\"\xF4\x90\x80\x80\"",
    "\"\xF5\x80\x80\x80\"",
    "\"\xFF\"",
    "\"\xE2\x82\"",
    "\"\xF0\x9F\x98\"",
    "[",
    "]",
    "{",
    "}",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1}",
    "{1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,\"a\":1}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":1]",
    "{\"a\":1}}",
    "[]]",
    "[] []",
    "[1,,2]",
    "{\"a\"::1}",
    "{null:1}",
    "[\"a\":1]",
    "/* c */ 1",
    "1 // c",
    "[1]\0"s,
    "\f1",
    "\v1",
    "\xA0",
    "\xC2\xA0"
    "1",
    "tru",
    "fals",
    "\"\\\xC3\xA9\"",
    "[\"a\",\n4\n,1,",
    "{\"a\":\"b\"}#",
    "[\x0c]",
    "\"\\\0\""s,
};

// What nlohmann makes of a text, apart from two things: to it NUL ends the text, and it refuses
// numbers that no double holds, which the grammar allows.
bool nlohmann_accepts(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return false;
    if (nlohmann::json::accept(text)) return true;
    auto result = parse(text);
    return !result && result.error().message.find("number is too large") != std::string::npos;
}

TEST(Scan, AcceptsTheGrammar) {
    for (const auto& text : accepted) {
        auto result = scan(text);
        EXPECT_TRUE(result.ok()) << text << ": " << (result ? "" : result.error().message);
        EXPECT_TRUE(nlohmann_accepts(text)) << text;
    }
}

TEST(Scan, RefusesEverythingElse) {
    for (const auto& text : refused) {
        auto result = scan(text);
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_EQ(result.error().kind, ErrorKind::invalid);
        EXPECT_NE(result.error().message.find("at byte "), std::string::npos);
        EXPECT_FALSE(nlohmann_accepts(text)) << text;
    }
}

TEST(Scan, RefusesAByteOrderMark) { EXPECT_FALSE(scan("\xEF\xBB\xBF{}").ok()); }

TEST(Scan, NamesThePlace) {
    EXPECT_EQ(scan("[1,x]").error().message, "not valid JSON at byte 3: a value was expected");
    EXPECT_EQ(scan(R"({"a" 1})").error().message,
              "not valid JSON at byte 5: ':' was expected after the member name");
    EXPECT_EQ(scan("[1").error().message,
              "not valid JSON at byte 2: the text ends inside an array or object");
}

TEST(Scan, NeverReadsPastTheEnd) {
    // Every prefix of every text, in a buffer of exactly its size, so that a sanitizer would
    // notice.
    for (const auto* list : {&accepted, &refused}) {
        for (const auto& text : *list) {
            for (std::size_t size = 0; size <= text.size(); ++size) {
                std::vector<char> exact(text.begin(), text.begin() + static_cast<long>(size));
                std::string_view view(exact.data(), exact.size());
                EXPECT_EQ(scan(view).ok(), nlohmann_accepts(view)) << view;
            }
        }
    }
}

TEST(Scan, AgreesWithNlohmannOnMutations) {
    std::mt19937 random(20260728);
    const std::string bytes = "{}[],:\"\\/ue01-+.Etfn \n\x01\x80\xC3\xA9\xED\xF0";
    std::vector<std::string> seeds = accepted;
    seeds.push_back(R"({"jsonrpc":"2.0","id":1,"params":{"a":[1,2.5e3,"\u00e9\ud83d\ude00"]}})");
    std::size_t valid = 0;
    for (int round = 0; round < 40'000; ++round) {
        std::string text = seeds[random() % seeds.size()];
        for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
            std::size_t at = random() % (text.size() + 1);
            char byte = bytes[random() % bytes.size()];
            switch (random() % 3) {
                case 0:
                    text.insert(at, 1, byte);
                    break;
                case 1:
                    text.erase(at, 1);
                    break;
                default:
                    if (at < text.size()) text[at] = byte;
            }
        }
        ASSERT_EQ(scan(text).ok(), nlohmann_accepts(text)) << text;
        valid += scan(text).ok();
    }
    EXPECT_GT(valid, 1'000u);
    EXPECT_LT(valid, 39'000u);
}

TEST(Scan, LimitsTheDepth) {
    Limits limits;
    limits.depth = 3;
    EXPECT_TRUE(scan(nested(3, "[", "]"), limits).ok());
    EXPECT_FALSE(scan(nested(4, "[", "]"), limits).ok());
    EXPECT_TRUE(scan(R"([[[]],{"a":[]}])", limits).ok());
    EXPECT_TRUE(scan(nested(64, "[", "]")).ok());
    EXPECT_FALSE(scan(nested(65, "[", "]")).ok());
    EXPECT_NE(scan(nested(100'000, "[", "]")).error().message.find("deeper than 64"),
              std::string::npos);
}

TEST(Scan, KeepsContainersApartAtEveryDepth) {
    Limits limits;
    limits.depth = 1'000'000;
    std::string text = nested(512, R"([{"a":)", "}]");
    text.insert(text.find(":}") + 1, "0");
    EXPECT_TRUE(scan(text, limits).ok());
    for (std::size_t at = text.find('}'); at < text.size(); at += 64) {
        std::string wrong = text;
        wrong[at] = wrong[at] == '}' ? ']' : '}';
        EXPECT_FALSE(scan(wrong, limits).ok()) << at;
    }
    // No limit buys more than a thousand levels.
    EXPECT_FALSE(scan(nested(2'000, "[", "]"), limits).ok());
}

TEST(Scan, LimitsSizeAndCount) {
    Limits limits;
    limits.size = 5;
    EXPECT_TRUE(scan("[1,2]", limits).ok());
    EXPECT_FALSE(scan("[1,2] ", limits).ok());
    limits = {};
    limits.values = 4;
    EXPECT_TRUE(scan("[1,2,3]", limits).ok());
    EXPECT_FALSE(scan("[1,2,3,4]", limits).ok());
    EXPECT_FALSE(scan(R"({"a":1,"b":2})", limits).ok());
    EXPECT_TRUE(scan(R"({"a":[1]})", limits).ok());
}

}  // namespace
}  // namespace pb::json
