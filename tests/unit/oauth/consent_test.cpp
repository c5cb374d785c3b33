// SPDX-License-Identifier: Apache-2.0
// Consent: what is not ticked is not granted, nobody grants more than they may, and nobody but the
// person, on our own page, grants anything.
#include "oauth/browser.h"
#include "world.h"

namespace pb::oauth::testing {
namespace {

class Consent : public OAuthTest {
  protected:
    Consent() { sign_in_as(ann_); }

    access::Scopes granted(const std::string& code) {
        return must(access_->grants.redeem_code(code, client())).grant.scopes;
    }
    std::size_t grants() { return must(access_->grants.of_org("acme")).size(); }
    access::Person member(const std::string& login) {
        const auto out = must(access_->people.add(login, "", "another long password"));
        must(access_->people.join("acme", out.id, access::Role::member));
        return out;
    }
};

TEST_F(Consent, GrantsWhatIsTicked) {
    choices_["acme"].sources = {{"crm", "CRM", ""}};
    choices_["acme"].objects = {{"deal", "Deals", ""}, {"contact", "Contacts", ""}};
    const struct {
        FormParams ticks;
        const char* scopes;
    } cases[] = {
        {{{"level", "mcp:read"},
          {"actions_all", "on"},
          {"sources_all", "on"},
          {"objects_all", "on"}},
         "mcp:read"},
        {{{"level", "mcp:read"},
          {"level", "mcp:write"},
          {"action", "action:weather"},
          {"source", "source:crm"},
          {"object", "object:deal"},
          {"object", "object:contact"}},
         "mcp:read mcp:write action:weather source:crm object:contact object:deal"},
        // What is not on offer does not count.
        {{{"level", "mcp:read"},
          {"level", "mcp:admin"},
          {"action", "action:files"},
          {"action", "action:secret"},
          {"sources_all", "on"},
          {"objects_all", "on"}},
         "mcp:read action:files"},
    };
    for (const auto& each : cases)
        EXPECT_EQ(granted(code({}, each.ticks)).text(), each.scopes);
    const auto seen = trail_.of("oauth.authorize");
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].org, "acme");
    EXPECT_EQ(seen[0].principal, ann_.id);
    EXPECT_EQ(seen[0].client, client());
    EXPECT_EQ(seen[0].reason, "granted: mcp:read");
}

TEST_F(Consent, NothingTickedIsNothingGranted) {
    for (const FormParams& ticks :
         {FormParams{}, FormParams{{"actions_all", "on"}}, FormParams{{"level", "mcp:read"}},
          FormParams{{"level", "mcp:admin"}, {"actions_all", "on"}},
          FormParams{{"level", "mcp:read"}, {"action", "action:other"}}}) {
        const auto page = get(authorize_url());
        const auto answer = post("/oauth/consent", allowing(form_of(page, ticks)));
        EXPECT_EQ(answer.status, 400);
        EXPECT_TRUE(answer.shows("Tick at least one"));
        EXPECT_EQ(answer.leads_to(), "");
    }
    EXPECT_EQ(grants(), 0U);
}

// Sources come and go, and the capability that knows them may be late.
TEST_F(Consent, WhatIsNoLongerThereIsNotReplacedByEverything) {
    for (const FormParams& ticks :
         {FormParams{{"source", "source:crm"}}, FormParams{{"sources_shown", "on"}}}) {
        choices_["acme"].sources = {{"crm", "CRM", ""}};
        const auto page = get(authorize_url());
        EXPECT_EQ(page.field("sources_shown"), "on");
        choices_["acme"].sources.clear();
        auto form = form_of(page);
        form.insert(form.end(), ticks.begin(), ticks.end());
        const auto answer = post("/oauth/consent", allowing(form));
        EXPECT_EQ(answer.status, 400);
        EXPECT_TRUE(answer.shows("have changed"));
    }
    EXPECT_EQ(grants(), 0U);
}

TEST_F(Consent, AdminIsNamedAndTicked) {
    EXPECT_FALSE(get(authorize_url()).shows("mcp:admin"));
    const auto page = get(authorize_url({{"scope", "mcp:read mcp:admin"}}));
    EXPECT_TRUE(page.shows("value=\"mcp:admin\">") || page.shows("value=\"mcp:admin\" "))
        << page.body;
    EXPECT_FALSE(page.shows("value=\"mcp:admin\" checked"));
    EXPECT_TRUE(page.shows("value=\"mcp:read\" checked"));
    EXPECT_EQ(granted(code({{"scope", "mcp:read mcp:admin"}},
                           {{"level", "mcp:admin"}, {"actions_all", "on"}}))
                  .text(),
              "mcp:admin");
}

TEST_F(Consent, NobodyGrantsMoreThanTheirRoleHas) {
    sign_in_as(member("bob"));
    const auto page = get(authorize_url({{"scope", "mcp:read mcp:admin"}}));
    EXPECT_TRUE(page.shows("value=\"mcp:admin\" disabled"));
    const FormParams ticks{{"level", "mcp:read"}, {"level", "mcp:admin"}, {"actions_all", "on"}};
    EXPECT_EQ(granted(code({{"scope", "mcp:read mcp:admin"}}, ticks)).text(), "mcp:read");
}

