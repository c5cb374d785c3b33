// SPDX-License-Identifier: Apache-2.0
#include "catalog/names.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace pb::catalog {
namespace {

TEST(Namespace, AcceptsWhatTheDesignAllows) {
    for (const auto* good : {"", "a", "7", "weather", "my-server", "my_server", "a1-b2_c3"}) {
        EXPECT_TRUE(check_namespace(good)) << good;
    }
    EXPECT_TRUE(check_namespace(std::string(40, 'a')));
}

TEST(Namespace, RefusesEverythingElseWithAReason) {
    for (const auto* bad : {"A", "-a", "a-", "_a", "a_", "a__b", "a.b", "a b", "ä", "a+b", "a~b"}) {
        const auto ok = check_namespace(bad);
        ASSERT_FALSE(ok) << bad;
        EXPECT_NE(ok.error().message.find(bad), std::string::npos);
    }
    EXPECT_FALSE(check_namespace(std::string(41, 'a')));
}

TEST(ExposedName, IsPrefixedAndOtherwiseUnchanged) {
    EXPECT_EQ(expose_name("weather", "forecast"), "weather__forecast");
    EXPECT_EQ(expose_name("w", "Get-It_9"), "w__Get-It_9");
    EXPECT_EQ(expose_name("", "forecast"), "forecast");
    EXPECT_EQ(expose_name("", "db.query"), "db.query");
    EXPECT_EQ(expose_name("a", std::string(61, 'x')), "a__" + std::string(61, 'x'));
}

TEST(ExposedName, IsShortenedWithAHashOfTheWhole) {
    // The digits are the beginning of sha256("db__db.query").
    EXPECT_EQ(expose_name("db", "db.query"), "db__db_query_ca4a5d40");
    const auto longer = expose_name("a", std::string(62, 'x'));
    EXPECT_EQ(longer.size(), 64u);
    EXPECT_EQ(longer.substr(0, 56), "a__" + std::string(52, 'x') + "_");
    EXPECT_EQ(longer, expose_name("a", std::string(62, 'x')));
    EXPECT_NE(longer, expose_name("a", std::string(63, 'x')));
}

TEST(ExposedName, KeepsOddNamesApart) {
    const std::set<std::string> exposed = {expose_name("a", "x y"), expose_name("a", "x.y"),
                                           expose_name("a", "x/y"), expose_name("a", "x_y")};
    EXPECT_EQ(exposed.size(), 4u);
}

TEST(ExposedName, IsAlwaysWithinTheStrictestClientsAlphabet) {
    std::mt19937 random(7);
    for (int i = 0; i < 5000; ++i) {
        std::string local(1 + random() % 120, ' ');
        for (char& c : local)
            c = static_cast<char>(random() % 256);
        const auto name = expose_name(i % 2 ? "some-server" : "s", local);
        ASSERT_LE(name.size(), 64u);
        ASSERT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_-"),
                  std::string::npos)
            << name;
    }
}

TEST(ExposedUri, HasAFormForEachKindOfScheme) {
    EXPECT_EQ(expose_uri("files", "file:///etc/hosts"), "files+file:///etc/hosts");
    EXPECT_EQ(expose_uri("files", "file:///{+path}"), "files+file:///{+path}");
    EXPECT_EQ(expose_uri("charts", "ui://bar/view.html"), "ui://charts~bar/view.html");
    EXPECT_EQ(expose_uri("charts", "ui://{kind}/view"), "ui://charts~{kind}/view");
    EXPECT_EQ(expose_uri("", "file:///etc/hosts"), "file:///etc/hosts");
    EXPECT_EQ(expose_uri("", "ui://bar"), "ui://bar");
}

TEST(ExposedUri, HasAValidScheme) {
    EXPECT_EQ(expose_uri("my_server", "file:///x"), "my.server+file:///x");
    EXPECT_EQ(expose_uri("9lives", "file:///x"), "x..9lives+file:///x");
}

TEST(ExposedUri, SplitsIntoNothingWithoutAPrefix) {
    for (const auto* uri : {"file:///a+b", "ui://bar", "ui://~bar", "ui://A~bar", "", "+", "a",
                            "http://x/~user", "A+b:c", "my_server+file:///x", "9+x:y", "x..+a:b"}) {
        const auto split = split_uri(uri);
        EXPECT_EQ(split.name_space, "") << uri;
        EXPECT_EQ(split.local, uri);
    }
}

// For every namespace and every text, URI or not: what was exposed splits into the same two.
TEST(ExposedUri, IsReversible) {
    std::mt19937 random(11);
    const auto pick = [&](std::string_view from) { return from[random() % from.size()]; };
    const std::vector<std::string> starts = {"",      "ui://", "ui:",        "file:///",
                                             "x..9+", "a+b:",  "git+ssh://", "ui://a~",
                                             "{+x}",  "x+9a+", "7+"};
    int tried = 0;
    while (tried < 20000) {
        std::string name_space;
        for (auto size = 1 + random() % 6; name_space.size() < size;) {
            name_space += pick("abx90_-");
        }
        if (!check_namespace(name_space)) continue;
        ++tried;
        auto local = starts[random() % starts.size()];
        for (auto size = random() % 8; size > 0; --size)
            local += pick("ax9+~.:/_{}-\xC3");
        const auto exposed = expose_uri(name_space, local);
        const auto split = split_uri(exposed);
        ASSERT_EQ(split.name_space, name_space) << exposed;
        ASSERT_EQ(split.local, local) << exposed;
    }
}

TEST(ExposedUri, NeverMeetsAnotherNamespaces) {
    const std::vector<std::string> spaces = {"a", "x", "x_9", "9", "x-9", "a_b", "a-b"};
    const std::vector<std::string> locals = {"9+b:c", "b:c", "ui://b", "x..9+b:c", "a+b:c"};
    std::set<std::string> seen;
    for (const auto& name_space : spaces) {
        for (const auto& local : locals)
            seen.insert(expose_uri(name_space, local));
    }
    EXPECT_EQ(seen.size(), spaces.size() * locals.size());
}

TEST(VirtualNames, HoldAColon) {
    for (const char* good : {"mcp:github", "a:", "0:a_b.c-d:e"})
        EXPECT_TRUE(check_virtual_name(good)) << good;
    EXPECT_TRUE(check_virtual_name("m:" + std::string(98, 'x')));
    for (const char* bad : {"", ":", ":a", "github", "mcp:GitHub", "mcp:a b", "mcp:\xc3\xa9"})
        EXPECT_FALSE(check_virtual_name(bad)) << bad;
    EXPECT_FALSE(check_virtual_name("m:" + std::string(99, 'x')));
}

}  // namespace
}  // namespace pb::catalog
