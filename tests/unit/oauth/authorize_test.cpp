// SPDX-License-Identifier: Apache-2.0
// What is tried against the authorization endpoint: nobody is sent anywhere but back to the client,
// and the client hears what was wrong, from whom.
#include "world.h"

namespace pb::oauth::testing {
namespace {

class Authorize : public OAuthTest {
  protected:
    static void goes_nowhere(const Answer& answer, int status = 400) {
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.leads_to(), "");
        EXPECT_EQ(answer.type, "text/html; charset=utf-8");
        is_framed_by_nobody(answer);
    }
    static void is_framed_by_nobody(const Answer& answer) {
        const auto policy = answer.header("Content-Security-Policy");
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
        EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
        EXPECT_EQ(answer.header("X-Frame-Options"), "DENY");
        EXPECT_EQ(answer.header("Cache-Control"), "no-store");
        EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "");
    }
    static void comes_back(const Answer& answer, const std::string& error,
                           const std::string& to = callback) {
        EXPECT_EQ(answer.status, 302) << answer.body;
        EXPECT_TRUE(answer.header("Location").starts_with(to + "?")) << answer.header("Location");
        EXPECT_EQ(answer.sent("error"), error) << answer.header("Location");
        EXPECT_NE(answer.sent("error_description"), "");
        EXPECT_EQ(answer.sent("state"), "st&te");
        EXPECT_EQ(answer.sent("iss"), "http://127.0.0.1:8080");
        EXPECT_EQ(answer.sent("code"), "");
        EXPECT_EQ(answer.header("Referrer-Policy"), "no-referrer");
    }
};

TEST_F(Authorize, ClientsAreSentBackNowhereElse) {
    client_ = register_client({{"redirect_uris",
                                {callback, "https://app.example/cb", "https://app.example/cb?x=1",
                                 "com.example.app:/cb"}}})
                  .at("client_id");
    sign_in_as(ann_);
    for (const char* uri : {"https://app.example/cb/",
                            "https://app.example/cb/../x",
                            "https://app.example/cbx",
                            "https://app.example/cb#fragment",
                            "https://user@app.example/cb",
                            "https://app.example@evil.example/cb",
                            "https://app.example:8443/cb",
                            "https://APP.example/cb",
                            "HTTPS://app.example/cb",
                            "https://app.example/CB",
                            "https://app.example/cb?x=2",
                            "https://app.example/cb?x=1&y=2",
                            "https://app.example.evil.example/cb",
                            "https://evil.example/cb",
                            "http://app.example/cb",
                            "//app.example/cb",
                            "/cb",
                            "javascript:alert(1)",
                            "http://127.0.0.1:4000/callback/",
                            "http://127.0.0.1:4000/callback#x",
                            "http://127.0.0.1:4000@evil.example/callback",
                            "http://localhost:4000/callback",
                            "http://127.0.0.1.evil.example:4000/callback",
                            "https://127.0.0.1:4000/callback",
                            "com.example.app:/other",
                            "com.example.app://cb",
                            "com.example.APP:/cb",
                            "-"})
        goes_nowhere(get(authorize_url({{"redirect_uri", uri}})));
    for (const char* uri :
         {"http://127.0.0.1:5555/callback", "http://127.0.0.1/callback", "https://app.example/cb",
          "https://app.example/cb?x=1", "com.example.app:/cb"})
        EXPECT_EQ(get(authorize_url({{"redirect_uri", uri}})).status, 200) << uri;
    // What is wrong besides goes to the client's own place, and keeps its query.
    comes_back(get(authorize_url({{"redirect_uri", "https://app.example/cb"}, {"scope", "x"}})),
               "invalid_scope", "https://app.example/cb");
    const auto kept =
        get(authorize_url({{"redirect_uri", "https://app.example/cb?x=1"}, {"scope", "x"}}));
    EXPECT_TRUE(kept.header("Location").starts_with("https://app.example/cb?x=1&error="));
}

