// SPDX-License-Identifier: Apache-2.0
// What is tried against the token endpoint, and the error that its RFC has for it.
#include "world.h"

namespace pb::oauth::testing {
namespace {

class TokenAttacks : public OAuthTest {
  protected:
    void refused(const Answer& answer, const std::string& error, int status = 400) {
        EXPECT_EQ(answer.status, status) << answer.body;
        EXPECT_EQ(answer.error(), error);
        EXPECT_EQ(answer.header("Cache-Control"), "no-store");
        EXPECT_EQ(answer.header("Pragma"), "no-cache");
        EXPECT_FALSE(answer.json().contains("access_token"));
    }
};

TEST_F(TokenAttacks, TheRightRequestGetsTokens) {
    const auto answer = post("/oauth/token", redemption(code()));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.type, "application/json");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    EXPECT_EQ(answer.header("Pragma"), "no-cache");
    const auto got = answer.json();
    EXPECT_EQ(got.at("token_type"), "Bearer");
    EXPECT_EQ(got.at("expires_in"), 3600);
    EXPECT_EQ(got.at("scope"), "mcp:read mcp:write");
    EXPECT_FALSE(got.contains("id_token"));
    const auto access =
        must(access_->grants.find_access(got.at("access_token").get<std::string>()));
    ASSERT_TRUE(access);
    EXPECT_EQ(access->grant.person, ann_.id);
    EXPECT_EQ(access->grant.org, "acme");
    EXPECT_EQ(access->grant.client, client());
    EXPECT_EQ(access->grant.resource, "http://127.0.0.1:8080/mcp");
    const auto trail = trail_.text();
    for (const char* secret : {"access_token", "refresh_token"})
        EXPECT_EQ(trail.find(got.at(secret).get<std::string>()), std::string::npos);
}

// Each line changes one thing of the right request; the code is of no use afterwards if it has been
// shown with something that does not fit.
TEST_F(TokenAttacks, ACodeIsBoundToItsRequest) {
    const auto other = register_client().at("client_id").get<std::string>();
    const struct {
        const char *name, *value, *error;
        bool burnt;
    } attacks[] = {
        {"code_verifier", "abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDx", "invalid_grant", true},
        {"code_verifier", "-", "invalid_request", false},
        {"code_verifier", "too-short", "invalid_request", false},
        {"redirect_uri", "http://127.0.0.1:4001/callback", "invalid_grant", true},
        {"redirect_uri", "https://evil.example/callback", "invalid_grant", true},
        {"resource", "https://evil.example/mcp", "invalid_target", false},
        {"resource", "http://127.0.0.1:8080/mcp/other", "invalid_target", false},
        {"resource", "http://127.0.0.1:8080/mcp#x", "invalid_target", false},
        {"resource", "mcp", "invalid_target", false},
        {"client_id", other.c_str(), "invalid_grant", false},
        {"code", "-", "invalid_request", false},
        {"code", "pbc_guessed", "invalid_grant", false},
        {"grant_type", "-", "invalid_request", false},
        {"grant_type", "password", "unsupported_grant_type", false},
        {"grant_type", "urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type",
         false},
    };
    for (const auto& attack : attacks) {
        SCOPED_TRACE(std::string(attack.name) + "=" + attack.value);
        const auto right = redemption(code());
        refused(post("/oauth/token", with(right, attack.name, attack.value)), attack.error);
        EXPECT_EQ(post("/oauth/token", right).status, attack.burnt ? 400 : 200);
    }
}

TEST_F(TokenAttacks, ACodeThatComesTwiceEndsEverythingThatCameOfIt) {
    const auto once = redemption(code());
    const auto got = post("/oauth/token", once).json();
    const auto access = got.at("access_token").get<std::string>();
    EXPECT_TRUE(works(access));
    refused(post("/oauth/token", once), "invalid_grant");
    EXPECT_FALSE(works(access));
    refused(post("/oauth/token", refreshing(got.at("refresh_token"))), "invalid_grant");
    const auto seen = trail_.of("oauth.reuse");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].org, "acme");
    EXPECT_EQ(seen[0].principal, ann_.id);
    EXPECT_EQ(seen[0].outcome, "denied");
    EXPECT_EQ(seen[0].address, "192.0.2.7");
}