TEST_F(Consent, NobodyGrantsMoreThanIsAskedFor) {
    const auto narrow = granted(
        code({{"scope", "mcp:read action:weather action:later"}}, {{"level", "mcp:read"},
                                                                   {"level", "mcp:write"},
                                                                   {"actions_all", "on"},
                                                                   {"action", "action:files"}}));
    EXPECT_EQ(narrow.text(), "mcp:read action:later action:weather");
    const auto unnamed = granted(code({{"scope", "-"}}));
    EXPECT_EQ(unnamed.text(), "mcp:read mcp:write");
    client_ = register_client().at("client_id");
    EXPECT_EQ(granted(code({{"scope", "action:weather"}})).text(),
              "mcp:read mcp:write action:weather");
}

// A client gets what it names; an earlier grant is of use for the ticks alone.
TEST_F(Consent, AStepUpNamesWhatThereWasToo) {
    const auto first =
        tokens({{"scope", "mcp:read"}}, {{"level", "mcp:read"}, {"action", "action:weather"}});
    const auto alone = get(authorize_url({{"scope", "mcp:write"}}));
    EXPECT_FALSE(alone.shows("mcp:read"));
    EXPECT_TRUE(alone.shows("value=\"mcp:write\" checked"));
    EXPECT_TRUE(alone.shows("value=\"action:weather\" checked"));
    EXPECT_TRUE(alone.shows("value=\"action:files\"><")) << "not ticked before, not ticked now";
    const FormParams both{{"scope", "mcp:read mcp:write action:weather"}};
    const auto page = get(authorize_url(both));
    EXPECT_TRUE(page.shows("value=\"mcp:read\" checked"));
    EXPECT_TRUE(page.shows("value=\"mcp:write\" checked"));
    EXPECT_TRUE(page.shows("value=\"action:weather\" checked"));
    EXPECT_FALSE(page.shows("action:files"));
    const auto second =
        tokens(both, {{"level", "mcp:read"}, {"level", "mcp:write"}, {"action", "action:weather"}});
    EXPECT_EQ(second.at("scope"), "mcp:read mcp:write action:weather");
    EXPECT_TRUE(works(first.at("access_token")));
    // Another client has not been granted anything.
    client_ = register_client().at("client_id");
    EXPECT_TRUE(
        get(authorize_url({{"scope", "mcp:write"}})).shows("value=\"action:files\" checked"));
}

TEST_F(Consent, TheGravestLevelIsNamedEachTime) {
    const FormParams ticks{{"level", "mcp:read"}, {"level", "mcp:admin"}, {"actions_all", "on"}};
    EXPECT_EQ(tokens({{"scope", "mcp:read mcp:admin"}}, ticks).at("scope"), "mcp:read mcp:admin");
    EXPECT_FALSE(get(authorize_url({{"scope", "mcp:write"}})).shows("mcp:admin"));
    EXPECT_EQ(granted(code({{"scope", "mcp:read"}}, ticks)).text(), "mcp:read");
}

