// SPDX-License-Identifier: Apache-2.0
// A token's life: renewed in time and once, refused, widened, bound to a key.
#include <thread>

#include "oauth_world.h"

namespace pb::client::oauth::oauth_tokens_test {
namespace {

constexpr auto step_up = R"(Bearer error="insufficient_scope", scope="write")";

class OAuthTokens : public ::testing::Test {
  protected:
    OAuthTokens() { world.token_members = {{"refresh_token", "refresh-1"}, {"expires_in", 3600}}; }
    std::size_t asked() const { return world.requests("https://as.example/token").size(); }
    std::string sent() const { return world.requests("https://as.example/token").back().body; }
    World world;
};

TEST_F(OAuthTokens, RenewedAheadOfTheirEnd) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    EXPECT_EQ(oauth->status().expires, world.time + 3600);
    world.time += 3600 - 91;
    EXPECT_TRUE(oauth->ready("POST", world.server)) << "at most 90 seconds ahead";
    world.time += 91 - 60;
    EXPECT_FALSE(oauth->ready("POST", world.server)) << "at least 60 seconds ahead";
    world.token_members["refresh_token"] = "refresh-2";
    ASSERT_TRUE(oauth->acquire(soon()));
    EXPECT_EQ(shown(*oauth, world), "Bearer access-2");
    EXPECT_EQ(field(sent(), "grant_type"), "refresh_token");
    EXPECT_EQ(field(sent(), "refresh_token"), "refresh-1");
    EXPECT_EQ(field(sent(), "resource"), world.server);
    EXPECT_EQ(field(sent(), "client_id"), "client-1");
    // The rotated one is the next one's, after a restart too; one that is not rotated stays.
    world.token_members.erase("refresh_token");
    for (int i = 0; i < 2; ++i) {
        world.time += 3600;
        ASSERT_TRUE(world.make()->acquire(soon()));
        EXPECT_EQ(field(sent(), "refresh_token"), "refresh-2");
    }
}

TEST_F(OAuthTokens, AShortLifeIsNotAllMargin) {
    world.token_members["expires_in"] = 20;
    const auto oauth = world.make();
    world.sign_in(*oauth);
    world.time += 12;
    EXPECT_TRUE(oauth->ready("POST", world.server));
    world.time += 3;
    EXPECT_FALSE(oauth->ready("POST", world.server));
}

TEST_F(OAuthTokens, ManyAskAndOneRenews) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    world.time += 3600;
    const auto before = asked();
    std::atomic<int> waiting = 0;
    const auto token = world.token;
    world.token = [&](const Request& request) {
        while (waiting < 8)
            std::this_thread::yield();
        return token(request);
    };
    std::vector<std::thread> threads;
    threads.reserve(8);
    std::atomic<int> good = 0;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            ++waiting;
            if (oauth->acquire(soon()) && shown(*oauth, world) == "Bearer access-2") ++good;
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(good, 8);
    EXPECT_EQ(asked(), before + 1);
}

TEST_F(OAuthTokens, ManyAreRefusedAndOneRenews) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    Challenge refusal;
    refusal.url = world.server;
    refusal.www_authenticate = R"(Bearer error="invalid_token")";
    refusal.used = *oauth->ready("POST", world.server);
    const auto before = asked();
    std::vector<std::thread> threads;
    threads.reserve(8);
    std::atomic<int> good = 0;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] { good += oauth->challenged(refusal, soon()).ok() ? 1 : 0; });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(good, 8);
    EXPECT_EQ(asked(), before + 1);
}

TEST_F(OAuthTokens, SavedBeforeTheyAreUsed) {
    class Order : public TokenStore {
      public:
        explicit Order(TokenStorePtr inner) : inner_(std::move(inner)) {}
        Result<std::optional<std::string>> load(const std::string& key) override {
            return inner_->load(key);
        }
        Result<void> save(const std::string& key, const std::string& text) override {
            if (key.starts_with("oauth.tokens.") && watched != nullptr)
                seen = watched->ready("POST", "https://mcp.example/mcp").has_value();
            if (broken) return internal_error("the disk is full");
            return inner_->save(key, text);
        }
        Result<void> remove(const std::string& key) override { return inner_->remove(key); }
        OAuth* watched = nullptr;
        bool broken = false;
        std::optional<bool> seen;

      private:
        TokenStorePtr inner_;
    };
    const auto store = std::make_shared<Order>(world.store);
    world.store = store;
    const auto oauth = world.make();
    world.sign_in(*oauth);
    world.time += 3600;
    store->watched = oauth.get();
    ASSERT_TRUE(oauth->acquire(soon()));
    EXPECT_EQ(store->seen, false) << "nobody had it while it was being saved";
    // A store that fails loses nothing that is not lost already.
    store->broken = true;
    world.time += 3600;
    ASSERT_TRUE(oauth->acquire(soon()));
    EXPECT_EQ(shown(*oauth, world), "Bearer access-3");
    EXPECT_NE(oauth->status().text.find("the disk is full"), std::string::npos);
}