TEST_F(TokenAttacks, TheRedirectUriMayBeLeftOut) {
    EXPECT_EQ(post("/oauth/token", with(redemption(code()), "redirect_uri", "-")).status, 200);
}

TEST_F(TokenAttacks, AnExpiredCodeOrTokenIsOfNoUse) {
    // Grants of the same records that are over as soon as they begin.
    access::Grants brief(access_->records, {.code = -1, .access = -1, .refresh = -1});
    access::Grant grant;
    grant.org = "acme";
    grant.person = ann_.id;
    grant.client = client();
    grant.scopes = must(access::Scopes::parse("mcp:read"));
    grant.resource = "http://127.0.0.1:8080/mcp";
    grant = must(brief.add(std::move(grant)));
    const auto code = must(brief.issue_code(grant, {callback, challenge(), ""}));
    refused(post("/oauth/token", redemption(code)), "invalid_grant");
    const auto tokens = must(brief.issue(grant, true));
    refused(post("/oauth/token", refreshing(tokens.refresh)), "invalid_grant");
}

TEST_F(TokenAttacks, ARefreshTokenThatComesTwiceEndsTheFamily) {
    const auto first = tokens();
    const auto old = first.at("refresh_token").get<std::string>();
    const auto second = post("/oauth/token", refreshing(old));
    ASSERT_EQ(second.status, 200) << second.body;
    EXPECT_NE(second.json().at("refresh_token"), old);
    const auto access = second.json().at("access_token").get<std::string>();
    EXPECT_TRUE(works(access));
    refused(post("/oauth/token", refreshing(old)), "invalid_grant");
    EXPECT_FALSE(works(access));
    EXPECT_FALSE(works(first.at("access_token")));
    refused(post("/oauth/token", refreshing(second.json().at("refresh_token"))), "invalid_grant");
    EXPECT_EQ(trail_.of("oauth.reuse").size(), 1U);
}

TEST_F(TokenAttacks, ARefreshGivesNoMoreThanWasGranted) {
    auto got = tokens({}, {{"level", "mcp:read"}, {"action", "action:weather"}});
    EXPECT_EQ(got.at("scope"), "mcp:read action:weather");
    const struct {
        const char *name, *value, *error;
    } attacks[] = {
        {"scope", "mcp:read mcp:write action:weather", "invalid_scope"},
        {"scope", "mcp:admin", "invalid_scope"},
        {"scope", "mcp:read action:files", "invalid_scope"},
        {"scope", "action:weather", "invalid_scope"},
        {"scope", "everything", "invalid_scope"},
        {"resource", "https://evil.example/mcp", "invalid_target"},
        {"client_id", "cli_other", "invalid_client"},
        {"refresh_token", "-", "invalid_request"},
        {"refresh_token", "pbr_guessed", "invalid_grant"},
    };
    for (const auto& attack : attacks) {
        SCOPED_TRACE(std::string(attack.name) + "=" + attack.value);
        const auto right = refreshing(got.at("refresh_token"));
        refused(post("/oauth/token", with(right, attack.name, attack.value)), attack.error,
                std::string(attack.error) == "invalid_client" ? 401 : 400);
    }
    // None of them has cost the token.
    const auto fewer =
        post("/oauth/token", with(refreshing(got.at("refresh_token")), "scope", "openid"));
    ASSERT_EQ(fewer.status, 200) << fewer.body;
    EXPECT_EQ(fewer.json().at("scope"), "mcp:read action:weather");
    // What is not named stays as narrow as it is.
    const auto level = post(
        "/oauth/token", with(refreshing(fewer.json().at("refresh_token")), "scope", "mcp:read"));
    ASSERT_EQ(level.status, 200) << level.body;
    EXPECT_EQ(level.json().at("scope"), "mcp:read action:weather");
}

