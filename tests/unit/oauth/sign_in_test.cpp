// SPDX-License-Identifier: Apache-2.0
// Signing in and out, and a person's own grants.
#include "world.h"

namespace pb::oauth::testing {
namespace {

class SignIn : public OAuthTest {
  protected:
    // The browser keeps what it is given.
    void keep_cookie(const Answer& answer) {
        const auto cookie = answer.header("Set-Cookie");
        if (cookie.empty()) return;
        const auto from = cookie.find('=') + 1;
        cookie_ = cookie.substr(from, cookie.find(';') - from);
    }
    FormParams form(const std::string& login, const std::string& password,
                    const std::string& at = {}) {
        const auto page = get(at.empty() ? authorize_url() : at);
        keep_cookie(page);
        return {{"request", page.field("request")},
                {"csrf", page.field("csrf")},
                {"login", login},
                {"password", password}};
    }
    static constexpr const char* password = "correct horse battery";
};

TEST_F(SignIn, GoesOnToConsent) {
    const auto asked = form("ANN@example.com", password);
    const auto before = cookie_;
    const auto answer = post("/oauth/sign-in", asked);
    ASSERT_EQ(answer.status, 303) << answer.body;
    keep_cookie(answer);
    EXPECT_NE(cookie_, before) << "a secret from before is of no use afterwards";
    const auto page = get(answer.header("Location"));
    EXPECT_TRUE(page.shows("/oauth/consent")) << page.body;
    const auto done = post("/oauth/consent", allowing(form_of(page)));
    EXPECT_EQ(done.status, 200);
    EXPECT_EQ(done.sent("state"), "st&te");
    EXPECT_EQ(post("/oauth/token", redemption(done.sent("code"))).status, 200);
    const auto seen = trail_.of("oauth.sign_in");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].principal, ann_.id);
    EXPECT_EQ(seen[0].org, "acme");
    EXPECT_EQ(seen[0].outcome, "ok");
}

TEST_F(SignIn, WhoIsAskedToSignInAnewIsAskedOnce) {
    sign_in_as(ann_);
    const auto old = cookie_;
    const auto answer = post("/oauth/sign-in", form("ann@example.com", password,
                                                    authorize_url({{"prompt", "login consent"}})));
    ASSERT_EQ(answer.status, 303) << answer.body;
    keep_cookie(answer);
    EXPECT_NE(cookie_, old);
    EXPECT_TRUE(get(answer.header("Location")).shows("/oauth/consent"));
    EXPECT_FALSE(must(access_->people.browser(old)));
}

TEST_F(SignIn, WrongOnesAreAllAlike) {
    for (const auto& [login, word] :
         {std::pair{"ann@example.com", "wrong"}, std::pair{"nobody@example.com", "wrong"},
          std::pair{"hunter2-secret", password}}) {
        const auto answer = post("/oauth/sign-in", form(login, word));
        EXPECT_EQ(answer.status, 403);
        EXPECT_TRUE(answer.shows("The login or the password is wrong."));
        EXPECT_EQ(answer.leads_to(), "");
        EXPECT_FALSE(answer.shows("wrong\" autocomplete=\"current-password"));
    }
    // An organisation keeps one who is not disabled.
    const auto bea = must(access_->people.add("bea", "", "another long password"));
    must(access_->people.join("acme", bea.id, access::Role::owner));
    must(access_->people.disable(ann_.id, true));
    EXPECT_EQ(post("/oauth/sign-in", form("ann@example.com", password)).status, 403);
    const auto seen = trail_.of("oauth.sign_in");
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0].principal, ann_.id);
    EXPECT_EQ(seen[1].principal, "");
    EXPECT_EQ(seen[0].outcome, "denied");
    EXPECT_EQ(seen[0].address, "192.0.2.7");
    EXPECT_EQ(trail_.text().find("hunter2"), std::string::npos)
        << "people type passwords into the wrong field";
}

