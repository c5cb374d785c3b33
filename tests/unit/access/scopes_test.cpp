// SPDX-License-Identifier: Apache-2.0
#include "access/scopes.h"

#include <gtest/gtest.h>

namespace pb::access {
namespace {

Scopes scopes(std::string_view text) {
    auto out = Scopes::parse(text);
    EXPECT_TRUE(out) << text;
    return out ? *out : Scopes();
}

TEST(Scopes, HaveOneText) {
    EXPECT_EQ(scopes("object:b mcp:write  action:z mcp:read action:a object:b ").text(),
              "mcp:read mcp:write action:a action:z object:b");
    EXPECT_EQ(scopes("").text(), "");
    EXPECT_TRUE(scopes("").empty());
    EXPECT_TRUE(scopes("action:a").empty()) << "narrowed, but nothing may be done";
    EXPECT_EQ(Scopes::everything().text(), "mcp:read mcp:write mcp:admin");
    EXPECT_TRUE(scopes("mcp:admin mcp:read mcp:write").is_everything());
    EXPECT_FALSE(scopes("mcp:admin mcp:read mcp:write source:a").is_everything());
}

TEST(Scopes, WhatIsNoneIsNamed) {
    for (const std::string name :
         {"read", "mcp:", "mcp:delete", "action:", "Mcp:read", "source", "object:a\"b", "a\\b"}) {
        const auto out = Scopes::of({"mcp:read", name});
        ASSERT_FALSE(out) << name;
        EXPECT_EQ(out.error().kind, ErrorKind::invalid);
    }
    EXPECT_FALSE(Scopes::of({"action:a b"}));
    EXPECT_FALSE(Scopes::of({"action:" + std::string(300, 'a')}));
    EXPECT_FALSE(Scopes::of(std::vector<std::string>(300, "mcp:read")));
}

TEST(Scopes, ALevelStandsForItself) {
    const auto own = scopes("mcp:write action:crm");
    EXPECT_TRUE(own.permits(Level::write, "crm"));
    EXPECT_FALSE(own.permits(Level::read, "crm"));
    EXPECT_FALSE(own.permits(Level::admin, "crm"));
    EXPECT_FALSE(own.permits(Level::write, "mail"));
    EXPECT_TRUE(scopes("mcp:write").permits(Level::write, "mail"));
    EXPECT_FALSE(scopes("mcp:write action:crm").reaches(""));
}

TEST(Scopes, WhatBothPermit) {
    const struct {
        const char *one, *other, *both;
    } cases[] = {
        {"mcp:read mcp:write", "mcp:read mcp:admin", "mcp:read"},
        {"mcp:read", "mcp:write", ""},
        {"mcp:read action:a action:b", "mcp:read action:b action:c", "mcp:read action:b"},
        {"mcp:read action:a", "mcp:read action:b", ""},
        {"mcp:read", "mcp:read action:a source:s", "mcp:read action:a source:s"},
        {"mcp:read source:s", "mcp:read source:t", ""},
        {"mcp:read object:o", "mcp:read mcp:write", "mcp:read object:o"},
    };
    for (const auto& [one, other, both] : cases) {
        EXPECT_EQ(scopes(one).within(scopes(other)).text(), both) << one << " / " << other;
        EXPECT_EQ(scopes(other).within(scopes(one)).text(), both) << other << " / " << one;
    }
}

TEST(Scopes, OneCoversAnother) {
    EXPECT_TRUE(scopes("mcp:read mcp:write").covers(scopes("mcp:read action:a")));
    EXPECT_TRUE(scopes("mcp:read action:a action:b").covers(scopes("mcp:read action:a")));
    EXPECT_FALSE(scopes("mcp:read action:a").covers(scopes("mcp:read")));
    EXPECT_FALSE(scopes("mcp:read source:s").covers(scopes("mcp:read action:a")));
    EXPECT_FALSE(scopes("mcp:read").covers(scopes("mcp:read mcp:admin")));
    EXPECT_TRUE(scopes("mcp:read").covers(Scopes()));
}

TEST(Scopes, AreNarrowedToWhatIsNamed) {
    const auto held = scopes("mcp:read mcp:write action:a action:b source:s");
    const auto to = [&](std::string_view named) {
        const auto out = held.narrowed_to(scopes(named));
        return out ? out->text() : "none";
    };
    EXPECT_EQ(to("mcp:read"), "mcp:read action:a action:b source:s");
    EXPECT_EQ(to("mcp:read action:a"), "mcp:read action:a source:s");
    EXPECT_EQ(to("mcp:write object:o"), "mcp:write action:a action:b source:s object:o");
    for (const char* more : {"mcp:admin", "mcp:read mcp:admin", "mcp:read action:c",
                             "mcp:read action:a action:c", "mcp:read source:t"})
        EXPECT_EQ(to(more), "none") << more;
}

TEST(Scopes, WhatIsNeededComesOnTopOfWhatIsHeld) {
    EXPECT_EQ(together(scopes("mcp:read action:a source:s"), "mcp:write action:b"),
              "mcp:read mcp:write action:a action:b source:s");
    EXPECT_EQ(together(Scopes(), "mcp:read"), "mcp:read");
    std::string many = "mcp:read";
    for (int i = 0; i < 100; ++i)
        many += " action:" + std::string(60, 'a') + std::to_string(i);
    EXPECT_EQ(together(scopes(many), "mcp:write action:b"), "mcp:write action:b")
        << "too long for a header";
}

TEST(Scopes, WithoutALevel) {
    EXPECT_EQ(Scopes::everything().without(Level::admin).text(), "mcp:read mcp:write");
    EXPECT_EQ(scopes("mcp:admin action:a").without(Level::admin), Scopes());
}

}  // namespace
}  // namespace pb::access
