// SPDX-License-Identifier: Apache-2.0
#include "client/oauth/records.h"

#include <map>
#include <mutex>

#include "client/oauth/challenge.h"
#include "jose/jose.h"
#include "json/scan.h"

namespace pb::client {
namespace {

class MemoryTokenStore : public TokenStore {
  public:
    Result<std::optional<std::string>> load(const std::string& key) override {
        const std::lock_guard lock(mutex_);
        const auto found = texts_.find(key);
        return found == texts_.end() ? std::nullopt : std::optional(found->second);
    }
    Result<void> save(const std::string& key, const std::string& text) override {
        const std::lock_guard lock(mutex_);
        texts_[key] = text;
        return {};
    }
    Result<void> remove(const std::string& key) override {
        const std::lock_guard lock(mutex_);
        texts_.erase(key);
        return {};
    }

  private:
    std::mutex mutex_;
    std::map<std::string, std::string> texts_;
};

}  // namespace

TokenStorePtr memory_token_store() { return std::make_shared<MemoryTokenStore>(); }

namespace oauth {
namespace {

// Writes an object; what is empty, false or zero is left out.
class Writer {
  public:
    Writer& text(std::string_view name, std::string_view value) {
        return value.empty() ? *this : raw(name, json::quote(value));
    }
    Writer& texts(std::string_view name, const std::vector<std::string>& values) {
        return values.empty() ? *this : raw(name, quote_all(values));
    }
    Writer& number(std::string_view name, Seconds value) {
        return value == 0 ? *this : raw(name, std::to_string(value));
    }
    Writer& flag(std::string_view name, bool value) { return value ? raw(name, "true") : *this; }
    Writer& raw(std::string_view name, std::string_view value) {
        out_.append(out_.size() > 1 ? ",\"" : "\"").append(name).append("\":").append(value);
        return *this;
    }
    std::string end() { return out_ + "}"; }

