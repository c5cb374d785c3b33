// SPDX-License-Identifier: Apache-2.0
#include "oauth/pages.h"

#include <gtest/gtest.h>

#include <cctype>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/tokens.h"

namespace pb::oauth::pages {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

std::vector<std::string> matches(const std::string& text, const char* pattern) {
    const std::regex expression(pattern);
    std::vector<std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
        out.push_back((*at)[at->size() - 1]);
    }
    return out;
}

std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return "";
}

std::string policy_for(std::string_view uri) {
    return header(page_response(200, message({"a", "b", ""}), uri), "Content-Security-Policy");
}

// Every tag is closed by its own, and nothing is open in the end.
AssertionResult balanced(const std::string& html) {
    static const std::set<std::string> alone{"meta", "input", "!doctype"};
    std::vector<std::string> open;
    const std::regex tag("<(/?)(!?[A-Za-z0-9]+)([^<>]*)>");
    for (std::sregex_iterator at(html.begin(), html.end(), tag), end; at != end; ++at) {
        std::string name = (*at)[2];
        for (char& c : name) {
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        if (alone.contains(name)) continue;
        if ((*at)[1].length() == 0) {
            open.push_back(name);
        } else if (open.empty() || open.back() != name) {
            return AssertionFailure() << "</" << name << "> at " << at->position();
        } else {
            open.pop_back();
        }
    }
    if (!open.empty()) return AssertionFailure() << "<" << open.back() << "> stays open";
    return AssertionSuccess();
}

// Each field that is seen has one label, and ids are there once.
AssertionResult labelled(const std::string& html) {
    const auto ids = matches(html, R"re( id="([^"]*)")re");
    const std::set<std::string> once(ids.begin(), ids.end());
    if (once.size() != ids.size()) return AssertionFailure() << "an id is there twice";
    const auto labels = matches(html, R"re(<label for="([^"]*)")re");
    for (const std::string& label : labels) {
        if (!once.contains(label)) return AssertionFailure() << "nothing is called " << label;
    }
    for (const std::string& described : matches(html, R"re(aria-describedby="([^"]*)")re")) {
        if (!once.contains(described)) return AssertionFailure() << "nothing is " << described;
    }
    const auto seen = matches(html, R"re(<(?:input type="(?:text|password|checkbox)"|select) )re");
    const auto inputs = matches(html, R"re(<input id="([^"]*)")re");
    if (seen.size() + inputs.size() != labels.size())
        return AssertionFailure() << labels.size() << " labels";
    return AssertionSuccess();
}

SignIn a_sign_in() {
    return {"/oauth/sign_in", "req_1", "csrf_1", "Claude", "ada@example.com", "It is wrong."};
}

Consent a_consent() {
    Consent out;
    out.action = "/oauth/consent";
    out.request_id = "req_1";
    out.csrf = "csrf_1";
    out.person = "ada@example.com";
    out.org = "blue";
    out.client_name = "Claude";
    out.client_uri = "https://claude.example/";
    out.client_id = "cl_1";
    out.redirect_host = "claude.example";
    out.redirect_uri = "https://claude.example/callback";
    out.orgs = {{"blue", "Blue Inc."}, {"red", "Red Inc."}};
    out.levels = {{"mcp:read", "Read", "See it.", true, true},
                  {"mcp:write", "Change", "", false, true},
                  {"mcp:admin", "Delete", "Your role does not permit it.", true, false}};
    out.actions = {{"action:crm", "Customers", "", true, true},
                   {"action:mail", "Mail", "", true, true}};
    out.sources = {{"source:a", "A", "", true, true}, {"source:b", "B", "", false, true}};
    out.objects = {{"object:note", "Notes", "", true, true}};
    out.error = "Choose something.";
    return out;
}

Grants some_grants() {
    return {"/oauth/grants",
            "csrf_1",
            "ada@example.com",
            {{"gr_1", "Claude", "mcp:read action:crm", "blue", "today", ""},
             {"gr_2", "Cursor", "", "red", "yesterday", "an hour ago"}},
            "/oauth/sign-out"};
}

std::vector<Page> all_pages() {
    Consent no_choices = a_consent();
    no_choices.levels = no_choices.actions = no_choices.sources = no_choices.objects = {};
    no_choices.orgs.clear();
    return {sign_in(a_sign_in()),
            sign_in({"/a", "r", "c", "", "", ""}),
            consent(a_consent()),
            consent(no_choices),
            message({"Title", "Text", "Detail"}),
            grants(some_grants()),
            grants({"/a", "c", "ada", {}, ""})};
}

TEST(Pages, AreWholeAndLabelled) {
    for (const Page& page : all_pages()) {
        EXPECT_TRUE(balanced(page.html)) << page.html;
        EXPECT_TRUE(labelled(page.html)) << page.html;
        EXPECT_TRUE(page.html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
        EXPECT_EQ(matches(page.html, "<(title)>").size(), 1U);
        EXPECT_EQ(matches(page.html, "<(h1)>").size(), 1U);
        EXPECT_TRUE(page.script_hash.empty());
        EXPECT_FALSE(has(page.html, "<script"));
        EXPECT_FALSE(has(page.html, " style=")) << "the policy forbids it";
    }
    EXPECT_FALSE(balanced("<p><b></p></b>"));
    EXPECT_FALSE(balanced("<p>"));
    EXPECT_FALSE(labelled("<input type=\"text\" id=\"a\">"));
}

TEST(Pages, CannotBeFramedCachedOrChanged) {
    const auto response = page_response(403, sign_in(a_sign_in()), "");
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(header(response, "X-Frame-Options"), "DENY");
    EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header(response, "Referrer-Policy"), "same-origin");
    EXPECT_EQ(header(response, "Cache-Control"), "no-store");
    EXPECT_EQ(header(response, "Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_TRUE(has(header(response, "Permissions-Policy"), "camera=()"));
    const auto style = matches(response.body, "<style>([^<]*)</style>");
    ASSERT_EQ(style.size(), 1U);
    EXPECT_EQ(header(response, "Content-Security-Policy"),
              "default-src 'none'; style-src 'sha256-" +
                  base64_encode(sha256(style[0]), Alphabet::standard) +
                  "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    EXPECT_TRUE(has(header(page_response(200, {"", "sha256-abc="}, ""), "Content-Security-Policy"),
                    "; script-src 'sha256-abc=';"));
}

// Chromium looks at where the answer to a form leads.
TEST(Pages, AFormLeadsHereAndBackToTheClientOnly) {
    for (const auto& [uri, source] : std::vector<std::pair<std::string, std::string>>{
             {"https://claude.example", " https://claude.example;"},
             {"https://claude.example/cb?a=b;c", " https://claude.example;"},
             {"https://claude.example?x", " https://claude.example;"},
             {"http://127.0.0.1:4711/cb", " http://127.0.0.1:4711;"},
             {"http://localhost:4711", " http://localhost:4711;"},
             {"http://[::1]:4711/cb", " http:;"},
             {"com.example.app:/cb", " com.example.app:;"},
             {"cursor://anysphere.cursor-mcp/oauth/callback", " cursor:;"},
             {"", ";"},
             {"claude.example", ";"},
             {"https:", ";"},
             {"https:///cb", ";"},
             {"https://a.example; script-src *", ";"},
             {"https://*", ";"},
             {"https://a.example,b/", ";"},
             {"https://user@a.example/", ";"},
             {"a;b:c", ";"},
             {"*:", ";"},
             {"'unsafe-inline':", ";"}}) {
        EXPECT_TRUE(has(policy_for(uri), "form-action 'self'" + source + " frame-ancestors"))
            << uri << ": " << policy_for(uri);
    }
}

TEST(Pages, WhatComesFromOutsideIsEscaped) {
    const std::string evil = "\"'><script>alert(1)</script>&lt;\xE2\x80\xAEgpj\x01\xFF\xE2\x80";
    Consent asked = a_consent();
    for (std::string* text :
         {&asked.action, &asked.request_id, &asked.csrf, &asked.person, &asked.org,
          &asked.client_name, &asked.client_uri, &asked.client_id, &asked.redirect_host,
          &asked.redirect_uri, &asked.orgs[0].first, &asked.orgs[0].second, &asked.error,
          &asked.levels[0].value, &asked.levels[0].title, &asked.levels[0].text,
          &asked.actions[0].value, &asked.sources[0].title, &asked.objects[0].text}) {
        *text += evil;
    }
    std::vector<Page> pages{consent(asked)};
    asked.redirect_uri = evil + ":" + evil;
    pages.push_back(consent(asked));
    pages.push_back(sign_in({evil, evil, evil, evil, evil, evil}));
    pages.push_back(message({evil, evil, evil}));
    pages.push_back(onward({evil, evil}));
    pages.push_back(grants({evil, evil, evil, {{evil, evil, evil, evil, evil, evil}}, evil}));
    for (const Page& page : pages) {
        EXPECT_TRUE(balanced(page.html)) << page.html;
        EXPECT_TRUE(has(page.html,
                        "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;"
                        "\xEF\xBF\xBDgpj\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
        EXPECT_FALSE(has(page.html, "<script"));
        EXPECT_FALSE(has(page.html, "\xE2\x80\xAE")) << "turns the reading direction";
        EXPECT_FALSE(has(page.html, "\x01"));
        EXPECT_FALSE(has(page.html, "\xFF"));
    }
    EXPECT_TRUE(has(message({"Zürich, 東京 🙂", "", ""}).html, "Zürich, 東京 🙂"));
}

TEST(SignInPage, AsksForLoginAndPassword) {
    const auto page = sign_in({"/oauth/sign_in", "req_1", "csrf_1", "Claude", "", ""}).html;
    EXPECT_TRUE(has(page, R"(<form method="post" action="/oauth/sign_in">)"));
    EXPECT_TRUE(has(page, R"(<input type="hidden" name="request" value="req_1">)"));
    EXPECT_TRUE(has(page, R"(<input type="hidden" name="csrf" value="csrf_1">)"));
    EXPECT_TRUE(has(page, R"(name="login" required type="text" value="" autocomplete="username")"));
    EXPECT_TRUE(has(page, R"(type="password" autocomplete="current-password">)"));
    EXPECT_TRUE(has(page, "<bdi>Claude</bdi>"));
    EXPECT_FALSE(has(page, "role=\"alert\""));
    EXPECT_FALSE(has(sign_in({"/a", "r", "c", "", "", ""}).html, "asks for access"));
}

TEST(SignInPage, SaysWhatWasWrongAndGoesOnWithThePassword) {
    const auto page = sign_in(a_sign_in()).html;
    EXPECT_TRUE(has(page, "<title>Error: "));
    EXPECT_TRUE(has(page, R"(role="alert" id="error"><strong>Error:</strong> It is wrong.<)"));
    EXPECT_TRUE(has(page, R"(value="ada@example.com")"));
    EXPECT_EQ(matches(page, R"re((aria-describedby="error" aria-invalid="true"))re").size(), 2U);
    EXPECT_EQ(matches(page, R"re(id="([a-z]+)"[^>]* autofocus)re"),
              std::vector<std::string>{"password"});
}

TEST(ConsentPage, SaysWhoAsksAndWhereItLeads) {
    Consent asked = a_consent();
    auto page = consent(asked).html;
    EXPECT_TRUE(has(page, "<bdi>Claude</bdi>"));
    EXPECT_TRUE(has(page, "https://claude.example/<"));
    EXPECT_TRUE(has(page, "<code>cl_1</code>"));
    EXPECT_TRUE(has(page, "<strong>claude.example</strong>"));
    EXPECT_TRUE(has(page, "<code>https://claude.example/callback</code>"));
    EXPECT_TRUE(has(page, "<bdi>ada@example.com</bdi>"));
    EXPECT_FALSE(has(page, "nobody here vouches"));
    asked.self_described = true;
    EXPECT_TRUE(has(consent(asked).html, "nobody here vouches"));
    asked.loopback = true;
    asked.redirect_host = "127.0.0.1:4711";
    EXPECT_TRUE(
        has(consent(asked).html, "<strong>a program on your computer</strong> (127.0.0.1:4711)"));
    asked.loopback = false;
    asked.redirect_uri = "com.example.app:/cb";
    EXPECT_TRUE(has(consent(asked).html, "opens <code>com.example.app:</code> links"));
    asked.client_name.clear();
    EXPECT_TRUE(has(consent(asked).html, "<h1>Give <bdi>cl_1</bdi> access?</h1>"));
}

TEST(ConsentPage, OffersWhatCanBeChosen) {
    const auto page = consent(a_consent()).html;
    EXPECT_TRUE(has(page, R"(name="level" value="mcp:read" checked>)"));
    EXPECT_TRUE(has(page, R"(name="level" value="mcp:write">)"));
    EXPECT_TRUE(has(page, R"(name="level" value="mcp:admin" disabled>)"))
        << "what cannot be chosen is not ticked either";
    EXPECT_TRUE(has(page, R"(id="level-3-text">Your role does not permit it.<)"));
    EXPECT_TRUE(has(page, R"(name="action" value="action:mail" checked>)"));
    EXPECT_TRUE(has(page, R"(name="source" value="source:b">)"));
    EXPECT_TRUE(has(page, R"(name="object" value="object:note" checked>)"));
    EXPECT_EQ(matches(page, "<(fieldset)>").size(), 4U);
    EXPECT_EQ(matches(page, "<(legend)>").size(), 4U);
    EXPECT_TRUE(has(page, R"(role="alert" id="error"><strong>Error:</strong> Choose)"));
    EXPECT_EQ(matches(page, R"re(name="decision" value="([a-z]+)")re"),
              (std::vector<std::string>{"org", "deny", "allow"}));
}

TEST(ConsentPage, OffersAllOfThemWhereThatIsPossible) {
    Consent asked = a_consent();
    asked.objects_all = false;
    asked.sources.push_back({"source:c", "C", "", false, false});
    auto page = consent(asked).html;
    EXPECT_TRUE(has(page, R"(name="actions_all" value="on" checked>)"));
    EXPECT_TRUE(has(page, R"(name="sources_all" value="on">)")) << "one of them is not ticked";
    EXPECT_FALSE(has(page, "objects_all"));
    EXPECT_FALSE(has(page, "levels_all"));
    asked.sources[1].ticked = true;
    EXPECT_TRUE(has(consent(asked).html, R"(name="sources_all" value="on" checked>)"))
        << "all that can be are ticked";
    for (Choice& choice : asked.sources) {
        choice.can = false;
    }
    EXPECT_TRUE(has(consent(asked).html, R"(name="sources_all" value="on">)"));
}

TEST(ConsentPage, LeavesOutGroupsWithoutChoices) {
    Consent asked = a_consent();
    asked.actions.clear();
    asked.sources.clear();
    asked.objects.clear();
    const auto page = consent(asked).html;
    EXPECT_EQ(matches(page, "<(fieldset)>").size(), 1U);
    EXPECT_FALSE(has(page, "_all"));
}

TEST(ConsentPage, AsksForTheOrganisationIfThereAreSeveral) {
    Consent asked = a_consent();
    asked.org = "red";
    auto page = consent(asked).html;
    EXPECT_TRUE(has(page, R"(<select id="org" name="org")"));
    EXPECT_TRUE(has(page, R"(<option value="blue">Blue Inc.</option>)"));
    EXPECT_TRUE(has(page, R"(<option value="red" selected>Red Inc.</option>)"));
    asked.orgs.pop_back();
    page = consent(asked).html;
    EXPECT_TRUE(has(page, R"(<input type="hidden" name="org" value="blue">)"));
    EXPECT_TRUE(has(page, "<bdi>Blue Inc.</bdi>"));
    EXPECT_FALSE(has(page, R"(value="org")"));
    asked.orgs.clear();
    EXPECT_TRUE(has(consent(asked).html, R"(<input type="hidden" name="org" value="red">)"));
}

TEST(ConsentPage, EnterDecidesNothing) {
    const auto page = consent(a_consent()).html;
    const auto first = page.find("<button");
    EXPECT_TRUE(
        page.substr(first, 60).starts_with(R"(<button type="submit" formmethod="dialog" hidden>)"));
    EXPECT_LT(page.find("<form"), first);
}

TEST(OnwardPage, LeadsToTheClient) {
    const auto page = onward({"https://claude.example/callback?code=1&state=2", "Claude"}).html;
    EXPECT_TRUE(has(page, R"(<meta http-equiv="refresh" content="0; url=https://claude.example)"
                          R"(/callback?code=1&amp;state=2">)"));
    EXPECT_TRUE(has(page, R"(<a href="https://claude.example/callback?code=1&amp;state=2">)"));
}

TEST(GrantsPage, ListsWhatCanBeEnded) {
    const auto page = grants(some_grants()).html;
    EXPECT_EQ(matches(page, R"re(name="grant" value="([^"]*)")re"),
              (std::vector<std::string>{"gr_1", "gr_2"}));
    EXPECT_EQ(matches(page, R"re(name="csrf" value="([^"]*)")re").size(), 3U);
    EXPECT_TRUE(has(page, R"(action="/oauth/sign-out">)"));
    EXPECT_FALSE(has(grants({"/a", "c", "ada", {}, ""}).html, "Sign out"));
    EXPECT_TRUE(has(page, "<code>mcp:read</code> <code>action:crm</code>"));
    EXPECT_TRUE(has(page, "<dd>never</dd>"));
    EXPECT_TRUE(has(page, "End this access<span class=\"unseen\"> of Cursor in red</span>"));
    EXPECT_TRUE(has(grants({"/a", "c", "ada", {}, ""}).html, "None at the moment"));
}

}  // namespace
}  // namespace pb::oauth::pages