TEST_F(Authorize, UnknownClientsAreSentNowhere) {
    for (const char* id : {"-", "cli_unknown", "' OR 1=1 --", "<script>", "http://app.example/x"})
        goes_nowhere(get(authorize_url({{"client_id", id}})));
    access::OAuthClient robot;
    robot.name = "robot";
    robot.org = "acme";
    robot.auth_method = "client_secret_post";
    robot.redirect_uris = {callback};
    robot.scopes = access::Scopes::everything();
    const auto machine = must(access_->clients.add(robot));
    goes_nowhere(get(authorize_url({{"client_id", machine.client.id}})));
    goes_nowhere(get(authorize_url() + "&client_id=" + client()));
    goes_nowhere(get(authorize_url() + "&redirect_uri=" + percent_encode(callback)));
    goes_nowhere(get("/oauth/authorize"));
    goes_nowhere(get(authorize_url() + "&x=%zz"));
    goes_nowhere(get(authorize_url() + "&x=" + std::string(9000, 'x')));
}

TEST_F(Authorize, WhatIsWrongIsToldToTheClient) {
    sign_in_as(ann_);
    const struct {
        const char *name, *value, *error;
    } wrong[] = {
        {"response_type", "-", "invalid_request"},
        {"response_type", "token", "unsupported_response_type"},
        {"response_type", "code id_token", "unsupported_response_type"},
        {"response_mode", "fragment", "invalid_request"},
        {"response_mode", "form_post", "invalid_request"},
        {"code_challenge", "-", "invalid_request"},
        {"code_challenge", "short", "invalid_request"},
        {"code_challenge", "++++++++++++++++++++++++++++++++++++++++++=", "invalid_request"},
        {"code_challenge_method", "-", "invalid_request"},
        {"code_challenge_method", "plain", "invalid_request"},
        {"code_challenge_method", "s256", "invalid_request"},
        {"scope", "mcp:read everything", "invalid_scope"},
        {"scope", "mcp:read \"x\"", "invalid_scope"},
        {"resource", "https://evil.example/mcp", "invalid_target"},
        {"resource", "http://127.0.0.1:8080/mcp/x", "invalid_target"},
        {"resource", "http://127.0.0.1:8080/mcp#x", "invalid_target"},
        {"prompt", "none", "consent_required"},
        {"prompt", "none login", "invalid_request"},
        {"request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"},
        {"request_uri", "https://evil.example/request", "request_uri_not_supported"},
    };
    for (const auto& each : wrong) {
        SCOPED_TRACE(std::string(each.name) + "=" + each.value);
        comes_back(get(authorize_url({{each.name, each.value}})), each.error);
    }
    for (const char* twice : {"scope=mcp:read", "code_challenge=x", "state=y", "nonce=a&nonce=b"})
        comes_back(get(authorize_url() + "&" + twice), "invalid_request");
    comes_back(get(authorize_url() + "&resource=https://evil.example/mcp"), "invalid_target");
    comes_back(get(authorize_url({{"nonce", std::string(600, 'n')}})), "invalid_request");
    const auto long_state = get(authorize_url({{"state", std::string(5000, 's')}}));
    EXPECT_EQ(long_state.sent("error"), "invalid_request");
    EXPECT_EQ(long_state.sent("state"), "");
    cookie_.clear();
    comes_back(get(authorize_url({{"prompt", "none"}})), "login_required");
}

// Anybody can register a place out in the web: this host does not lend its name to send people
// there before they have signed in.
TEST_F(Authorize, NobodyIsSentOutIntoTheWebUnasked) {
    client_ = register_client({{"redirect_uris",
                                {callback, "https://evil.example/cb", "cursor://evil.example/cb"}}})
                  .at("client_id");
    const FormParams lures[] = {{{"scope", "x"}}, {{"prompt", "none"}}, {{"response_type", "x"}}};
    for (const auto& [uri, shown] : {std::pair{"https://evil.example/cb", "at evil.example,"},
                                     std::pair{"cursor://evil.example/cb", "at cursor:,"}}) {
        for (auto lure : lures) {
            lure.emplace_back("redirect_uri", uri);
            const auto answer = get(authorize_url(lure));
            goes_nowhere(answer);
            EXPECT_TRUE(answer.shows(shown)) << answer.body;
        }
    }
    comes_back(get(authorize_url({{"scope", "x"}})), "invalid_scope");
    sign_in_as(ann_);
    comes_back(get(authorize_url({{"scope", "x"}, {"redirect_uri", "cursor://evil.example/cb"}})),
               "invalid_scope", "cursor://evil.example/cb");
}