TEST_F(OAuthTokens, ARefreshTokenThatIsOverNeedsAPerson) {
    for (const char* code : {"invalid_grant", "invalid_client"}) {
        world.store = memory_token_store();
        const auto oauth = world.make();
        world.sign_in(*oauth);
        world.time += 3600;
        const auto token = world.token;
        world.token = [code](const Request&) { return answer(400, Json{{"error", code}}); };
        const auto got = oauth->acquire(soon());
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().kind, ErrorKind::denied);
        EXPECT_EQ(oauth->status().state, OAuth::State::needs_sign_in);
        const auto count = asked();
        EXPECT_FALSE(oauth->acquire(soon()));
        EXPECT_FALSE(world.make()->acquire(soon()));
        EXPECT_EQ(asked(), count) << "it is not asked again, nor after a restart";
        world.token = token;
        const int clients = world.clients;
        world.sign_in(*oauth);
        EXPECT_EQ(oauth->status().state, OAuth::State::ready);
        EXPECT_EQ(world.clients, clients + (std::string(code) == "invalid_client" ? 1 : 0))
            << "a client that is not known any more is registered anew";
    }
}

TEST_F(OAuthTokens, AServerThatIsDownIsLeftAloneForAWhile) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    const auto token = world.token;
    world.token = [](const Request&) { return plain(503); };
    world.time += 3600 - 30;
    ASSERT_FALSE(oauth->acquire(soon()));
    EXPECT_TRUE(oauth->ready("POST", world.server)) << "the old one serves until it ends";
    const auto count = asked();
    EXPECT_TRUE(oauth->acquire(soon()));
    world.time += 30;
    EXPECT_FALSE(oauth->ready("POST", world.server));
    const auto down = oauth->acquire(soon());
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().kind, ErrorKind::busy);
    EXPECT_FALSE(oauth->acquire(soon())) << "at once";
    EXPECT_EQ(asked(), count + 1);
    EXPECT_EQ(oauth->status().state, OAuth::State::failing);
    world.token = token;
    world.time += 60;
    EXPECT_TRUE(oauth->acquire(soon()));
    EXPECT_EQ(oauth->status().state, OAuth::State::ready);
}

TEST_F(OAuthTokens, SomebodyElsesRenewalIsTakenOver) {
    const auto one = world.make();
    world.sign_in(*one);
    const auto two = world.make();  // on the same store, as while a plugin is replaced
    world.time += 3600;
    world.token_members["refresh_token"] = "refresh-2";
    ASSERT_TRUE(one->acquire(soon()));
    const auto count = asked();
    ASSERT_TRUE(two->acquire(soon()));
    EXPECT_EQ(asked(), count);
    EXPECT_EQ(shown(*two, world), shown(*one, world));
}

TEST_F(OAuthTokens, ARefusedTokenIsRenewedOnceInAWhile) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    const auto count = asked();
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(world.challenge(*oauth, 401, "Bearer"));
    for (int i = 0; i < 5; ++i)
        EXPECT_FALSE(world.challenge(*oauth, 401, "Bearer")) << "it refuses whatever it is given";
    EXPECT_EQ(asked(), count + 3);
}

TEST_F(OAuthTokens, ARefusedTokenWithoutAnotherNeedsAPerson) {
    world.token_members = Json::object();
    const auto oauth = world.make();
    world.sign_in(*oauth);
    EXPECT_EQ(oauth->status().expires, 0);
    world.time += 1'000'000;
    EXPECT_EQ(shown(*oauth, world), "Bearer access-1") << "nobody said that it ends";
    EXPECT_FALSE(world.challenge(*oauth, 401, "Bearer"));
    EXPECT_EQ(oauth->status().state, OAuth::State::needs_sign_in);
    world.sign_in(*oauth);
    EXPECT_EQ(shown(*oauth, world), "Bearer access-2");
}

