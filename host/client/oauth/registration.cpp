// SPDX-License-Identifier: Apache-2.0
#include "client/oauth/registration.h"

#include <algorithm>

#include "client/oauth/challenge.h"
#include "client/oauth/token_request.h"
#include "jose/jose.h"
#include "json/scan.h"

namespace pb::client {
namespace oauth {
namespace {

constexpr std::size_t longest_secret = 4096;

std::string key_of(const OAuthSettings& settings, const std::string& issuer) {
    return record_key("client", {issuer, settings.redirect_uri});
}

// RFC 8252: what is on the person's own machine is native, for servers that tell them apart.
std::string application_type(const std::string& redirect_uri) {
    const auto url = parse_url(redirect_uri, "the redirect URI");
    return url && !url->loopback() ? "web" : "native";
}

Result<void> check_algorithm(const OAuthSettings& settings, const AuthorizationServer& server,
                             const std::string& method) {
    const auto& known = server.signing_algorithms;
    if (method != "private_key_jwt" || known.empty()) return {};
    const auto key = jose::SigningKey::from_pem(settings.private_key);
    if (!key) return key.error();
    if (std::find(known.begin(), known.end(), key->algorithm()) != known.end()) return {};
    return invalid("the authorization server " + server.issuer + " takes no assertions with " +
                   key->algorithm() + ", which is what the configured key signs with");
}

Result<Registration> registered_beforehand(const OAuthSettings& settings, TokenStore& store,
                                           const AuthorizationServer& server) {
    // Whose client it is was not configured: the first one that is found, and no other later.
    if (settings.issuer.empty()) {
        const auto key = record_key("issuer", {settings.server, settings.client_id});
        auto kept = store.load(key);
        if (!kept) return std::move(kept).error();
        if (!*kept) {
            if (auto saved = store.save(key, server.issuer); !saved)
                return std::move(saved).error();
        } else if (**kept != server.issuer) {
            return Error{ErrorKind::denied,
                         "the authorization server is " + server.issuer + " now, but client_id \"" +
                             settings.client_id + "\" was registered with " + **kept +
                             "; configure a client of the new one, and its issuer"};
        }
    }
    Registration out;
    out.issuer = server.issuer;
    out.redirect_uri = settings.redirect_uri;
    out.client_id = settings.client_id;
    out.client_secret = settings.client_secret;
    out.auth_method = settings.auth_method;
    if (out.auth_method.empty())
        out.auth_method =
            fitting_method(server, !settings.private_key.empty(), !settings.client_secret.empty());
    if (out.auth_method.empty())
        return invalid("the authorization server " + server.issuer +
                       " offers no token_endpoint_auth_method that a client with a secret can use");
    if (auto fits = check_algorithm(settings, server, out.auth_method); !fits)
        return std::move(fits).error();
    return out;
}

std::string registration_request(const OAuthSettings& settings, const std::string& method,
                                 const std::vector<std::string>& scopes) {
    std::string out = "{\"client_name\":" + json::quote(settings.client_name);
    if (!settings.client_uri.empty()) out += ",\"client_uri\":" + json::quote(settings.client_uri);
    out += ",\"redirect_uris\":" + quote_all({settings.redirect_uri}) +
           R"(,"grant_types":["authorization_code","refresh_token"],"response_types":["code"])" +
           R"(,"application_type":")" + application_type(settings.redirect_uri) +
           R"(","token_endpoint_auth_method":")" + method + "\"";
    if (!scopes.empty()) out += ",\"scope\":" + json::quote(join_scopes(scopes));
    return out + "}";
}

bool is_printable(std::string_view text) {
    return text.size() <= longest_secret &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

Result<Registration> read_registration(const std::string& body, const AuthorizationServer& server,
                                       const std::string& asked_method) {
    Registration out;
    out.issuer = server.issuer;
    out.client_id = text_member(body, "client_id");
    out.client_secret = text_member(body, "client_secret");
    out.auth_method = text_member(body, "token_endpoint_auth_method");
    out.scopes = split_scopes(text_member(body, "scope"));
    out.expires = json::integer_value(json::member(body, "client_secret_expires_at")).value_or(0);
    if (out.client_id.empty() || !is_printable(out.client_id) || !is_printable(out.client_secret))
        return invalid("the registration at " + server.issuer + " gave no valid client_id");
    if (out.auth_method.empty()) out.auth_method = asked_method;
    const bool by_secret = out.auth_method.starts_with("client_secret_");
    if (by_secret && out.client_secret.empty()) out.auth_method = "none";
    return out;
}

Result<Registration> register_client(const Web& web, const OAuthSettings& settings,
                                     const AuthorizationServer& server,
                                     const std::vector<std::string>& scopes) {
    const auto method = fitting_method(server, false, true);
    if (method.empty())
        return invalid("the authorization server " + server.issuer +
                       " offers no token_endpoint_auth_method that is known here");
    // A server may refuse scopes that only the resource knows: then without, and it may ask for
    // any.
    for (const auto& asked : {scopes, std::vector<std::string>()}) {
        auto answer = web.post(server.registration_endpoint, "application/json",
                               registration_request(settings, method, asked), {});
        if (!answer) return std::move(answer).error();
        const int status = answer->head.status;
        if (status == 200 || status == 201) {
            auto out = read_registration(answer->body, server, method);
            if (!out) return out;
            out->redirect_uri = settings.redirect_uri;
            add_scopes(out->scopes, asked);
            if (asked.size() < scopes.size()) out->scopes.clear();
            return out;
        }
        const auto code = text_member(answer->body, "error");
        if (code == "invalid_client_metadata" && !asked.empty()) continue;
        const auto kind = status == 429 || status >= 500 ? ErrorKind::busy : ErrorKind::denied;
        return Error{kind,
                     "the authorization server " + server.issuer +
                         " refused to register this client: " + describe_refusal(*answer, {})};
    }
    return internal_error("a client could not be registered");  // not reached: the second has none
}

bool is_current(const Registration& kept, const std::vector<std::string>& scopes, Seconds now) {
    auto known = kept.scopes;
    return (kept.expires == 0 || kept.expires > now + 60) &&
           (known.empty() || !add_scopes(known, scopes));
}

Result<Registration> registered_dynamically(const Web& web, const OAuthSettings& settings,
                                            TokenStore& store, const AuthorizationServer& server,
                                            const std::vector<std::string>& scopes, Seconds now,
                                            bool anew) {
    const auto key = key_of(settings, server.issuer);
    auto kept = store.load(key);
    if (!kept) return std::move(kept).error();
    if (*kept && !anew) {
        auto old = registration_from_json(**kept);
        if (old && old->issuer == server.issuer && is_current(*old, scopes, now)) return *old;
    }
    auto fresh = register_client(web, settings, server, scopes);
    if (!fresh) return fresh;
    if (auto saved = store.save(key, to_json(*fresh)); !saved) return std::move(saved).error();
    return fresh;
}

}  // namespace

std::string fitting_method(const AuthorizationServer& server, bool has_key, bool has_secret) {
    if (has_key && (server.offers("private_key_jwt") || !has_secret)) return "private_key_jwt";
    if (!has_secret) return "none";
    for (const char* method : {"client_secret_basic", "client_secret_post", "none"})
        if (server.offers(method)) return method;
    return "";
}

Result<Registration> identify(const Web& web, const OAuthSettings& settings, TokenStore& store,
                              const Found& found, const std::vector<std::string>& scopes,
                              Seconds now, bool anew) {
    const auto& server = found.server;
    if (!settings.client_id.empty()) return registered_beforehand(settings, store, server);
    if (server.client_id_metadata && !settings.client_metadata_url.empty()) {
        Registration out;
        out.issuer = server.issuer;
        out.redirect_uri = settings.redirect_uri;
        out.client_id = settings.client_metadata_url;
        out.auth_method = settings.private_key.empty() ? "none" : "private_key_jwt";
        return out;
    }
    if (server.registration_endpoint.empty())
        return Error{ErrorKind::denied, "the authorization server " + server.issuer +
                                            " does not register clients by itself; register one "
                                            "there and configure its client_id"};
    auto all = scopes;  // what a step-up may ask for later
    add_scopes(all, found.scopes);
    return registered_dynamically(web, settings, store, server, all, now, anew);
}

bool is_dynamic(const OAuthSettings& settings, const Registration& client) {
    return settings.client_id.empty() && client.client_id != settings.client_metadata_url;
}

void forget_registration(const OAuthSettings& settings, TokenStore& store,
                         const Registration& client) {
    const auto key = key_of(settings, client.issuer);
    const auto text = store.load(key);
    const auto kept = text && *text ? registration_from_json(**text) : std::nullopt;
    if (kept && kept->client_id == client.client_id) (void)store.remove(key);
}

}  // namespace oauth

Result<std::string> client_metadata(const OAuthSettings& settings) {
    const auto url =
        parse_url(settings.client_metadata_url, "the URL of the client metadata document");
    if (!url) return url.error();
    if (url->scheme != "https" || url->path.size() < 2)
        return invalid("the URL of the client metadata document must be https and have a path");
    std::string out = "{\"client_id\":" + json::quote(settings.client_metadata_url) +
                      ",\"client_name\":" + json::quote(settings.client_name);
    if (!settings.client_uri.empty()) out += ",\"client_uri\":" + json::quote(settings.client_uri);
    out += ",\"redirect_uris\":" + oauth::quote_all({settings.redirect_uri}) +
           R"(,"grant_types":["authorization_code","refresh_token"],"response_types":["code"])" +
           R"(,"application_type":")" + oauth::application_type(settings.redirect_uri) + "\"";
    if (settings.private_key.empty()) return out + R"(,"token_endpoint_auth_method":"none"})";
    const auto key = jose::SigningKey::from_pem(settings.private_key);
    if (!key) return key.error();
    auto jwk = json::with(key->public_jwk(), "use", "\"sig\"");
    jwk = json::with(jwk, "alg", json::quote(key->algorithm()));
    if (!settings.key_id.empty()) jwk = json::with(jwk, "kid", json::quote(settings.key_id));
    return out + R"(,"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[)" + jwk +
           "]}}";
}

}  // namespace pb::client