TEST_F(Consent, AFormIsGoodForAWhile) {
    const auto request = test::make_request("GET", {{"Cookie", "patchbay=" + cookie_}});
    const Place place{"http://127.0.0.1:8080", {}, {}, false};
    const auto browser = must(Browser::of(*request, place, access_->people));
    ASSERT_TRUE(browser.person());
    const auto token = browser.form_token("this", 1'000);
    EXPECT_TRUE(browser.is_form_token(token, "this", 1'000));
    EXPECT_TRUE(browser.is_form_token(token, "this", 999 + form_lasts));
    EXPECT_FALSE(browser.is_form_token(token, "this", 1'000 + form_lasts));
    EXPECT_FALSE(browser.is_form_token(token, "that", 1'000));
    const auto longer = "9" + token;
    EXPECT_FALSE(browser.is_form_token(longer, "this", 1'000)) << "nobody makes it last";
}

TEST_F(Consent, IsDenied) {
    auto form = form_of(get(authorize_url()));
    form.emplace_back("decision", "deny");
    const auto answer = post("/oauth/consent", form);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.leads_to().starts_with(callback));
    EXPECT_EQ(answer.sent("error"), "access_denied");
    EXPECT_EQ(answer.sent("state"), "st&te");
    EXPECT_EQ(grants(), 0U);
    const auto seen = trail_.of("oauth.authorize");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].outcome, "denied");
}

TEST_F(Consent, IsGivenOnOurOwnPageAlone) {
    const auto form = allowing(form_of(get(authorize_url())));
    const auto mallory = member("mallory");
    const auto anns = cookie_;
    sign_in_as(mallory);
    const auto foreign = form_of(get(authorize_url())).at(1).second;
    const auto other_request = form_of(get(authorize_url({{"state", "other"}}))).at(1).second;
    cookie_ = anns;
    const auto expired = "1." + foreign.substr(foreign.find('.') + 1);
    for (const auto& token :
         {std::string("-"), std::string("x"), foreign, other_request, expired, std::string(".")}) {
        const auto answer = post("/oauth/consent", with(form, "csrf", token));
        EXPECT_EQ(answer.status, 403) << token;
        EXPECT_EQ(answer.leads_to(), "");
    }
    // What is asked for cannot be exchanged under the person's eyes.
    auto changed = authorize_url({{"scope", "mcp:read mcp:write mcp:admin"}});
    changed = changed.substr(changed.find('?') + 1);
    EXPECT_EQ(post("/oauth/consent", with(form, "request", changed)).status, 403);
    const http::HeaderList foreigners[] = {{{"Origin", "https://evil.example"}},
                                           {{"Origin", "null"}},
                                           {{"Origin", "http://127.0.0.1:9999"}},
                                           {{"Sec-Fetch-Site", "cross-site"}},
                                           {{"Sec-Fetch-Site", "same-site"}}};
    for (const auto& headers : foreigners)
        EXPECT_EQ(post("/oauth/consent", form, headers).status, 403) << headers[0].second;
    EXPECT_EQ(
        send("POST", "/oauth/consent", {{"Content-Type", "text/plain"}}, form_encode(form)).status,
        400);
    EXPECT_EQ(get("/oauth/consent?" + form_encode(form)).status, 405);
    cookie_.clear();
    EXPECT_EQ(post("/oauth/consent", form).status, 403);
    EXPECT_EQ(grants(), 0U);
    cookie_ = anns;
    EXPECT_EQ(post("/oauth/consent", form,
                   {{"Origin", "http://127.0.0.1:8080"}, {"Sec-Fetch-Site", "same-origin"}})
                  .status,
              200);
    EXPECT_EQ(grants(), 1U);
}

TEST_F(Consent, TheFormIsReadStrictly) {
    auto form = allowing(form_of(get(authorize_url())));
    form.emplace_back("decision", "deny");
    EXPECT_EQ(post("/oauth/consent", form).status, 400);
    // A request that has become wrong is wrong here too.
    EXPECT_EQ(post("/oauth/consent", with(allowing(form_of(get(authorize_url()))), "request",
                                          "client_id=cli_x&redirect_uri=https://evil.example"))
                  .status,
              400);
    EXPECT_EQ(grants(), 0U);
}

TEST_F(Consent, IsGivenInOneOrganisation) {
    must(access_->people.join("beta", ann_.id, access::Role::member));
    must(access_->people.join("gone", ann_.id, access::Role::owner));
    choices_["beta"].namespaces = {{"notes", "Notes", ""}};
    const auto page = get(authorize_url());
    EXPECT_TRUE(page.shows("<option value=\"acme\" selected>"));
    EXPECT_TRUE(page.shows("<option value=\"beta\">"));
    EXPECT_FALSE(page.shows("gone"));
    auto form = FormParams{{"request", page.field("request")}, {"csrf", page.field("csrf")}};
    form.emplace_back("org", "beta");
    // Another organisation's choices are shown before anything is granted, whatever was pressed.
    for (const char* decision : {"org", "allow"}) {
        auto asked = form;
        asked.emplace_back("decision", decision);
        for (const auto& each : all_ticks())
            asked.push_back(each);
        const auto beta = post("/oauth/consent", asked);
        EXPECT_EQ(beta.status, 200);
        EXPECT_TRUE(beta.shows("action:notes"));
        EXPECT_FALSE(beta.shows("action:weather"));
        auto yes = FormParams{{"request", beta.field("request")},
                              {"csrf", beta.field("csrf")},
                              {"org", "beta"},
                              {"level", "mcp:read"},
                              {"action", "action:notes"}};
        const auto done = post("/oauth/consent", allowing(yes));
        ASSERT_EQ(done.status, 200);
        const auto grant = must(access_->grants.redeem_code(done.sent("code"), client())).grant;
        EXPECT_EQ(grant.org, "beta");
        EXPECT_EQ(grant.scopes.text(), "mcp:read action:notes");
    }
    EXPECT_EQ(grants(), 0U);
    EXPECT_FALSE(post("/oauth/consent", allowing(with(form, "org", "gone"))).shows("gone"));
}

TEST_F(Consent, WhoIsInNoOrganisationIsTold) {
    sign_in_as(must(access_->people.add("eve", "", "another long password")));
    const auto page = get(authorize_url());
    EXPECT_EQ(page.status, 403);
    EXPECT_TRUE(page.shows("no organisation"));
}

TEST_F(Consent, ShowsWhoAsksAndWhereItLeads) {
    client_ = register_client({{"client_name", "<b>Evil</b>"},
                               {"redirect_uris", {"https://app.example:8443/cb"}}})
                  .at("client_id");
    const auto page = get(authorize_url({{"redirect_uri", "https://app.example:8443/cb"}}));
    EXPECT_FALSE(page.shows("<b>Evil"));
    EXPECT_TRUE(page.shows("app.example:8443"));
    EXPECT_TRUE(page.shows("ann@example.com"));
    const auto policy = page.header("Content-Security-Policy");
    EXPECT_NE(policy.find("form-action 'self';"), std::string::npos);
}

}  // namespace
}  // namespace pb::oauth::testing
