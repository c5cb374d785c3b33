// SPDX-License-Identifier: Apache-2.0
// ECMA-262 expressions keep their meaning in RE2's syntax, and what cannot be expressed is refused.
#include "json/pattern.h"

#include <gtest/gtest.h>

namespace pb::json {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
    auto compiled = compile_pattern(pattern);
    EXPECT_TRUE(compiled.ok()) << pattern << ": " << (compiled ? "" : compiled.error().message);
    return compiled && re2::RE2::PartialMatch(text, **compiled);
}

TEST(Pattern, KeepsItsMeaning) {
    EXPECT_TRUE(matches("b", "abc"));
    EXPECT_FALSE(matches("^b", "abc"));
    EXPECT_FALSE(matches("^abc$", "abc\n"));
    EXPECT_TRUE(matches("\\/\\-\\.\\$", "/-.$"));
    EXPECT_TRUE(matches("^\\cC$", "\x03"));
    EXPECT_TRUE(matches("^\\cc$", "\x03"));
    EXPECT_TRUE(matches("^\\x41\\u0042\\u{43}$", "ABC"));
    EXPECT_TRUE(matches("^\\uD83D\\uDE00$", "\xF0\x9F\x98\x80"));
    EXPECT_TRUE(matches("^\\0$", std::string_view("\0", 1)));
    EXPECT_TRUE(matches("^[\\b]$", "\b"));
    EXPECT_TRUE(matches("^(?<year>\\d{4})$", "2026"));
    EXPECT_TRUE(matches("^(?:a|b)+$", "abba"));
    EXPECT_FALSE(matches("^\\d$", "\xD9\xA3"));  // an Arabic digit
    EXPECT_FALSE(matches("^\\w$", "\xC3\xA9"));
    EXPECT_TRUE(matches("^\\W$", "\xC3\xA9"));
    EXPECT_TRUE(matches("^\\\xC3\xA9$", "\xC3\xA9"));
}

TEST(Pattern, Space) {
    for (std::string_view space : {" ", "\t", "\v", "\xC2\xA0", "\xE2\x80\xA8", "\xEF\xBB\xBF"}) {
        EXPECT_TRUE(matches("^\\s$", space));
        EXPECT_TRUE(matches("^[\\s]$", space));
        EXPECT_FALSE(matches("^\\S$", space));
        EXPECT_FALSE(matches("^[\\S]$", space));
        EXPECT_TRUE(matches("^[^\\S]$", space));
    }
    for (std::string_view other : {"a", "!", "\xC3\xA9", "\xE2\x80\x8B", "\xF0\x9F\x98\x80"}) {
        EXPECT_FALSE(matches("^\\s$", other));
        EXPECT_TRUE(matches("^\\S$", other));
        EXPECT_TRUE(matches("^[\\S]$", other));
        EXPECT_TRUE(matches("^[\\s\\S]$", other));
    }
}

TEST(Pattern, Classes) {
    EXPECT_TRUE(matches("^[^]$", "\n"));
    EXPECT_FALSE(matches("[]", "a"));
    EXPECT_TRUE(matches("^[[:alpha:]]$", ":]"));  // a class of [ : a l p h, and a bracket
    EXPECT_FALSE(matches("^[[:alpha:]]$", "b"));
    EXPECT_TRUE(matches("^[\\]a]+$", "]a"));
    EXPECT_TRUE(matches("^[(?=]$", "?"));
}

TEST(Pattern, Properties) {
    EXPECT_TRUE(matches("^\\p{Letter}+$", "\xC3\xA9t\xC3\xA9"));
    EXPECT_TRUE(matches("^\\p{L}\\p{Lu}\\P{N}$", "aAa"));
    EXPECT_TRUE(matches("^\\p{Script=Greek}$", "\xCE\xB1"));
    EXPECT_TRUE(matches("^\\p{General_Category=Decimal_Number}$", "\xD9\xA3"));
    EXPECT_TRUE(matches("^[\\p{Lu}\\d]+$", "A1"));
    EXPECT_FALSE(compile_pattern("\\p{NoSuchScript}").ok());
    EXPECT_FALSE(compile_pattern("\\pL").ok());
    EXPECT_FALSE(compile_pattern("\\p{^L}").ok());
    EXPECT_FALSE(compile_pattern("\\p{").ok());
}

