// SPDX-License-Identifier: Apache-2.0
#include "client/oauth/grants.h"

#include <openssl/rand.h>

#include <algorithm>

#include "client/oauth/challenge.h"

namespace pb::client::oauth {
namespace {

constexpr Seconds margin = 60;  // before it expires, a token is renewed

// A random number below `bound`, so that not everything is renewed at the same moment.
Seconds jitter(Seconds bound) {
    std::uint32_t number = 0;
    if (bound <= 0) return 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number);
    return static_cast<Seconds>(number) % bound;
}

TokenRequest request_to(const Granting& granting, const std::string& endpoint) {
    TokenRequest out{endpoint, granting.found.server.issuer, granting.client};
    out.client_key = granting.client_key;
    out.key_id = granting.settings.key_id;
    out.dpop = granting.dpop ? &*granting.dpop : nullptr;
    out.dpop_nonce = granting.dpop_nonce;
    out.now = granting.now;
    return out;
}

Granted ask(const Granting& granting, FormParams form) {
    form.emplace_back("resource", granting.found.resource);
    auto outcome = request_token(granting.web,
                                 request_to(granting, granting.found.server.token_endpoint), form);
    if (auto* refusal = std::get_if<TokenRefusal>(&outcome)) return std::move(*refusal);
    auto& answer = std::get<TokenAnswer>(outcome);
    Tokens out;
    out.issuer = granting.found.server.issuer;
    out.resource = granting.found.resource;
    out.client = granting.client;
    out.access = std::move(answer.access);
    out.refresh = std::move(answer.refresh);
    if (granting.dpop) out.dpop_key = granting.dpop->pem();
    out.scopes = granting.scopes;
    if (answer.lifetime) {
        const auto ahead = std::min(margin, *answer.lifetime / 4);
        out.expires = granting.now + *answer.lifetime;
        out.refresh_at = out.expires - ahead - jitter(ahead / 2);
    }
    return out;
}

void add_scope(const Granting& granting, FormParams& form) {
    if (!granting.scopes.empty()) form.emplace_back("scope", join_scopes(granting.scopes));
}

Granted by_assertion(const Granting& granting, std::string assertion) {
    FormParams form{{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                    {"assertion", std::move(assertion)}};
    add_scope(granting, form);
    return ask(granting, std::move(form));
}

// The identity provider as the settings or its own metadata describe it.
Result<AuthorizationServer> identity_provider(const Granting& granting) {
    const auto& configured = granting.settings.identity_provider;
    AuthorizationServer out;
    out.issuer = configured.issuer;
    out.token_endpoint = configured.token_endpoint;
    if (!out.token_endpoint.empty()) {
        const auto url = parse_secure_url(out.token_endpoint, "the identity provider's endpoint",
                                          granting.web.allow_http());
        if (!url) return url.error();
        if (out.issuer.empty()) out.issuer = url->origin();
        return out;
    }
    auto found = discover_issuer(granting.web, configured.issuer);
    if (!found) return std::move(found).error();
    if (!*found)
        return invalid("the identity provider " + configured.issuer + " publishes no metadata");
    return **std::move(found);
}

// The person's ID token to an assertion for the authorization server (RFC 8693).
std::variant<std::string, TokenRefusal> exchange(const Granting& granting, std::string id_token) {
    const auto provider = identity_provider(granting);
    if (!provider) return TokenRefusal{provider.error(), ""};
    const auto& configured = granting.settings.identity_provider;
    Registration client;
    client.client_id = configured.client_id;
    client.client_secret = configured.client_secret;
    client.auth_method = fitting_method(*provider, false, !configured.client_secret.empty());
    TokenRequest request{provider->token_endpoint, provider->issuer, client};
    request.now = granting.now;
    constexpr auto wanted = "urn:ietf:params:oauth:token-type:id-jag";
    FormParams form{{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                    {"requested_token_type", wanted},
                    {"audience", granting.found.server.issuer},
                    {"resource", granting.found.resource},
                    {"subject_token", std::move(id_token)},
                    {"subject_token_type", "urn:ietf:params:oauth:token-type:id_token"}};
    add_scope(granting, form);
    auto outcome = request_token(granting.web, request, form);
    if (auto* refusal = std::get_if<TokenRefusal>(&outcome)) return std::move(*refusal);
    auto& answer = std::get<TokenAnswer>(outcome);
    if (answer.issued_type != wanted)
        return TokenRefusal{invalid("the identity provider " + provider->issuer +
                                    " issued something else than the assertion that was asked for"),
                            ""};
    return std::move(answer.access);
}

}  // namespace

Result<std::string> authorization_url(const Granting& granting, const std::string& state,
                                      const std::string& verifier) {
    const auto& server = granting.found.server;
    if (server.authorization_endpoint.empty())
        return Error{ErrorKind::unsupported, "the authorization server " + server.issuer +
                                                 " has no authorization_endpoint: nobody can sign "
                                                 "in there"};
    if (!server.s256)
        return Error{ErrorKind::unsupported,
                     "the authorization server " + server.issuer +
                         " does not say that it supports PKCE with S256 "
                         "(code_challenge_methods_supported), without which a sign-in is not safe"};
    auto scopes = granting.scopes;
    const auto& offered = server.scopes;
    const bool offline =
        granting.settings.offline_access &&
        std::find(offered.begin(), offered.end(), "offline_access") != offered.end();
    if (offline) add_scopes(scopes, {"offline_access"});
    FormParams params{{"response_type", "code"},
                      {"client_id", granting.client.client_id},
                      {"redirect_uri", granting.client.redirect_uri},
                      {"state", state},
                      {"code_challenge", sha256_url(verifier)},
                      {"code_challenge_method", "S256"},
                      {"resource", granting.found.resource}};
    if (!scopes.empty()) params.emplace_back("scope", join_scopes(scopes));
    // OpenID Connect gives offline access only where the person was asked.
    if (offline) params.emplace_back("prompt", "consent");
    if (granting.dpop) params.emplace_back("dpop_jkt", granting.dpop->thumbprint());
    return with_params(server.authorization_endpoint, params);
}

Granted redeem_code(const Granting& granting, const std::string& code,
                    const std::string& verifier) {
    return ask(granting, {{"grant_type", "authorization_code"},
                          {"code", code},
                          {"redirect_uri", granting.client.redirect_uri},
                          {"code_verifier", verifier}});
}

Granted refresh(const Granting& granting, const Tokens& old) {
    auto outcome = ask(granting, {{"grant_type", "refresh_token"}, {"refresh_token", old.refresh}});
    if (auto* tokens = std::get_if<Tokens>(&outcome); tokens != nullptr && tokens->refresh.empty())
        tokens->refresh = old.refresh;  // it was not rotated
    return outcome;
}

Granted grant_unattended(const Granting& granting) {
    if (granting.settings.grant == Grant::client_credentials) {
        FormParams form{{"grant_type", "client_credentials"}};
        add_scope(granting, form);
        return ask(granting, std::move(form));
    }
    auto assertion = granting.settings.assertion(granting.web.deadline());
    if (!assertion) return TokenRefusal{std::move(assertion).error(), ""};
    if (granting.settings.grant == Grant::jwt_bearer)
        return by_assertion(granting, std::move(*assertion));
    auto exchanged = exchange(granting, std::move(*assertion));
    if (auto* refusal = std::get_if<TokenRefusal>(&exchanged)) return std::move(*refusal);
    return by_assertion(granting, std::get<std::string>(std::move(exchanged)));
}

Result<void> revoke(const Granting& granting, const Tokens& tokens) {
    const auto& endpoint = granting.found.server.revocation_endpoint;
    if (endpoint.empty()) return {};
    const bool whole = !tokens.refresh.empty();  // with it, its access tokens go
    FormParams form{{"token", whole ? tokens.refresh : tokens.access},
                    {"token_type_hint", whole ? "refresh_token" : "access_token"}};
    outbound::Headers headers;
    if (auto done = authenticate(request_to(granting, endpoint), headers, form); !done) return done;
    auto answer = granting.web.post(endpoint, "application/x-www-form-urlencoded",
                                    form_encode(form), std::move(headers));
    if (!answer) return std::move(answer).error();
    if (answer->head.status == 200) return {};
    return Error{ErrorKind::denied, "the authorization server " + granting.found.server.issuer +
                                        " refused to revoke the token: " +
                                        describe_refusal(*answer, {tokens.refresh, tokens.access,
                                                                   granting.client.client_secret})};
}

}  // namespace pb::client::oauth