  private:
    std::string out_ = "{";
};

Seconds number_member(std::string_view object, std::string_view name) {
    return json::integer_value(json::member(object, name)).value_or(0);
}

// A record is our own, but the store may have been damaged.
bool is_sound(std::string_view text) { return json::scan(text).ok(); }

std::string to_json(const AuthorizationServer& server) {
    return Writer()
        .text("issuer", server.issuer)
        .text("authorization_endpoint", server.authorization_endpoint)
        .text("token_endpoint", server.token_endpoint)
        .text("registration_endpoint", server.registration_endpoint)
        .text("revocation_endpoint", server.revocation_endpoint)
        .texts("scopes", server.scopes)
        .texts("auth_methods", server.auth_methods)
        .texts("signing_algorithms", server.signing_algorithms)
        .texts("dpop_algorithms", server.dpop_algorithms)
        .flag("s256", server.s256)
        .flag("iss_in_response", server.iss_in_response)
        .flag("client_id_metadata", server.client_id_metadata)
        .end();
}

std::optional<AuthorizationServer> server_from_json(std::string_view object) {
    AuthorizationServer out;
    out.issuer = text_member(object, "issuer");
    out.authorization_endpoint = text_member(object, "authorization_endpoint");
    out.token_endpoint = text_member(object, "token_endpoint");
    out.registration_endpoint = text_member(object, "registration_endpoint");
    out.revocation_endpoint = text_member(object, "revocation_endpoint");
    out.scopes = texts_member(object, "scopes");
    out.auth_methods = texts_member(object, "auth_methods");
    out.signing_algorithms = texts_member(object, "signing_algorithms");
    out.dpop_algorithms = texts_member(object, "dpop_algorithms");
    out.s256 = true_member(object, "s256");
    out.iss_in_response = true_member(object, "iss_in_response");
    out.client_id_metadata = true_member(object, "client_id_metadata");
    if (out.issuer.empty() || out.token_endpoint.empty()) return std::nullopt;
    return out;
}

std::string to_json(const Found& found) {
    return Writer()
        .text("resource", found.resource)
        .texts("scopes", found.scopes)
        .flag("dpop_required", found.dpop_required)
        .raw("server", to_json(found.server))
        .end();
}

std::optional<Found> found_from_json(std::string_view object) {
    auto server = server_from_json(json::member(object, "server"));
    if (!server) return std::nullopt;
    return Found{text_member(object, "resource"), texts_member(object, "scopes"),
                 true_member(object, "dpop_required"), std::move(*server)};
}

std::string to_json(const SignIn& sign_in) {
    return Writer()
        .text("state", sign_in.state)
        .text("owner", sign_in.owner)
        .text("url", sign_in.url)
        .text("verifier", sign_in.verifier)
        .raw("found", to_json(sign_in.found))
        .raw("client", to_json(sign_in.client))
        .texts("scopes", sign_in.scopes)
        .text("dpop_key", sign_in.dpop_key)
        .number("expires", sign_in.expires)
        .end();
}

}  // namespace

std::string record_key(std::string_view kind, std::initializer_list<std::string_view> parts) {
    std::string joined;
    for (const auto part : parts)
        joined.append(part).append("\n");
    return "oauth." + std::string(kind) + "." + sha256_url(joined);
}

std::string to_json(const Tokens& tokens) {
    return Writer()
        .text("issuer", tokens.issuer)
        .text("resource", tokens.resource)
        .raw("client", to_json(tokens.client))
        .text("access", tokens.access)
        .text("refresh", tokens.refresh)
        .text("dpop_key", tokens.dpop_key)
        .texts("scopes", tokens.scopes)
        .number("expires", tokens.expires)
        .number("refresh_at", tokens.refresh_at)
        .end();
}

std::optional<Tokens> tokens_from_json(std::string_view text) {
    if (!is_sound(text)) return std::nullopt;
    auto client = registration_from_json(json::member(text, "client"));
    Tokens out;
    out.issuer = text_member(text, "issuer");
    out.resource = text_member(text, "resource");
    out.access = text_member(text, "access");
    out.refresh = text_member(text, "refresh");
    out.dpop_key = text_member(text, "dpop_key");
    out.scopes = texts_member(text, "scopes");
    out.expires = number_member(text, "expires");
    out.refresh_at = number_member(text, "refresh_at");
    if (!client || out.issuer.empty() || out.access.empty()) return std::nullopt;
    out.client = std::move(*client);
    return out;
}

std::string to_json(const Registration& registration) {
    return Writer()
        .text("issuer", registration.issuer)
        .text("redirect_uri", registration.redirect_uri)
        .text("client_id", registration.client_id)
        .text("client_secret", registration.client_secret)
        .text("auth_method", registration.auth_method)
        .texts("scopes", registration.scopes)
        .number("expires", registration.expires)
        .end();
}

std::optional<Registration> registration_from_json(std::string_view text) {
    if (!is_sound(text)) return std::nullopt;
    Registration out;
    out.issuer = text_member(text, "issuer");
    out.redirect_uri = text_member(text, "redirect_uri");
    out.client_id = text_member(text, "client_id");
    out.client_secret = text_member(text, "client_secret");
    out.auth_method = text_member(text, "auth_method");
    out.scopes = texts_member(text, "scopes");
    out.expires = number_member(text, "expires");
    if (out.issuer.empty() || out.client_id.empty()) return std::nullopt;
    return out;
}

std::string to_json(const std::vector<SignIn>& sign_ins) {
    std::string out = "[";
    for (const auto& sign_in : sign_ins)
        out.append(out.size() > 1 ? "," : "").append(to_json(sign_in));
    return out + "]";
}

std::vector<SignIn> sign_ins_from_json(std::string_view text) {
    std::vector<SignIn> out;
    std::vector<std::string_view> elements;
    if (!is_sound(text) || !json::elements(text, elements)) return out;
    for (const auto element : elements) {
        auto found = found_from_json(json::member(element, "found"));
        auto client = registration_from_json(json::member(element, "client"));
        if (!found || !client) continue;
        out.push_back({text_member(element, "state"), text_member(element, "owner"),
                       text_member(element, "url"), text_member(element, "verifier"),
                       std::move(*found), std::move(*client), texts_member(element, "scopes"),
                       text_member(element, "dpop_key"), number_member(element, "expires")});
    }
    return out;
}

std::string to_json(const Memory& memory) {
    Writer out;
    out.flag("asked", memory.asked)
        .flag("dpop", memory.dpop)
        .text("resource_metadata", memory.resource_metadata)
        .texts("scopes", memory.scopes)
        .number("found_at", memory.found_at);
    if (memory.found) out.raw("found", to_json(*memory.found));
    return out.end();
}

std::optional<Memory> memory_from_json(std::string_view text) {
    if (!is_sound(text)) return std::nullopt;
    Memory out;
    out.asked = true_member(text, "asked");
    out.dpop = true_member(text, "dpop");
    out.resource_metadata = text_member(text, "resource_metadata");
    out.scopes = texts_member(text, "scopes");
    out.found_at = number_member(text, "found_at");
    out.found = found_from_json(json::member(text, "found"));
    return out;
}

}  // namespace oauth
}  // namespace pb::client
