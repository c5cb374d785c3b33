// SPDX-License-Identifier: Apache-2.0
// What is offered of a server's lists: rules over its tools, names, and what changes are noticed.
#include <gtest/gtest.h>

#include "exposed.h"
#include "tool_rules.h"
#include "trust.h"

namespace pb::remote {
namespace {

ToolRules rules(const char* text) {
    auto out = ToolRules::read(Json::parse(text));
    EXPECT_TRUE(out) << out.error().message;
    return std::move(*out);
}

TEST(ToolRules, Globs) {
    struct {
        const char *pattern, *text;
        bool matches;
    } const table[] = {{"*", "", true},         {"a*", "abc", true},  {"*c", "abc", true},
                       {"a?c", "abc", true},    {"a?c", "ac", false}, {"*b*", "abc", true},
                       {"abc", "abcd", false},  {"", "a", false},     {"*a*a*", "banana", true},
                       {"*x*", "banana", false}};
    for (const auto& [pattern, text, matches] : table)
        EXPECT_EQ(matches_glob(pattern, text), matches) << pattern << " " << text;
    // However many stars, it takes no longer than the product of both.
    std::string stars;
    for (int i = 0; i < 1'000; ++i)
        stars += "*a";
    EXPECT_FALSE(matches_glob(stars + "b", std::string(5'000, 'a')));
}

TEST(ToolRules, IncludeAndExclude) {
    const auto some = rules(R"({"include":["get_*","list"],"exclude":["*_secret"]})");
    EXPECT_TRUE(some.offers("get_x"));
    EXPECT_TRUE(some.offers("list"));
    EXPECT_FALSE(some.offers("get_secret"));
    EXPECT_FALSE(some.offers("delete"));
    EXPECT_TRUE(rules("{}").offers("anything"));
}

TEST(ToolRules, OnlyWhatARuleChangesIsRewritten) {
    const auto some = rules(R"({"rename":{"a":"b"},"describe":{"a":"new"},
        "annotations":{"a":{"readOnlyHint":true}}})");
    EXPECT_EQ(some.local_name("a"), "b");
    const std::string other = R"({"name":"c",  "x-odd": 1.50})";
    EXPECT_EQ(some.rewrite("c", other), other);
    const auto changed = Json::parse(
        some.rewrite("a", R"({"name":"a","description":"old","annotations":{"title":"T"},"x":1})"));
    EXPECT_EQ(changed, Json::parse(R"({"name":"b","description":"new",
        "annotations":{"title":"T","readOnlyHint":true},"x":1})"));
}

Settings with(const char* tools) {
    Settings out;
    out.rules = rules(tools);
    return out;
}

TEST(Exposed, HoldsTheListsAndTheWayBack) {
    client::ServerLists lists;
    lists.tools = {R"({"name":"a","outputSchema":{}})",
                   R"({"name":"b","inputSchema":{"properties":{"r":{"type":"string",)"
                   R"("x-mcp-header":"R"}}}})",
                   R"({"name":"c"})"};
    lists.resources = {R"({"uri":"x:/1"})"};
    client::ServerInfo info;
    info.capabilities = R"({"tools":{},"resources":{},"completions":{}})";
    info.instructions = "Use \"a\".";
    const auto out = expose(info, lists, with(R"({"rename":{"a":"z"}})"), {"c"});
    EXPECT_EQ(out->tools, R"({"tools":[{"name":"z","outputSchema":{}},)" + lists.tools[1] +
                              R"(],"_meta":{"patchbay/withheld":["c"]}})");
    EXPECT_TRUE(out->withheld.contains("c"));
    EXPECT_EQ(out->tool_count, 2U);
    EXPECT_EQ(out->by_name.at("z").name, "a");
    EXPECT_TRUE(out->by_name.at("z").structured);
    EXPECT_EQ(out->by_name.at("b").header_params.at(0).header, "R");
    EXPECT_FALSE(out->by_name.contains("c"));
    EXPECT_EQ(*out->list("resources/list"), R"({"resources":[{"uri":"x:/1"}]})");
    EXPECT_EQ(out->list("tools/call"), nullptr);
    const auto discovery = Json::parse(out->discover);
    EXPECT_TRUE(discovery["capabilities"].contains("completions"));
    EXPECT_FALSE(discovery["capabilities"].contains("prompts"));
    EXPECT_EQ(discovery["instructions"], "Use \"a\".");
}

TEST(Exposed, OfTwoToolsOfOneNameTheFirstIsOffered) {
    client::ServerLists lists;
    lists.tools = {R"({"name":"a"})", R"({"name":"b"})"};
    const auto out = expose({}, lists, with(R"({"rename":{"b":"a"}})"), {});
    EXPECT_EQ(out->tool_count, 1U);
    EXPECT_EQ(out->by_name.at("a").name, "a");
    EXPECT_EQ(out->warnings.size(), 1U);
}

Result<std::vector<std::string>> approve(Trust& trust, const char* what) {
    auto approval = read_approval(Json::parse(what));
    if (!approval) return approval.error();
    return trust.approve(*approval);
}

TEST(Trust, TheFirstListIsTakenAndChangesAreNoticed) {
    Trust trust;
    EXPECT_TRUE(trust.look(Tools{{"a", "{\"v\":1}"}}, OnToolChange::quarantine, 1).empty());
    EXPECT_TRUE(trust.withheld().empty());
    const auto changes = trust.look(Tools{{"a", "{\"v\":2}"}, {"b", "{}"}}, OnToolChange::allow, 2);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].kind, "changed");
    EXPECT_EQ(changes[1].kind, "added");
    EXPECT_TRUE(trust.withheld().empty());
    EXPECT_EQ(trust.look(Tools{{"b", "{}"}}, OnToolChange::allow, 3).at(0).kind, "removed");
}

TEST(Trust, QuarantineWithholdsUntilApproved) {
    Trust trust;
    trust.look(Tools{{"a", "{\"v\":1}"}}, OnToolChange::quarantine, 1);
    const Tools next{{"a", "{\"v\":2}"}, {"b", "{}"}};
    EXPECT_EQ(trust.look(next, OnToolChange::quarantine, 2).size(), 2U);
    EXPECT_EQ(trust.withheld(), (std::set<std::string>{"a", "b"}));
    EXPECT_TRUE(trust.look(next, OnToolChange::quarantine, 3).empty());  // said once
    EXPECT_EQ(approve(trust, R"({"tools":["a"]})").value(), std::vector<std::string>{"a"});
    EXPECT_EQ(trust.withheld(), std::set<std::string>{"b"});
    // Another change of what waits is another change.
    EXPECT_EQ(trust.look(Tools{{"a", "{\"v\":2}"}, {"b", "{\"v\":2}"}}, OnToolChange::quarantine, 4)
                  .size(),
              1U);
    EXPECT_EQ(approve(trust, "{}").value(), std::vector<std::string>{"b"});
    // What is as it was accepted needs nobody.
    trust.look(Tools{{"a", "{\"v\":3}"}, {"b", "{\"v\":2}"}}, OnToolChange::quarantine, 5);
    EXPECT_EQ(trust.withheld(), std::set<std::string>{"a"});
    trust.look(Tools{{"a", "{\"v\":2}"}, {"b", "{\"v\":2}"}}, OnToolChange::quarantine, 6);
    EXPECT_TRUE(trust.withheld().empty());
}

TEST(Trust, WhatIsNotUnderstoodApprovesNothing) {
    Trust trust;
    trust.look(Tools{{"a", "1"}}, OnToolChange::quarantine, 1);
    trust.look(Tools{{"a", "2"}, {"b", "1"}}, OnToolChange::quarantine, 2);
    for (const char* wrong :
         {"null", "[]", R"(["a"])", R"("a")", R"({"tool":["a"]})", R"({"tools":[]})",
          R"({"tools":{}})", R"({"tools":null})", R"({"tools":"a"})", R"({"tools":[1]})",
          R"({"tools":{"a":1}})", R"({"tools":["a"],"all":true})", R"({"tools":["a","c"]})"}) {
        const auto done = approve(trust, wrong);
        ASSERT_FALSE(done) << wrong;
        EXPECT_EQ(done.error().kind, ErrorKind::invalid);
        EXPECT_EQ(trust.withheld(), (std::set<std::string>{"a", "b"})) << wrong;
    }
}

TEST(Trust, WhatIsWithheldIsShownAsItIsAndAsItWas) {
    const Tools first{{"a", R"({"name":"a","description":"Adds"})"}};
    const Tools second{{"a", R"({"name":"a","description":"Sends"})"}, {"b", R"({"name":"b"})"}};
    const Tools third{{"a", R"({"name":"a","description":"Sends more"})"},
                      {"b", R"({"name":"b"})"}};
    Trust trust;
    trust.look(first, OnToolChange::quarantine, 1);
    trust.look(second, OnToolChange::quarantine, 2, first);
    auto shown = trust.report(second)["withheld"];
    ASSERT_EQ(shown.size(), 2U);
    EXPECT_EQ(shown[0]["tool"], "a");
    EXPECT_EQ(shown[0]["change"], "changed");
    EXPECT_EQ(shown[0]["definition"]["description"], "Sends");
    EXPECT_EQ(shown[0]["before"]["description"], "Adds");
    EXPECT_EQ(shown[1]["change"], "added");
    EXPECT_EQ(shown[1]["definition"]["name"], "b");
    EXPECT_FALSE(shown[1].contains("before"));
    // However often it changes while it waits, and over a restart: before is what was accepted.
    trust = Trust::load(Json::parse(trust.store().dump()));
    trust.look(third, OnToolChange::quarantine, 3, second);
    EXPECT_EQ(trust.report(third)["withheld"][0]["before"]["description"], "Adds");
    EXPECT_EQ(trust.report(third)["withheld"][0]["definition"]["description"], "Sends more");
    // Who names what was shown approves nothing else.
    const std::string seen = shown[0]["digest"];
    const auto stale = approve(trust, (R"({"tools":{"a":")" + seen + R"("}})").c_str());
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().kind, ErrorKind::busy);
    const std::string now = trust.report(third)["withheld"][0]["digest"];
    EXPECT_TRUE(approve(trust, (R"({"tools":{"a":")" + now + R"("}})").c_str()));
    EXPECT_EQ(trust.withheld(), std::set<std::string>{"b"});
}

TEST(Trust, OutlivesARestartAndForgetsNothing) {
    Trust before;
    before.look(Tools{{"a", "{\"v\":1}"}}, OnToolChange::quarantine, 1);
    before.look(Tools{{"a", "{\"v\":2}"}}, OnToolChange::quarantine, 2);
    auto after = Trust::load(Json::parse(before.store().dump()));
    EXPECT_EQ(after.withheld(), std::set<std::string>{"a"});
    EXPECT_TRUE(after.look(Tools{{"a", "{\"v\":2}"}}, OnToolChange::quarantine, 3).empty());
    EXPECT_EQ(after.report({})["changes"].size(), 1U);
    EXPECT_TRUE(Trust::load(Json("broken")).withheld().empty());
}

TEST(Trust, TheDigestIsOfTheMeaning) {
    EXPECT_EQ(digest_of(R"({"a":1, "b":[2]})"), digest_of(R"({"b":[2],"a":1})"));
    EXPECT_NE(digest_of(R"({"a":1})"), digest_of(R"({"a":2})"));
    Trust trust;
    for (int i = 0; i < 500; ++i)
        trust.look(Tools{{"a", std::to_string(i)}}, OnToolChange::allow, i);
    EXPECT_EQ(trust.report({})["changes"].size(), 200U);
}

}  // namespace
}  // namespace pb::remote