// A client that was told to try again and does so is no thief.
TEST_F(TokenAttacks, WhatCameToNothingHasSpentNothing) {
    const auto form = redemption(code());
    const auto full = [&](bool is_full) {
        ASSERT_TRUE(access_->records->use()->run(
            is_full ? "CREATE TRIGGER full BEFORE INSERT ON token"
                      " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
                    : "DROP TRIGGER full"));
    };
    full(true);
    refused(post("/oauth/token", form), "temporarily_unavailable", 503);
    full(false);
    const auto got = post("/oauth/token", form);
    ASSERT_EQ(got.status, 200) << got.body;
    const auto refresh = refreshing(got.json().at("refresh_token"));
    full(true);
    refused(post("/oauth/token", refresh), "temporarily_unavailable", 503);
    full(false);
    EXPECT_EQ(post("/oauth/token", refresh).status, 200);
    EXPECT_TRUE(trail_.of("oauth.reuse").empty());
}

TEST_F(TokenAttacks, AnotherClientsRefreshTokenIsNone) {
    const auto got = tokens();
    const auto other = register_client().at("client_id").get<std::string>();
    const auto refresh = got.at("refresh_token").get<std::string>();
    refused(post("/oauth/token", with(refreshing(refresh), "client_id", other)), "invalid_grant");
    EXPECT_TRUE(works(got.at("access_token"))) << "nobody can end it by guessing";
    EXPECT_EQ(post("/oauth/token", refreshing(refresh)).status, 200);
}

TEST_F(TokenAttacks, ATokenForAnotherAudienceIsNotMade) {
    // The host is reached by another name than the grant was made for.
    const auto got = tokens();
    const auto there =
        post("/oauth/token",
             with(refreshing(got.at("refresh_token")), "resource", "http://localhost:8080/mcp"),
             {{"Host", "localhost:8080"}});
    refused(there, "invalid_target");
    const auto late =
        post("/oauth/token", with(redemption(code()), "resource", "http://localhost:8080/mcp"),
             {{"Host", "localhost:8080"}});
    refused(late, "invalid_target");
}

TEST_F(TokenAttacks, WhoHasLeftGrantsNothingMore) {
    const auto bob = must(access_->people.add("bob", "Bob", "another long password"));
    must(access_->people.join("acme", bob.id, access::Role::member));
    sign_in_as(bob);
    const auto pending = code();
    const auto got = tokens();
    must(access_->people.leave("acme", bob.id));
    refused(post("/oauth/token", redemption(pending)), "invalid_grant");
    refused(post("/oauth/token", refreshing(got.at("refresh_token"))), "invalid_grant");
    EXPECT_TRUE(must(access_->grants.of_person(bob.id)).empty());
}

TEST_F(TokenAttacks, AnythingButOneFormIsRefused) {
    const auto right = form_encode(redemption("pbc_x"));
    refused(send("POST", "/oauth/token", {{"Content-Type", "application/json"}}, "{}"),
            "invalid_request");
    refused(send("POST", "/oauth/token", {}, right), "invalid_request");
    const http::HeaderList type{
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    refused(send("POST", "/oauth/token", type, right + "&code=another"), "invalid_request");
    refused(send("POST", "/oauth/token", type, right + "&code=%zz"), "invalid_request");
    refused(send("POST", "/oauth/token", type, std::string(200'000, 'a')), "invalid_request");
    // What stands in the URL is in logs, and counts for nothing.
    refused(send("POST", "/oauth/token?" + right, type, ""), "invalid_client", 401);
    const auto got = get("/oauth/token?" + right);
    EXPECT_EQ(got.status, 405);
    EXPECT_EQ(got.header("Allow"), "POST");
}

}  // namespace
}  // namespace pb::oauth::testing