TEST_F(OAuthTokens, AnotherAuthorizationServerGetsNothingOfTheFirst) {
    const auto oauth = world.make();
    world.sign_in(*oauth, R"(Bearer scope="basic")");
    const std::string other = "https://other.example";
    world.resource["authorization_servers"] = {other};
    world.at(other + "/.well-known/oauth-authorization-server",
             [&](const Request&) { return answer(200, World::metadata_of(other)); });
    world.at(other + "/register", [](const Request&) {
        return answer(201, Json{{"client_id", "other-client"}});
    });
    world.at(other + "/token", [](const Request& request) {
        EXPECT_EQ(field(request.body, "client_id"), "other-client");
        return answer(200, Json{{"access_token", "other-token"}, {"token_type", "Bearer"}});
    });
    const auto count = asked();
    EXPECT_FALSE(world.challenge(*oauth, 401, "Bearer")) << "its refresh token is not for it";
    EXPECT_EQ(oauth->status().state, OAuth::State::needs_sign_in);
    const auto begun = oauth->begin_sign_in("ada", soon());
    ASSERT_TRUE(begun) << begun.error().message;
    EXPECT_TRUE(begun->url.starts_with(other));
    EXPECT_EQ(query_field(begun->url, "client_id"), "other-client");
    ASSERT_TRUE(oauth->finish_sign_in(begun->state, world.callback_of(*begun), soon()));
    EXPECT_EQ(shown(*oauth, world), "Bearer other-token");
    EXPECT_EQ(asked(), count);
    for (const auto& url : {other + "/register", other + "/token"})
        for (const auto& request : world.requests(url))
            EXPECT_EQ((request.url + request.body).find("refresh-1"), std::string::npos);
    // And back: what was registered there is still known.
    world.resource["authorization_servers"] = {world.issuer};
    world.sign_in(*oauth);
    EXPECT_EQ(world.clients, 1);
}

TEST_F(OAuthTokens, WhatTheFirstIssuedIsNotShownAnyMore) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    const std::string other = "https://other.example";
    world.resource["authorization_servers"] = {other};
    world.at(other + "/.well-known/oauth-authorization-server",
             [&](const Request&) { return answer(200, World::metadata_of(other)); });
    world.at(other + "/register", world.registration);
    world.time += 400;
    ASSERT_TRUE(oauth->begin_sign_in("ada", soon()));
    EXPECT_FALSE(oauth->ready("POST", world.server));
    EXPECT_FALSE(world.make()->ready("POST", world.server)) << "nor after a restart";
}

TEST_F(OAuthTokens, AConfiguredClientsWrongSecretCostsNobodyASignIn) {
    auto settings = world.settings();
    settings.client_id = "configured";
    settings.client_secret = "wrong";
    const auto oauth = world.make(settings);
    world.sign_in(*oauth);
    world.time += 3600;
    const auto token = world.token;
    world.token = [](const Request&) { return answer(401, Json{{"error", "invalid_client"}}); };
    EXPECT_FALSE(oauth->acquire(soon()));
    EXPECT_EQ(oauth->status().state, OAuth::State::failing);
    world.token = token;
    world.time += 60;
    EXPECT_TRUE(oauth->acquire(soon()));
}

TEST_F(OAuthTokens, AStepUpAsksForTheUnion) {
    world.resource["scopes_supported"] = {"profile"};
    const auto oauth = world.make();
    world.sign_in(*oauth, R"(Bearer scope="basic")");
    const auto refused = world.challenge(*oauth, 403, step_up);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_NE(refused.error().message.find("write"), std::string::npos);
    EXPECT_EQ(oauth->status().state, OAuth::State::needs_permission);
    EXPECT_EQ(shown(*oauth, world), "Bearer access-1") << "for the rest it serves";
    const auto begun = oauth->begin_sign_in("ada", soon());
    ASSERT_TRUE(begun);
    EXPECT_EQ(query_field(begun->url, "scope"), "basic write");
    ASSERT_TRUE(oauth->finish_sign_in(begun->state, world.callback_of(*begun), soon()));
    EXPECT_EQ(oauth->status().state, OAuth::State::ready);
    // It was given all that it asked for: more of the same is no use.
    const auto again = world.challenge(*oauth, 403, step_up);
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().message.find("already"), std::string::npos);
    EXPECT_EQ(oauth->status().state, OAuth::State::ready);
}

TEST_F(OAuthTokens, TheResourcesScopesAreKeptInAStepUp) {
    world.resource["scopes_supported"] = {"a", "b"};
    const auto oauth = world.make();
    world.sign_in(*oauth);
    EXPECT_FALSE(world.challenge(*oauth, 403, step_up));
    EXPECT_EQ(query_field(oauth->begin_sign_in("ada", soon())->url, "scope"), "a b write");
}

TEST_F(OAuthTokens, APlainProhibitionIsFinal) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    world.forget_requests();
    for (const char* header : {"", "Bearer", R"(Basic error="insufficient_scope", scope="x")",
                               R"(Bearer error="insufficient_scope")"}) {
        const auto refused = world.challenge(*oauth, 403, header);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::denied);
        EXPECT_EQ(oauth->status().state, OAuth::State::ready);
    }
    EXPECT_TRUE(world.urls().empty());
}

