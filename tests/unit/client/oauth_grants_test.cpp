// SPDX-License-Identifier: Apache-2.0
// Who we are to an authorization server, how we prove it, and tokens without a person.
#include "oauth_world.h"

namespace pb::client::oauth::oauth_grants_test {
namespace {

class OAuthGrants : public ::testing::Test {
  protected:
    OAuthSettings unattended(Grant grant) {
        auto out = world.settings();
        out.grant = grant;
        out.client_id = "robot";
        return out;
    }
    std::vector<Request> sent() const { return world.requests("https://as.example/token"); }
    static std::string authorization(const Request& request) {
        return std::string(outbound::find_header(request.headers, "Authorization"));
    }
    World world;
};

TEST_F(OAuthGrants, RegisteredBeforehandThenByDocumentThenDynamically) {
    world.metadata["client_id_metadata_document_supported"] = true;
    auto settings = world.settings();
    settings.client_id = "configured";
    settings.client_metadata_url = "https://patchbay.example/oauth/client.json";
    const auto client_of = [&] {
        world.store = memory_token_store();
        const auto begun = world.make(settings)->begin_sign_in("ada", soon());
        return begun ? query_field(begun->url, "client_id") : begun.error().message;
    };
    EXPECT_EQ(client_of(), "configured");
    settings.client_id.clear();
    EXPECT_EQ(client_of(), "https://patchbay.example/oauth/client.json");
    EXPECT_EQ(world.clients, 0);
    world.metadata["client_id_metadata_document_supported"] = false;
    EXPECT_EQ(client_of(), "client-1");
    world.metadata.erase("registration_endpoint");
    EXPECT_NE(client_of().find("configure its client_id"), std::string::npos);
}

TEST_F(OAuthGrants, WhatARegistrationSays) {
    world.resource["scopes_supported"] = {"a", "b"};
    Json body;
    world.registration = [&](const Request& request) {
        EXPECT_EQ(outbound::find_header(request.headers, "Content-Type"), "application/json");
        body = Json::parse(request.body);
        return answer(201, Json{{"client_id", "c"}});
    };
    ASSERT_TRUE(world.make()->begin_sign_in("ada", soon()));
    EXPECT_EQ(body["redirect_uris"], Json{world.callback});
    EXPECT_EQ(body["grant_types"], (Json{"authorization_code", "refresh_token"}));
    EXPECT_EQ(body["response_types"], Json{"code"});
    EXPECT_EQ(body["application_type"], "web");
    EXPECT_EQ(body["token_endpoint_auth_method"], "none");
    EXPECT_EQ(body["client_name"], "Patchbay");
    EXPECT_EQ(body["scope"], "a b");
    auto settings = world.settings();
    settings.redirect_uri = "http://localhost:1234/oauth/callback";
    ASSERT_TRUE(world.make(settings)->begin_sign_in("ada", soon()));
    EXPECT_EQ(body["application_type"], "native");
}

TEST_F(OAuthGrants, ARegistrationIsKeptUntilItIsOver) {
    world.registration = [this](const Request&) {
        return answer(201, Json{{"client_id", "client-" + std::to_string(++world.clients)},
                                {"client_secret", "s"},
                                {"client_secret_expires_at", world.time + 1000}});
    };
    ASSERT_TRUE(world.make()->begin_sign_in("ada", soon()));
    ASSERT_TRUE(world.make()->begin_sign_in("bob", soon()));
    EXPECT_EQ(world.clients, 1);
    world.time += 1000;
    ASSERT_TRUE(world.make()->begin_sign_in("ada", soon()));
    EXPECT_EQ(world.clients, 2) << "its secret has expired";
    auto settings = world.settings();
    settings.redirect_uri = "https://elsewhere.example/callback";
    ASSERT_TRUE(world.make(settings)->begin_sign_in("ada", soon()));
    EXPECT_EQ(world.clients, 3) << "it comes back to another place";
    settings.scopes = {"more"};
    ASSERT_TRUE(world.make(settings)->begin_sign_in("ada", soon()));
    EXPECT_EQ(world.clients, 3) << "one without scopes may ask for any";
}

TEST_F(OAuthGrants, ARegistrationThatIsTooNarrowIsMadeAnew) {
    auto settings = world.settings();
    settings.scopes = {"a"};
    ASSERT_TRUE(world.make(settings)->begin_sign_in("ada", soon()));
    settings.scopes = {"a", "b"};
    ASSERT_TRUE(world.make(settings)->begin_sign_in("ada", soon()));
    EXPECT_EQ(world.clients, 2);
}

TEST_F(OAuthGrants, AServerThatDoesNotKnowTheScopesRegistersWithoutThem) {
    world.resource["scopes_supported"] = {"a"};
    world.registration = [this](const Request& request) {
        if (Json::parse(request.body).contains("scope"))
            return answer(400, Json{{"error", "invalid_client_metadata"}});
        return answer(201, Json{{"client_id", "client-" + std::to_string(++world.clients)}});
    };
    ASSERT_TRUE(world.make()->begin_sign_in("ada", soon()));
    ASSERT_TRUE(world.make()->begin_sign_in("bob", soon()));
    EXPECT_EQ(world.clients, 1);
    world.store = memory_token_store();
    world.registration = [](const Request&) {
        return answer(400, Json{{"error", "invalid_redirect_uri"},
                                {"error_description", "only\n \"localhost\""}});
    };
    const auto refused = world.make()->begin_sign_in("ada", soon());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("invalid_redirect_uri (only? ?localhost?)"),
              std::string::npos)
        << refused.error().message;
}

TEST_F(OAuthGrants, TheWayToTheTokenEndpointIsWhatIsOffered) {
    const struct {
        Json offered;
        Json registered;  // besides the client_id
        std::string basic, secret;
    } cases[] = {
        {{"client_secret_basic"}, {{"client_secret", "s/1"}}, "Basic Y2xpZW50OnMlMkYx", ""},
        {{"client_secret_post"}, {{"client_secret", "s/1"}}, "", "s/1"},
        {{"none"}, {{"client_secret", "s/1"}}, "", ""},
        {{"none"}, Json::object(), "", ""},
        {{"client_secret_post", "client_secret_basic"},
         {{"client_secret", "s"}},
         "Basic Y2xpZW50OnM=",
         ""},
        {nullptr, {{"client_secret", "s"}}, "Basic Y2xpZW50OnM=", ""},
        {nullptr, Json::object(), "", ""},
        {{"client_secret_basic", "client_secret_post"},
         {{"client_secret", "s"}, {"token_endpoint_auth_method", "client_secret_post"}},
         "",
         "s"},
    };
    for (const auto& each : cases) {
        world.store = memory_token_store();
        world.metadata["token_endpoint_auth_methods_supported"] = each.offered;
        world.registration = [&](const Request&) {
            Json body{{"client_id", "client"}};
            body.update(each.registered);
            return answer(201, body);
        };
        world.forget_requests();
        world.sign_in(*world.make());
        const auto request = sent().at(0);
        EXPECT_EQ(authorization(request), each.basic) << each.offered;
        EXPECT_EQ(field(request.body, "client_secret"), each.secret) << each.offered;
        EXPECT_EQ(field(request.body, "client_id"), each.basic.empty() ? "client" : "");
    }
    world.store = memory_token_store();
    world.metadata["token_endpoint_auth_methods_supported"] = {"tls_client_auth"};
    EXPECT_FALSE(world.make()->begin_sign_in("ada", soon()));
}

TEST_F(OAuthGrants, AConfiguredClientBelongsToItsIssuer) {
    auto settings = unattended(Grant::client_credentials);
    settings.client_secret = "s";
    world.metadata["token_endpoint_auth_methods_supported"] = {"client_secret_basic"};
    const auto oauth = world.make(settings);
    ASSERT_TRUE(world.challenge(*oauth, 401, "Bearer"));
    const std::string other = "https://other.example";
    world.resource["authorization_servers"] = {other};
    world.at(other + "/.well-known/oauth-authorization-server",
             [&](const Request&) { return answer(200, World::metadata_of(other)); });
    world.at(other + "/token", [](const Request&) {
        ADD_FAILURE() << "the secret went to another server";
        return plain(500);
    });
    const auto refused = world.challenge(*oauth, 401, "Bearer");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_NE(refused.error().message.find(other), std::string::npos) << refused.error().message;
    settings.issuer = world.issuer;
    world.store = memory_token_store();
    EXPECT_FALSE(world.challenge(*world.make(settings), 401, "Bearer"));
}

TEST_F(OAuthGrants, TheClientAsItselfWithASecret) {
    auto settings = unattended(Grant::client_credentials);
    settings.client_secret = "geheim";
    world.metadata["token_endpoint_auth_methods_supported"] = {"client_secret_basic"};
    world.token_members = {{"expires_in", 100}};
    const auto oauth = world.make(settings);
    ASSERT_TRUE(world.challenge(*oauth, 401, R"(Bearer scope="a")"));
    EXPECT_EQ(shown(*oauth, world), "Bearer access-1");
    EXPECT_EQ(authorization(sent()[0]), "Basic cm9ib3Q6Z2VoZWlt");
    EXPECT_EQ(field(sent()[0].body, "grant_type"), "client_credentials");
    EXPECT_EQ(field(sent()[0].body, "scope"), "a");
    EXPECT_EQ(field(sent()[0].body, "resource"), world.server);
    world.time += 100;
    ASSERT_TRUE(oauth->acquire(soon()));
    EXPECT_EQ(shown(*oauth, world), "Bearer access-2");
    // More permission is got at once; without it the old token goes on serving.
    ASSERT_TRUE(world.challenge(*oauth, 403, R"(Bearer error="insufficient_scope", scope="b")"));
    EXPECT_EQ(field(sent().back().body, "scope"), "a b");
    world.token = [](const Request&) { return answer(400, Json{{"error", "invalid_scope"}}); };
    EXPECT_FALSE(world.challenge(*oauth, 403, R"(Bearer error="insufficient_scope", scope="c")"));
    EXPECT_EQ(shown(*oauth, world), "Bearer access-3");
    EXPECT_FALSE(oauth->begin_sign_in("ada", soon())) << "nobody signs in";
}

TEST_F(OAuthGrants, TheClientAsItselfWithAKey) {
    auto settings = unattended(Grant::client_credentials);
    settings.private_key = jose::SigningKey::generate()->pem();
    settings.key_id = "key-1";
    world.metadata["token_endpoint_auth_methods_supported"] = {"private_key_jwt"};
    ASSERT_TRUE(world.challenge(*world.make(settings), 401, "Bearer"));
    const auto body = sent()[0].body;
    EXPECT_EQ(field(body, "client_assertion_type"),
              "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    const auto assertion = field(body, "client_assertion");
    EXPECT_EQ(jwt_part(assertion, 0), (Json{{"alg", "ES256"}, {"typ", "JWT"}, {"kid", "key-1"}}));
    const auto claims = jwt_part(assertion, 1);
    EXPECT_EQ(claims["iss"], "robot");
    EXPECT_EQ(claims["sub"], "robot");
    EXPECT_EQ(claims["aud"], world.issuer);
    EXPECT_EQ(claims["exp"].get<Seconds>(), world.time + 120);
    EXPECT_EQ(authorization(sent()[0]), "");
    world.metadata["token_endpoint_auth_signing_alg_values_supported"] = {"RS256"};
    world.store = memory_token_store();
    const auto refused = world.challenge(*world.make(settings), 401, "Bearer");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("ES256"), std::string::npos) << refused.error().message;
}

TEST_F(OAuthGrants, AnAssertionIsTriedOnce) {
    auto settings = unattended(Grant::jwt_bearer);
    settings.assertion = [](Deadline) -> Result<std::string> {
        return std::string("workload-jwt");
    };
    const auto oauth = world.make(settings);
    ASSERT_TRUE(world.challenge(*oauth, 401, "Bearer"));
    EXPECT_EQ(field(sent()[0].body, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    EXPECT_EQ(field(sent()[0].body, "assertion"), "workload-jwt");
    EXPECT_EQ(field(sent()[0].body, "client_id"), "robot");
    world.store = memory_token_store();
    world.forget_requests();
    world.token = [](const Request&) { return answer(400, Json{{"error", "invalid_grant"}}); };
    const auto refused = world.make(settings);
    EXPECT_FALSE(world.challenge(*refused, 401, "Bearer"));
    EXPECT_FALSE(refused->acquire(soon()));
    EXPECT_FALSE(world.challenge(*refused, 401, "Bearer"));
    EXPECT_EQ(sent().size(), 1U);
    world.time += 60;
    EXPECT_FALSE(refused->acquire(soon()));
    EXPECT_EQ(sent().size(), 2U) << "later it is tried again";
}

TEST_F(OAuthGrants, ThePersonsIdTokenIsExchanged) {
    auto settings = unattended(Grant::enterprise);
    settings.client_secret = "s";
    settings.identity_provider = {"https://idp.example", "", "idp-client", ""};
    settings.assertion = [](Deadline) -> Result<std::string> { return std::string("id-token"); };
    world.metadata["token_endpoint_auth_methods_supported"] = {"client_secret_basic"};
    world.at("https://idp.example/.well-known/openid-configuration", [](const Request&) {
        return answer(200, Json{{"issuer", "https://idp.example"},
                                {"token_endpoint", "https://idp.example/exchange"}});
    });
    std::string issued = "urn:ietf:params:oauth:token-type:id-jag";
    world.at("https://idp.example/exchange", [&](const Request& request) {
        EXPECT_EQ(field(request.body, "grant_type"),
                  "urn:ietf:params:oauth:grant-type:token-exchange");
        EXPECT_EQ(field(request.body, "requested_token_type"),
                  "urn:ietf:params:oauth:token-type:id-jag");
        EXPECT_EQ(field(request.body, "subject_token"), "id-token");
        EXPECT_EQ(field(request.body, "subject_token_type"),
                  "urn:ietf:params:oauth:token-type:id_token");
        EXPECT_EQ(field(request.body, "audience"), world.issuer);
        EXPECT_EQ(field(request.body, "resource"), world.server);
        EXPECT_EQ(field(request.body, "client_id"), "idp-client");
        return answer(200, Json{{"access_token", "the-jag"},
                                {"issued_token_type", issued},
                                {"token_type", "N_A"}});
    });
    const auto oauth = world.make(settings);
    ASSERT_TRUE(world.challenge(*oauth, 401, "Bearer"));
    EXPECT_EQ(field(sent()[0].body, "assertion"), "the-jag");
    EXPECT_EQ(authorization(sent()[0]), "Basic cm9ib3Q6cw==");
    EXPECT_EQ(shown(*oauth, world), "Bearer access-1");
    world.store = memory_token_store();
    issued = "urn:ietf:params:oauth:token-type:access_token";
    EXPECT_FALSE(world.challenge(*world.make(settings), 401, "Bearer"));
    EXPECT_EQ(sent().size(), 1U) << "what is no assertion is not passed on";
}

TEST_F(OAuthGrants, OurOwnMetadataDocument) {
    auto settings = world.settings();
    settings.client_metadata_url = "https://patchbay.example/oauth/client.json";
    const auto document = client_metadata(settings);
    ASSERT_TRUE(document);
    const auto json = Json::parse(*document);
    EXPECT_EQ(json["client_id"], settings.client_metadata_url);
    EXPECT_EQ(json["client_name"], "Patchbay");
    EXPECT_EQ(json["redirect_uris"], Json{world.callback});
    EXPECT_EQ(json["grant_types"], (Json{"authorization_code", "refresh_token"}));
    EXPECT_EQ(json["token_endpoint_auth_method"], "none");
    settings.private_key = jose::SigningKey::generate()->pem();
    const auto keyed = Json::parse(*client_metadata(settings));
    EXPECT_EQ(keyed["token_endpoint_auth_method"], "private_key_jwt");
    EXPECT_EQ(keyed["jwks"]["keys"][0]["alg"], "ES256");
    EXPECT_FALSE(keyed["jwks"]["keys"][0].contains("d"));
    for (const char* url :
         {"", "https://patchbay.example", "http://patchbay.example/client.json"}) {
        settings.client_metadata_url = url;
        EXPECT_FALSE(client_metadata(settings)) << url;
    }
}

TEST_F(OAuthGrants, SettingsThatCannotWorkAreRefused) {
    const std::function<void(OAuthSettings&)> cases[] = {
        [](auto& settings) { settings.server = "http://mcp.example/mcp"; },
        [](auto& settings) { settings.server = "mcp"; },
        [](auto& settings) { settings.redirect_uri = ""; },
        [](auto& settings) { settings.redirect_uri = "http://patchbay.example/callback"; },
        [](auto& settings) { settings.private_key = "no key"; },
        [](auto& settings) { settings.state_prefix = "a b"; },
        [](auto& settings) { settings.grant = Grant::client_credentials; },
        [](auto& settings) { settings.grant = Grant::jwt_bearer; },
        [](auto& settings) {
            settings.grant = Grant::enterprise;
            settings.assertion = [](Deadline) -> Result<std::string> { return std::string(); };
        },
    };
    for (const auto& spoil : cases) {
        auto settings = world.settings();
        spoil(settings);
        EXPECT_FALSE(OAuth::make(settings, world.parts()));
    }
    auto settings = world.settings();
    settings.server = "http://mcp.example/mcp";
    settings.allow_http = true;
    EXPECT_TRUE(OAuth::make(settings, world.parts()));
}

}  // namespace
}  // namespace pb::client::oauth::oauth_grants_test
