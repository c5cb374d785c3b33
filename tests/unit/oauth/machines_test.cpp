// SPDX-License-Identifier: Apache-2.0
// Clients with secrets, machines that sign in as themselves, revocation, ID tokens.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

#include "base/base64.h"
#include "world.h"

namespace pb::oauth::testing {
namespace {

class Machines : public OAuthTest {
  protected:
    access::Clients::Made robot(const std::string& scopes = "mcp:read mcp:write action:weather") {
        access::OAuthClient out;
        out.name = "Robot";
        out.org = "acme";
        out.auth_method = "client_secret_basic";
        out.scopes = must(access::Scopes::parse(scopes));
        return must(access_->clients.add(std::move(out)));
    }
    static http::HeaderList basic(const std::string& id, const std::string& secret) {
        return {{"Authorization",
                 "Basic " + base64_encode(percent_encode(id) + ":" + percent_encode(secret),
                                          Alphabet::standard)}};
    }
    static FormParams itself() { return {{"grant_type", "client_credentials"}}; }
};

TEST_F(Machines, SignInAsThemselves) {
    const auto made = robot();
    const auto answer = post("/oauth/token", itself(), basic(made.client.id, made.secret));
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto got = answer.json();
    EXPECT_FALSE(got.contains("refresh_token"));
    EXPECT_EQ(got.at("scope"), "mcp:read mcp:write action:weather");
    const auto access =
        must(access_->grants.find_access(got.at("access_token").get<std::string>()));
    ASSERT_TRUE(access);
    EXPECT_EQ(access->grant.org, "acme");
    EXPECT_EQ(access->grant.person, "");
    EXPECT_EQ(access->grant.resource, "http://127.0.0.1:8080/mcp");
    auto posted = itself();
    posted.emplace_back("client_id", made.client.id);
    posted.emplace_back("client_secret", made.secret);
    posted.emplace_back("scope", "mcp:read action:weather");
    const auto fewer = post("/oauth/token", posted).json();
    EXPECT_EQ(fewer.at("scope"), "mcp:read action:weather");
    // What is not named stays as it is.
    const auto unnamed = post("/oauth/token", with(posted, "scope", "mcp:read")).json();
    EXPECT_EQ(unnamed.at("scope"), "mcp:read action:weather");
    // However often it comes, it has one grant for the same scopes.
    post("/oauth/token", posted);
    EXPECT_EQ(must(access_->grants.of_machine(made.client.id)).size(), 2U);
    const auto seen = trail_.of("oauth.machine_token");
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0].principal, made.client.id);
    EXPECT_EQ(seen[0].principal_kind, "service");
    EXPECT_EQ(trail_.text().find(made.secret), std::string::npos);
}

TEST_F(Machines, GetNoMoreThanTheyMay) {
    const auto made = robot();
    const auto known = basic(made.client.id, made.secret);
    const struct {
        FormParams more;
        const char* error;
    } wrong[] = {{{{"scope", "mcp:admin action:weather"}}, "invalid_scope"},
                 {{{"scope", "action:weather"}}, "invalid_scope"},
                 {{{"scope", "mcp:read action:files"}}, "invalid_scope"},
                 {{{"scope", "nonsense"}}, "invalid_scope"},
                 {{{"resource", "https://evil.example/mcp"}}, "invalid_target"},
                 {{{"client_id", "cli_other"}}, "invalid_request"},
                 {{{"client_secret", made.secret}}, "invalid_request"}};
    for (const auto& each : wrong) {
        auto form = itself();
        form.insert(form.end(), each.more.begin(), each.more.end());
        const auto answer = post("/oauth/token", form, known);
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.error(), each.error) << form_encode(form);
    }
    choices_.erase("acme");
    EXPECT_EQ(post("/oauth/token", itself(), known).error(), "unauthorized_client");
    choices_["acme"];
    must(access_->clients.remove("acme", made.client.id));
    EXPECT_EQ(post("/oauth/token", itself(), known).error(), "invalid_client");
}

TEST_F(Machines, SecretsAreChecked) {
    const auto made = robot();
    const http::HeaderList wrong[] = {
        basic(made.client.id, "guess"),  basic(made.client.id, ""),
        basic("cli_x", made.secret),     {{"Authorization", "Basic !!!"}},
        {{"Authorization", "Bearer x"}}, {{"Authorization", "Basic"}}};
    for (const auto& headers : wrong) {
        const auto answer = post("/oauth/token", itself(), headers);
        EXPECT_EQ(answer.status, 401) << headers[0].second;
        EXPECT_EQ(answer.error(), "invalid_client");
        EXPECT_TRUE(answer.header("WWW-Authenticate").starts_with("Basic "));
    }
    auto form = itself();
    EXPECT_EQ(post("/oauth/token", form).error(), "invalid_client");
    form.emplace_back("client_id", made.client.id);
    EXPECT_EQ(post("/oauth/token", form).error(), "invalid_client");
    form.emplace_back("client_secret", "guess");
    EXPECT_EQ(post("/oauth/token", form).status, 401);
    // Who registered itself acts for people.
    const auto secret = register_client({{"token_endpoint_auth_method", "client_secret_basic"}});
    EXPECT_EQ(
        post("/oauth/token", itself(), basic(secret.at("client_id"), secret.at("client_secret")))
            .error(),
        "unauthorized_client");
    EXPECT_EQ(post("/oauth/token", with(itself(), "client_id", client())).error(),
              "unauthorized_client");
    // A client without a secret has none to be guessed.
    EXPECT_EQ(post("/oauth/token", itself(), basic(client(), "x")).error(), "invalid_client");
}