TEST_F(OAuthTokens, EndlessScopesComeToAnEnd) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    for (int i = 0; i < 200; ++i) {
        const auto scope = std::string(R"(Bearer error="insufficient_scope", scope="s)") +
                           std::to_string(i) + "\"";
        EXPECT_FALSE(world.challenge(*oauth, 403, scope));
    }
    const auto begun = oauth->begin_sign_in("ada", soon());
    EXPECT_LE(split_scopes(query_field(begun->url, "scope")).size(), 64U);
}

TEST_F(OAuthTokens, BoundToAKeyWhereTheServerAsksForIt) {
    world.metadata["dpop_signing_alg_values_supported"] = {"ES256"};
    world.token = [](const Request& request) {
        const auto proof = std::string(outbound::find_header(request.headers, "DPoP"));
        EXPECT_EQ(jwt_part(proof, 0)["typ"], "dpop+jwt");
        EXPECT_EQ(jwt_part(proof, 1)["htm"], "POST");
        EXPECT_EQ(jwt_part(proof, 1)["htu"], "https://as.example/token");
        EXPECT_FALSE(jwt_part(proof, 1).contains("ath"));
        if (jwt_part(proof, 1).value("nonce", "") != "n1")
            return answer(400, Json{{"error", "use_dpop_nonce"}}, {{"DPoP-Nonce", "n1"}});
        return answer(200, Json{{"access_token", "bound"}, {"token_type", "DPoP"}});
    };
    const auto oauth = world.make();
    world.sign_in(*oauth, "DPoP algs=\"ES256\"");
    EXPECT_EQ(asked(), 2U);
    const auto first = *oauth->ready("GET", world.server + "?x=1");
    EXPECT_EQ(outbound::find_header(first, "Authorization"), "DPoP bound");
    const auto proof = std::string(outbound::find_header(first, "DPoP"));
    EXPECT_EQ(jwt_part(proof, 1)["htu"], world.server) << "without the query";
    EXPECT_EQ(jwt_part(proof, 1)["htm"], "GET");
    EXPECT_EQ(jwt_part(proof, 1)["ath"], sha256_url("bound"));
    const auto restarted = world.make();
    const auto second = *restarted->ready("GET", world.server);
    const auto other = std::string(outbound::find_header(second, "DPoP"));
    EXPECT_EQ(jwt_part(other, 0)["jwk"], jwt_part(proof, 0)["jwk"]) << "the key is kept";
    EXPECT_NE(jwt_part(other, 1)["jti"], jwt_part(proof, 1)["jti"]) << "a proof is used once";

    // The server's own nonce: given once, then it is the token that is refused.
    Challenge refusal;
    refusal.url = world.server;
    refusal.www_authenticate = R"(DPoP error="use_dpop_nonce")";
    refusal.dpop_nonce = "n2";
    refusal.used = first;
    EXPECT_TRUE(oauth->challenged(refusal, soon()));
    refusal.used = *oauth->ready("POST", world.server);
    EXPECT_EQ(jwt_part(std::string(outbound::find_header(refusal.used, "DPoP")), 1)["nonce"], "n2");
    EXPECT_FALSE(oauth->challenged(refusal, soon()));
}

TEST_F(OAuthTokens, AnUnboundTokenIsNotTakenForABoundOne) {
    const auto oauth = world.make();
    EXPECT_FALSE(world.challenge(*oauth, 401, "DPoP"));
    const auto begun = oauth->begin_sign_in("ada", soon());
    ASSERT_TRUE(begun);
    const auto done = oauth->finish_sign_in(begun->state, world.callback_of(*begun), soon());
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("not bound"), std::string::npos);
    world.metadata["dpop_signing_alg_values_supported"] = {"EdDSA"};
    world.time += 400;
    EXPECT_EQ(oauth->begin_sign_in("ada", soon()).error().kind, ErrorKind::unsupported);
}

TEST_F(OAuthTokens, NoSecretInAnyStatusOrError) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    world.time += 3600;
    world.token = [](const Request& request) {
        return answer(400, Json{{"error", field(request.body, "refresh_token")},
                                {"error_description", request.body}});
    };
    const auto refused = oauth->acquire(soon());
    ASSERT_FALSE(refused);
    for (const auto& text : {refused.error().message, oauth->status().text}) {
        EXPECT_EQ(text.find("refresh-1"), std::string::npos) << text;
        EXPECT_EQ(text.find("access-1"), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace pb::client::oauth::oauth_tokens_test