TEST_F(SignIn, IsDoneOnOurOwnPageAlone) {
    const auto right = form("ann@example.com", password);
    EXPECT_EQ(post("/oauth/sign-in", right, {{"Origin", "https://evil.example"}}).status, 403);
    EXPECT_EQ(post("/oauth/sign-in", right, {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
    for (const char* token : {"-", "x", "1.x"})
        EXPECT_EQ(post("/oauth/sign-in", with(right, "csrf", token)).status, 403);
    // A form that was made for another browser, or for something else.
    const auto kept = cookie_;
    cookie_ = std::string(43, 'x');
    EXPECT_EQ(post("/oauth/sign-in", right).status, 403);
    cookie_.clear();
    EXPECT_EQ(post("/oauth/sign-in", right).status, 403);
    cookie_ = kept;
    EXPECT_EQ(post("/oauth/sign-in", with(right, "request", "")).status, 403);
    EXPECT_TRUE(trail_.of("oauth.sign_in").empty());
    EXPECT_EQ(post("/oauth/sign-in", right).status, 303);
}

TEST_F(SignIn, LeadsNowhereElse) {
    const auto mine = form("ann@example.com", password, "/oauth/grants");
    for (const char* to : {"https://evil.example", "//evil.example", "\r\nSet-Cookie: a=b",
                           "client_id=x&redirect_uri=https://evil.example"}) {
        const auto answer = post("/oauth/sign-in", with(mine, "request", to));
        EXPECT_EQ(answer.status, 400) << to;
        EXPECT_EQ(answer.leads_to(), "");
    }
    const auto answer = post("/oauth/sign-in", mine);
    EXPECT_EQ(answer.header("Location"), "/oauth/grants");
}

TEST_F(SignIn, IsLimitedForEachAddressAndEachLogin) {
    auto few = options();
    few.sign_in = {1, 3};
    serve(few);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(post("/oauth/sign-in", form("ann@example.com", "wrong")).status, 403);
    const auto right = form("ann@example.com", password);
    auto answer = post("/oauth/sign-in", right);
    EXPECT_EQ(answer.status, 429);
    EXPECT_NE(answer.header("Retry-After"), "");
    // From another address, for the same login.
    peer_ = "192.0.2.8";
    answer = post("/oauth/sign-in", right);
    EXPECT_EQ(answer.status, 429);
    EXPECT_NE(answer.header("Retry-After"), "");
    EXPECT_EQ(trail_.of("oauth.sign_in").back().outcome, "limited");
    EXPECT_EQ(post("/oauth/sign-in", form("bob", "wrong")).status, 403);
    // An IPv6 network is one address.
    for (int i = 0; i < 3; ++i) {
        peer_ = "2001:db8::" + std::to_string(i + 1);
        EXPECT_EQ(post("/oauth/sign-in", form("u" + std::to_string(i), "x")).status, 403);
    }
    peer_ = "2001:db8::99";
    EXPECT_EQ(post("/oauth/sign-in", form("u9", "x")).status, 429);
    peer_ = "2001:db8:0:1::99";
    EXPECT_EQ(post("/oauth/sign-in", form("u9", "x")).status, 403);
}

TEST_F(SignIn, APersonEndsTheirOwnGrants) {
    const auto got = tokens();
    const auto page = get("/oauth/grants");
    ASSERT_EQ(page.status, 200);
    EXPECT_TRUE(page.shows("Some Client"));
    EXPECT_TRUE(page.shows("action=\"/oauth/sign-out\""));
    EXPECT_TRUE(page.shows("mcp:write"));
    const FormParams end{{"csrf", page.field("csrf")}, {"grant", page.field("grant")}};
    EXPECT_EQ(post("/oauth/grants/revoke", with(end, "csrf", "x")).status, 403);
    EXPECT_EQ(post("/oauth/grants/revoke", end, {{"Origin", "https://evil.example"}}).status, 403);
    EXPECT_EQ(post("/oauth/grants/revoke", with(end, "grant", "grt_x")).status, 404);
    // Another person's are not there.
    const auto anns = cookie_;
    const auto bob = must(access_->people.add("bob", "", "another long password"));
    sign_in_as(bob);
    const auto bobs = get("/oauth/grants");
    EXPECT_FALSE(bobs.shows("Some Client"));
    EXPECT_EQ(post("/oauth/grants/revoke", end).status, 403);
    EXPECT_EQ(post("/oauth/grants/revoke", with(end, "csrf", bobs.field("csrf"))).status, 404);
    cookie_ = anns;
    EXPECT_TRUE(works(got.at("access_token")));
    const auto done = post("/oauth/grants/revoke", end);
    EXPECT_EQ(done.status, 303);
    EXPECT_EQ(done.header("Location"), "/oauth/grants");
    EXPECT_FALSE(works(got.at("access_token")));
    EXPECT_EQ(post("/oauth/token", refreshing(got.at("refresh_token"))).error(), "invalid_grant");
    ASSERT_EQ(trail_.of("oauth.revoke").size(), 1U);
    EXPECT_EQ(trail_.of("oauth.revoke")[0].credential, end[1].second);
    // Signing out ends the browser, not the grants.
    const auto kept = tokens();
    EXPECT_EQ(post("/oauth/sign-out", with(end, "csrf", "x")).status, 403);
    const auto out = post("/oauth/sign-out", {{"csrf", end[0].second}});
    EXPECT_EQ(out.status, 200);
    EXPECT_NE(out.header("Set-Cookie").find("Max-Age=0"), std::string::npos);
    EXPECT_FALSE(must(access_->people.browser(anns)));
    EXPECT_TRUE(get("/oauth/grants").shows("/oauth/sign-in"));
    EXPECT_TRUE(works(kept.at("access_token")));
}

}  // namespace
}  // namespace pb::oauth::testing