TEST_F(Machines, AClientWithASecretShowsItForACode) {
    const auto made = register_client({{"token_endpoint_auth_method", "client_secret_post"}});
    client_ = made.at("client_id");
    const auto form = redemption(code());
    EXPECT_EQ(post("/oauth/token", form).status, 401);
    EXPECT_EQ(post("/oauth/token", with(form, "client_secret", made.at("client_secret"))).status,
              200);
}

TEST_F(Machines, TokensAreRevokedByTheirClientAlone) {
    const auto got = tokens();
    const auto access = got.at("access_token").get<std::string>();
    const auto refresh = got.at("refresh_token").get<std::string>();
    const auto other = register_client().at("client_id").get<std::string>();
    const auto revoke = [&](const std::string& token, const std::string& by) {
        return post("/oauth/revoke",
                    {{"token", token}, {"client_id", by}, {"token_type_hint", "nonsense"}});
    };
    EXPECT_EQ(revoke(access, other).status, 200);
    EXPECT_EQ(revoke("nonsense", client()).status, 200);
    EXPECT_TRUE(works(access));
    EXPECT_TRUE(trail_.of("oauth.revoke").empty());
    EXPECT_EQ(revoke(access, "cli_x").error(), "invalid_client");
    EXPECT_EQ(revoke("", client()).error(), "invalid_request");
    EXPECT_EQ(revoke(access, client()).status, 200);
    EXPECT_FALSE(works(access));
    const auto again = post("/oauth/token", refreshing(refresh)).json();
    EXPECT_TRUE(works(again.at("access_token")));
    EXPECT_EQ(revoke(again.at("refresh_token"), client()).status, 200);
    EXPECT_FALSE(works(again.at("access_token"))) << "with the refresh token goes all of it";
    EXPECT_EQ(trail_.of("oauth.revoke").size(), 2U);
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key rsa_key(const Json& jwk) {
    const auto number = [](const std::string& text) {
        const auto bytes = base64_decode(text, Alphabet::url).value_or("");
        return std::unique_ptr<BIGNUM, decltype(&BN_free)>(
            BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size()), nullptr),
            BN_free);
    };
    const auto n = number(jwk.at("n")), e = number(jwk.at("e"));
    const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> build(
        OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
    OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> params(
        OSSL_PARAM_BLD_to_param(build.get()), OSSL_PARAM_free);
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* out = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY_fromdata(context.get(), &out, EVP_PKEY_PUBLIC_KEY, params.get());
    return {out, EVP_PKEY_free};
}

bool signed_by(const Json& jwk, const std::string& token) {
    const auto dot = token.rfind('.');
    const auto signature = base64_decode(token.substr(dot + 1), Alphabet::url).value_or("");
    const auto key = rsa_key(jwk);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    const auto bytes = [](const std::string& text) {
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(token), dot) ==
               1;
}

TEST_F(Machines, IdTokensAreForThoseWhoAsk) {
    const auto got = tokens({{"scope", "openid mcp:read"}, {"nonce", "n-1"}},
                            {{"level", "mcp:read"}, {"actions_all", "on"}});
    EXPECT_EQ(got.at("scope"), "mcp:read openid");
    const auto token = got.at("id_token").get<std::string>();
    const auto part = [&](std::size_t from, std::size_t to) {
        return Json::parse(base64_decode(token.substr(from, to - from), Alphabet::url).value());
    };
    const auto first = token.find('.'), second = token.rfind('.');
    const auto header = part(0, first), claims = part(first + 1, second);
    const auto keys = get("/oauth/jwks").json().at("keys");
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(header.at("alg"), "RS256");
    EXPECT_EQ(header.at("kid"), keys[0].at("kid"));
    EXPECT_EQ(keys[0].at("kty"), "RSA");
    EXPECT_EQ(keys[0].at("use"), "sig");
    EXPECT_FALSE(keys[0].contains("d")) << "nobody sees the private key";
    EXPECT_TRUE(signed_by(keys[0], token));
    auto forged = token;
    forged[first + 3] = forged[first + 3] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(signed_by(keys[0], forged));
    EXPECT_EQ(claims.at("iss"), "http://127.0.0.1:8080");
    EXPECT_EQ(claims.at("sub"), ann_.id);
    EXPECT_EQ(claims.at("aud"), client());
    EXPECT_EQ(claims.at("nonce"), "n-1");
    EXPECT_GT(claims.at("exp"), claims.at("iat"));
    EXPECT_FALSE(works(token)) << "it opens nothing";
    // The key stays the same, whoever asks for it.
    serve(options());
    EXPECT_EQ(get("/oauth/jwks").json().at("keys"), keys);
    int listed = 0;
    must(secrets_->list(store::own_secrets("acme"), "", "", 10, [&](auto) { ++listed; }));
    must(secrets_->list(store::own_secrets(""), "", "", 10, [&](auto) { ++listed; }));
    EXPECT_EQ(listed, 0);
}

}  // namespace
}  // namespace pb::oauth::testing
