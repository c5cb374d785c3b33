// SPDX-License-Identifier: Apache-2.0
#include "catalog/uri_template.h"

#include <gtest/gtest.h>

#include <string>

namespace pb::catalog {
namespace {

struct Case {
    const char* text;
    const char* uri;
    bool matches;
};

bool matches_template(std::string_view uri_template, std::string_view uri) {
    const auto compiled = UriTemplate::compile(uri_template);
    return compiled && compiled->matches(uri);
}

class Expansion : public testing::TestWithParam<Case> {};

TEST_P(Expansion, IsRecognised) {
    const auto& [text, uri, matches] = GetParam();
    EXPECT_EQ(matches_template(text, uri), matches) << text << " and " << uri;
}

INSTANTIATE_TEST_SUITE_P(Literals, Expansion,
                         testing::Values(Case{"test://static", "test://static", true},
                                         Case{"test://static", "test://static/", false},
                                         Case{"a.b", "aXb", false},
                                         Case{"a(b|c)*", "a(b|c)*", true}, Case{"", "", true},
                                         Case{"", "a", false}));

INSTANTIATE_TEST_SUITE_P(
    Level1, Expansion,
    testing::Values(Case{"test://{id}/data", "test://7/data", true},
                    Case{"test://{id}/data", "test://a%2Fb/data", true},
                    Case{"test://{id}/data", "test://me@example.org/data", true},
                    Case{"test://{id}/data", "test:///data", true},
                    Case{"test://{id}/data", "test://a/b/data", false},
                    Case{"test://{id}", "test://a?b", false},
                    Case{"test://{id}", "test://a#b", false}, Case{"{a}-{b}", "x-y-z", true},
                    Case{"{a}-{b}", "xyz", false}));

INSTANTIATE_TEST_SUITE_P(Level2, Expansion,
                         testing::Values(Case{"file:///{+path}", "file:///a/b/c.txt", true},
                                         Case{"file:///{+path}", "file:///a?b#c", true},
                                         Case{"file:///{+path}", "http:///a", false},
                                         Case{"{+all}", "any:thing at all", true},
                                         Case{"doc://x{#part}", "doc://x#two/three", true},
                                         Case{"doc://x{#part}", "doc://x", true},
                                         Case{"doc://x{#part}", "doc://xtwo", false}));

INSTANTIATE_TEST_SUITE_P(
    Level3, Expansion,
    testing::Values(
        Case{"map://{x,y}", "map://1024,768", true}, Case{"map://a{/x}", "map://a/b", true},
        Case{"map://a{/x}", "map://a", true}, Case{"map://a{/x}", "map://ab", false},
        Case{"map://a{/x}", "map://a/b/c", false}, Case{"map://a{/x,y}", "map://a/b/c", true},
        Case{"map://a{/x*}", "map://a/b/c/d/e", true}, Case{"map://a{.ext}", "map://a.json", true},
        Case{"map://a{.ext}", "map://a/json", false},
        Case{"map://a{;x,y}", "map://a;x=1;y=2", true}, Case{"map://a{;x,y}", "map://a;x", true},
        Case{"map://a{;x,y}", "map://a;z=1", false},
        Case{"q://s{?q,lang}", "q://s?q=cats&lang=en", true},
        Case{"q://s{?q,lang}", "q://s?lang=en", true},
        Case{"q://s{?q,lang}", "q://s?lang=en&q=cats", true}, Case{"q://s{?q,lang}", "q://s", true},
        Case{"q://s{?q,lang}", "q://s?page=2", false},
        Case{"q://s{?q,lang}", "q://s?q=a&page=2", false},
        Case{"q://s?fixed=yes{&x}", "q://s?fixed=yes&x=1", true},
        Case{"q://s?fixed=yes{&x}", "q://s?fixed=yes", true},
        Case{"q://s?fixed=yes{&x}", "q://s?fixed=no&x=1", false},
        Case{"q://s{?rest*}", "q://s?any=1&thing=2", true}, Case{"v://{name:3}", "v://abc", true}));

TEST(UriTemplate, RefusesMalformedOnes) {
    for (const auto* text : {"{", "}", "a{b", "a}b", "{}", "{a{b}}", "{a b}", "{=x}", "{+}", "{x,}",
                             "{x:}", "{x:99999}", "{x:y}"}) {
        EXPECT_FALSE(UriTemplate::compile(text)) << text;
        EXPECT_FALSE(matches_template(text, text)) << text;
    }
    EXPECT_FALSE(UriTemplate::compile(std::string(5000, 'a')));
}

TEST(UriTemplate, MatchesNothingWhenDefaulted) { EXPECT_FALSE(UriTemplate().matches("")); }

TEST(UriTemplate, RefusesUrisBeyondAnyUse) {
    const auto all = UriTemplate::compile("{+all}");
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->matches(std::string(1000, 'a')));
    EXPECT_FALSE(all->matches(std::string(1 << 20, 'a')));
}

// A backtracking matcher needs 2^n steps here and would not come back.
TEST(UriTemplate, TakesLinearTime) {
    std::string text;
    for (int i = 0; i < 60; ++i)
        text += "{a}{b}x";
    EXPECT_FALSE(matches_template(text, std::string(59, 'x') + std::string(4000, 'y')));
    EXPECT_TRUE(matches_template(text, std::string(4000, 'x')));
    std::string many = "{";
    for (int i = 0; i < 60; ++i)
        many += "v,";
    EXPECT_FALSE(matches_template(many + "v*}/{+r}z", std::string(4000, ',') + "/y"));
}

}  // namespace
}  // namespace pb::catalog