TEST(Pattern, Repeats) {
    const std::string a(1'500, 'a');
    EXPECT_TRUE(matches("^[\\w-]{1,1024}$", a.substr(0, 1'024)));
    EXPECT_FALSE(matches("^[\\w-]{1,1024}$", a.substr(0, 1'025)));
    EXPECT_FALSE(matches("^[\\w-]{1,1024}$", ""));
    EXPECT_TRUE(matches("^\\S{1,255}$", a.substr(0, 255)));
    EXPECT_FALSE(matches("^\\S{1,255}$", a.substr(0, 256)));
    EXPECT_TRUE(matches("^\\S{1,1024}$", a.substr(0, 1'024)));
    EXPECT_FALSE(matches("^[^\\s]{1,1024}$", a.substr(0, 1'025)));
    EXPECT_TRUE(matches("^[\\S]{1,255}$", a.substr(0, 255)));
    EXPECT_TRUE(matches("^\\p{L}{1,64}$", a.substr(0, 64)));
    EXPECT_TRUE(matches("^\xC3\xA9{2000}$", [] {
        std::string accents;
        for (int i = 0; i < 2'000; ++i)
            accents += "\xC3\xA9";
        return accents;
    }()));
    EXPECT_TRUE(matches("^b(?:a|(c)){1500}$", "b" + a));
    EXPECT_FALSE(matches("^b(?:a|(c)){1501}$", "b" + a));
    EXPECT_TRUE(matches("^\\d?a{1001,}$", a));
    EXPECT_FALSE(matches("^a{1501,}$", a));
    EXPECT_FALSE(matches("^a{1501,}?$", a));
    EXPECT_TRUE(matches("^a{0,2000}?b{2}$", a + "bb"));
    EXPECT_TRUE(matches("^x{{1}{,2}{y$", "x{{,2}{y"));
    EXPECT_TRUE(matches("^{{2000}$", std::string(2'000, '{')));
    for (const char* pattern :
         {"{2000}", "a({2000})", "a|{2000}", "a{1,5}{2000}", "a{2000,1}",
          "((((a{2000}){2000}){2000}){2000}){2000}", "a{99999999}", "a{99999999999999999999}"}) {
        EXPECT_FALSE(compile_pattern(pattern).ok()) << pattern;
    }
}

TEST(Pattern, RefusesWhatItCannotDo) {
    for (const char* pattern : {"(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b"}) {
        auto compiled = compile_pattern(pattern);
        ASSERT_FALSE(compiled.ok()) << pattern;
        EXPECT_NE(compiled.error().message.find("look"), std::string::npos);
    }
    for (const char* pattern : {"(a)\\1", "(?<x>a)\\k<x>"}) {
        auto compiled = compile_pattern(pattern);
        ASSERT_FALSE(compiled.ok()) << pattern;
        EXPECT_NE(compiled.error().message.find("backreference"), std::string::npos);
    }
    for (const char* pattern : {"(",     ")",           "[a",     "a**",    "\\",    "\\A",
                                "\\z",   "\\Q",         "\\a",    "\\C",    "\\c1",  "\\x1",
                                "\\u12", "\\u{110000}", "\\u{}",  "\\u{41", "(?i)a", "(?P<a>b)",
                                "[\\B]", "[b-a]",       "a{2,1}", "?"}) {
        EXPECT_FALSE(compile_pattern(pattern).ok()) << pattern;
    }
}

}  // namespace
}  // namespace pb::json
