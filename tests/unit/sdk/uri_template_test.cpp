// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <patchbay/uri_template.hpp>

namespace {

using patchbay::UriTemplate;
using patchbay::Variables;

TEST(UriTemplate, TakesVariablesApart) {
    struct Case {
        const char* uri_template;
        const char* uri;
        Variables values;
    };
    const Case cases[] = {
        {"a://b", "a://b", {}},
        {"travel://city/{name}", "travel://city/Oslo", {{"name", "Oslo"}}},
        {"a://{x}/{y}.txt", "a://one/two.three.txt", {{"x", "one"}, {"y", "two.three"}}},
        {"{x}://host", "a://host", {{"x", "a"}}},
        {"a://{x}", "a://S%C3%A3o%20Paulo", {{"x", "S\xC3\xA3o Paulo"}}},
        {"a://{x}", "a://b%2Fc", {{"x", "b/c"}}},
        {"file:///{+path}", "file:///a/b/c.txt", {{"path", "a/b/c.txt"}}},
        {"file:///{+path}/{name}.md", "file:///a/b/c.md", {{"path", "a/b"}, {"name", "c"}}},
        {"a://{x}-{y}", "a://1-2-3", {{"x", "1"}, {"y", "2-3"}}},
        {"a://{x}/{x}", "a://b/b", {{"x", "b"}}},
        {"a://q?k={v}", "a://q?k=1", {{"v", "1"}}},
    };
    for (const auto& [text, uri, values] : cases) {
        Variables out;
        EXPECT_TRUE(UriTemplate(text).match(uri, out)) << text << " " << uri;
        EXPECT_EQ(out, values) << text << " " << uri;
    }
}

TEST(UriTemplate, RefusesOtherUris) {
    const std::pair<const char*, const char*> cases[] = {
        {"a://b", "a://bc"},    {"a://b", "a://"},          {"a://{x}", "a://"},
        {"a://{x}", "a://b/c"}, {"a://{x}", "a://b?c"},     {"a://{x}", "a://b#c"},
        {"a://{x}", "a://b%2"}, {"a://{x}", "a://b%zz"},    {"a://{x}/end", "a://b/en"},
        {"a://{+x}", "a://"},   {"a://{x}/{x}", "a://b/c"}, {"a://{x}", "A://b"},
    };
    for (const auto& [text, uri] : cases) {
        Variables out;
        EXPECT_FALSE(UriTemplate(text).match(uri, out)) << text << " " << uri;
    }
}

TEST(UriTemplate, RefusesLongUris) {
    Variables out;
    const std::string fits(UriTemplate::max_uri_size - 4, 'x');
    EXPECT_TRUE(UriTemplate("a://{x}").match("a://" + fits, out));
    EXPECT_FALSE(UriTemplate("a://{x}").match("a://x" + fits, out));
}

TEST(UriTemplate, SaysWhichTemplatesItDoesNotKnow) {
    for (const char* bad :
         {"a://{x", "a://{}", "a://{+}", "a://{?x}", "a://{x*}", "a://{x,y}", "a://{x}{y}"}) {
        EXPECT_THROW(UriTemplate{bad}, std::invalid_argument) << bad;
    }
}

TEST(UriTemplate, NamesItsVariables) {
    EXPECT_EQ(UriTemplate("a://{x}/{+rest}").variables(), (std::vector<std::string>{"x", "rest"}));
}

}  // namespace
