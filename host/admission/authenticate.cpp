// SPDX-License-Identifier: Apache-2.0
#include "admission/authenticate.h"

#include <algorithm>

namespace pb::admission {
namespace {

using runtime::Standing;

constexpr std::size_t longest_secret = 16U << 10U;
constexpr std::size_t most_known = 20'000;
constexpr access::Millis use_written_every = 60'000;

runtime::CallerPtr make_caller(std::string org, std::string principal, std::string kind,
                               const access::Scopes& scopes) {
    runtime::Caller out;
    out.org = std::move(org);
    out.principal = std::move(principal);
    out.principal_kind = std::move(kind);
    out.permits = scopes;
    out.scopes = scopes.names();
    out.permissions = scopes.text();
    return std::make_shared<runtime::Caller>(std::move(out));
}

// The token of "Bearer <token>"; nullopt for another scheme.
std::optional<std::string_view> bearer(std::string_view value) {
    constexpr std::string_view scheme = "bearer";
    const auto space = value.find(' ');
    if (space != scheme.size()) return std::nullopt;
    for (std::size_t i = 0; i < scheme.size(); ++i)
        if ((value[i] | 0x20) != scheme[i]) return std::nullopt;
    const auto start = value.find_first_not_of(' ', space);
    if (start == std::string_view::npos) return std::nullopt;
    return value.substr(start);
}

// No error where nothing came that could be a credential here (RFC 6750, 3.1): a client that sees
// one may not think of signing in.
Refused none_sent(std::string why) { return {401, {}, std::move(why)}; }
Refused bad_token(std::string why) { return {401, "invalid_token", std::move(why)}; }
Refused bad_request(std::string why) { return {400, "invalid_request", std::move(why)}; }

}  // namespace

Authenticator::Authenticator(Options options, access::Access* access)
    : options_(std::move(options)),
      anonymous_(make_caller(options_.anonymous_org, "anonymous", "anonymous",
                             access::Scopes::everything())),
      access_(access) {}

runtime::CallerPtr Authenticator::external(const std::string& org, const std::string& principal,
                                           const access::Scopes& scopes, const std::string& client,
                                           access::Millis expires_ms) {
    auto out = std::make_shared<runtime::Caller>(*make_caller(org, principal, "user", scopes));
    out->credential = principal;
    out->client = client;
    out->expires_ms = expires_ms;
    return out;
}

runtime::CallerPtr Authenticator::service(const std::string& org, const std::string& capability) {
    return make_caller(org, "service:" + capability, "service", access::Scopes::everything());
}

Authenticated Authenticator::authenticate(const Presented& presented) {
    if (presented.repeated)
        return bad_request("Authorization, X-API-Key and X-Org-ID come once each");
    std::string_view secret = presented.api_key;
    if (!presented.authorization.empty()) {
        const auto token = bearer(presented.authorization);
        if (!token) return none_sent("the Authorization header is \"Bearer <token>\"");
        if (!secret.empty() || !presented.url_key.empty())
            return bad_request("send one credential, not several");
        secret = *token;
    } else if (!secret.empty() && !presented.url_key.empty()) {
        return bad_request("send one credential, not several");
    }
    const bool in_url = secret.empty() && !presented.url_key.empty();
    if (in_url) secret = presented.url_key;
    Authenticated out = Refused();
    if (!secret.empty()) {
        out = by_secret(secret, in_url);
    } else if (presented.loopback && options_.anonymous && !presented.forwarded) {
        out = anonymous_;
    } else if (presented.loopback && options_.anonymous) {
        // A proxy on this machine: everybody behind it would be this machine's own user.
        out = none_sent(
            "credentials are needed: without them only callers on this machine come in, "
            "who ask for localhost itself, and this request was forwarded (by its Host, "
            "Forwarded, X-Forwarded-*, X-Real-IP or Via)");
    } else {
        out = none_sent(
            "credentials are needed: an API key or an access token as Authorization: Bearer");
    }
    const auto* caller = std::get_if<runtime::CallerPtr>(&out);
    if (caller && !presented.org.empty() && (*caller)->org != presented.org)
        return bad_request("X-Org-ID names another organisation than the credential is for");
    return out;
}

Authenticated Authenticator::by_secret(std::string_view secret, bool in_url) {
    if (!access_) return bad_token("there are no credentials here");
    if (secret.size() > longest_secret) return bad_token("it is too long for a credential");
    const bool ours =
        secret.starts_with(access::key_prefix) || secret.starts_with(access::access_prefix);
    if (!ours && options_.external && !in_url)
        if (auto external = options_.external(secret)) return *external;
    // What was found before something was taken away counts no more.
    const auto version = access_->records->version();
    const auto key = sha256(secret);
    {
        std::lock_guard lock(mutex_);
        if (version_ != version) known_.clear();
        version_ = version;
        const auto found = known_.find(key);
        if (found != known_.end() && !in_url && in_time(*found->second) == Standing::good)
            return found->second;
    }
    Refused refused = bad_token("it is unknown, expired or revoked");
    auto caller = look_up(secret, in_url, refused);
    if (!caller) return refused;
    std::lock_guard lock(mutex_);
    if (known_.size() >= most_known) known_.clear();
    if (version_ == version && !in_url) known_.insert_or_assign(key, caller);
    return caller;
}

Standing Authenticator::in_time(const runtime::Caller& caller) {
    if (caller.expires_ms == 0 || caller.expires_ms > access::now_ms()) return Standing::good;
    return caller.principal_kind == "key" ? Standing::gone : Standing::stale;
}

// Where nobody knows at present, what is open stays.
Standing Authenticator::standing(const runtime::Caller& caller) {
    const auto by_time = in_time(caller);
    if (by_time == Standing::gone || !access_ || caller.credential.empty()) return by_time;
    if (caller.principal_kind == "key")
        return has_key(caller).value_or(true) ? by_time : Standing::gone;
    if (caller.token.empty()) return by_time;  // somebody else's to know
    if (!has_grant(caller).value_or(true)) return Standing::gone;
    const auto token = access_->grants.has_access(caller.token);
    return token && !*token ? Standing::stale : by_time;
}

std::optional<bool> Authenticator::has_key(const runtime::Caller& caller) {
    const auto key = access_->keys.exists(caller.org, caller.credential);
    return key ? std::optional(*key) : std::nullopt;
}

std::optional<bool> Authenticator::has_grant(const runtime::Caller& caller) {
    const auto grant = access_->grants.find(caller.credential);
    if (!grant) return std::nullopt;
    if (!*grant || (*grant)->person.empty()) return grant->has_value();
    const auto role = access_->people.role(caller.org, (*grant)->person);
    if (!role) return std::nullopt;
    return *role && access::name_of(**role) == caller.role;
}

runtime::CallerPtr Authenticator::look_up(std::string_view secret, bool in_url, Refused& refused) {
    if (secret.starts_with(access::access_prefix))
        return in_url ? nullptr : look_up_token(secret, refused);
    if (secret.starts_with(access::key_prefix)) return look_up_key(secret, in_url, refused);
    return nullptr;
}

runtime::CallerPtr Authenticator::look_up_key(std::string_view secret, bool in_url,
                                              Refused& refused) {
    auto key = access_->keys.find(secret);
    if (!key) refused = {503, {}, key.error().message};
    if (!key || !*key) return nullptr;
    const auto& found = **key;
    if (in_url && (!options_.takes_url_keys || !options_.takes_url_keys(found.org))) {
        refused = bad_token("this organisation takes no keys in URLs: send it as a header");
        return nullptr;
    }
    const auto now = access::now_ms();
    if (now - found.used_ms.value_or(0) > use_written_every) access_->keys.used(found.id, now);
    auto caller =
        std::make_shared<runtime::Caller>(*make_caller(found.org, found.id, "key", found.scopes));
    caller->credential = found.id;
    caller->role = found.role;
    caller->permissions += '\n' + caller->role;
    caller->expires_ms = found.expires_ms.value_or(0);
    return caller;
}

runtime::CallerPtr Authenticator::look_up_token(std::string_view secret, Refused& refused) {
    auto access = access_->grants.find_access(secret);
    if (!access) refused = {503, {}, access.error().message};
    if (!access || !*access) return nullptr;
    const auto& [grant, scopes, expires_ms] = **access;
    // Whose token is for another server may not be used here (RFC 8707; the 2026-07-28
    // authorization page, "Access Token Usage").
    if (options_.is_ours && !options_.is_ours(grant.resource)) {
        refused = bad_token("the token is for another resource");
        return nullptr;
    }
    auto permits = scopes;
    std::string role_name;
    if (grant.person.empty()) {
        auto machine = access_->clients.find(grant.client);
        if (!machine) refused = {503, {}, machine.error().message};
        if (!machine || !*machine) return nullptr;
        role_name = (*machine)->role;
    } else {
        auto role = access_->people.role(grant.org, grant.person);
        if (!role) refused = {503, {}, role.error().message};
        if (!role || !*role) return nullptr;
        permits = scopes.within(access::most_of(**role));
        role_name = access::name_of(**role);
    }
    const auto now = access::now_ms();
    if (now - grant.used_ms.value_or(0) > use_written_every) access_->grants.used(grant.id, now);
    const bool machine = grant.person.empty();
    auto caller = std::make_shared<runtime::Caller>(*make_caller(
        grant.org, machine ? grant.client : grant.person, machine ? "service" : "user", permits));
    caller->credential = grant.id;
    caller->role = std::move(role_name);
    caller->permissions += '\n' + caller->role;
    caller->client = grant.client;
    caller->token = sha256(secret);
    caller->expires_ms = expires_ms;
    return caller;
}

}  // namespace pb::admission