TEST_F(Authorize, WhatClientsSayBesidesIsTaken) {
    sign_in_as(ann_);
    const std::pair<const char*, const char*> fine[] = {
        {"scope", "-"},
        {"scope", "openid offline_access profile email mcp:read"},
        {"resource", "-"},
        {"resource", "HTTP://127.0.0.1:8080/mcp"},
        {"resource", "http://127.0.0.1:8080/mcp/"},
        {"resource", "http://127.0.0.1:8080"},
        {"redirect_uri", "-"},  // it has only one
        {"state", "-"},
        {"response_mode", "query"},
        {"prompt", "consent"},
        {"max_age", "0"},
        {"nonce", "n"},
        {"unheard_of", "x"}};
    for (const auto& [name, value] : fine)
        EXPECT_EQ(get(authorize_url({{name, value}})).status, 200) << name << "=" << value;
}

TEST_F(Authorize, APersonSignsInFirst) {
    const auto page = get(authorize_url());
    ASSERT_EQ(page.status, 200);
    is_framed_by_nobody(page);
    EXPECT_TRUE(page.shows("action=\"/oauth/sign-in\""));
    EXPECT_TRUE(page.shows("Some Client"));
    EXPECT_EQ(page.header("Referrer-Policy"), "same-origin");
    const auto cookie = page.header("Set-Cookie");
    EXPECT_TRUE(cookie.starts_with("patchbay="));
    EXPECT_NE(cookie.find("; HttpOnly"), std::string::npos);
    EXPECT_NE(cookie.find("; SameSite=Lax"), std::string::npos);
    EXPECT_NE(cookie.find("; Path=/"), std::string::npos);
    sign_in_as(ann_);
    const auto consent = get(authorize_url());
    EXPECT_TRUE(consent.shows("action=\"/oauth/consent\""));
    EXPECT_EQ(consent.header("Set-Cookie"), "");
    is_framed_by_nobody(consent);
    EXPECT_TRUE(get(authorize_url({{"prompt", "login"}})).shows("/oauth/sign-in"));
}

TEST_F(Authorize, UnderTlsTheCookieIsTheHostsAlone) {
    secure_ = true;
    const auto page = get(authorize_url({{"resource", "-"}}));
    const auto cookie = page.header("Set-Cookie");
    EXPECT_TRUE(cookie.starts_with("__Host-patchbay=")) << cookie;
    EXPECT_NE(cookie.find("; Secure"), std::string::npos);
}

// In a mix-up somebody else's server hands its clients to this one: they see by whom they are
// answered, whatever the answer is.
TEST_F(Authorize, EachAnswerNamesItsIssuer) {
    auto public_ones = options();
    public_ones.public_url = "https://mcp.example.com/base/";
    serve(public_ones);
    const FormParams no_resource{{"resource", "-"}};
    EXPECT_EQ(get(authorize_url({{"resource", "-"}, {"scope", "x"}})).sent("iss"),
              "https://mcp.example.com/base");
    cookie_ = must(access_->people.open_browser(ann_.id, 60'000));
    const http::HeaderList cookie{{"Cookie", "__Host-patchbay=" + cookie_}};
    cookie_.clear();
    const auto page = get(authorize_url(no_resource), cookie);
    EXPECT_TRUE(page.shows("action=\"/base/oauth/consent\""));
    for (const char* decision : {"allow", "deny"}) {
        auto form = form_of(page);
        form.emplace_back("decision", decision);
        const auto answer = post("/oauth/consent", form, cookie);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.sent("iss"), "https://mcp.example.com/base");
        EXPECT_EQ(answer.sent("state"), "st&te");
        EXPECT_EQ(answer.sent("error"), std::string(decision) == "deny" ? "access_denied" : "");
    }
}

}  // namespace
}  // namespace pb::oauth::testing
