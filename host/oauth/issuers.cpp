// SPDX-License-Identifier: Apache-2.0
#include "oauth/issuers.h"

#include <algorithm>

#include "base/tokens.h"
#include "base/url.h"
#include "json/scan.h"
#include "oauth/issuers_claims.h"
#include "oauth/issuers_keys.h"

namespace pb::oauth {
namespace {

constexpr std::chrono::seconds most_skew{600};
constexpr std::size_t longest_issuer = 1024;
constexpr std::size_t most_verified = 10'000;

Error wrong(const ExternalIssuer& issuer, const std::string& why) {
    return invalid("the issuer \"" + issuer.issuer.substr(0, 200) + "\": " + why);
}

Result<void> check_place(const ExternalIssuer& issuer) {
    if (issuer.issuer.empty() || issuer.issuer.size() > longest_issuer)
        return wrong(issuer, "its name has 1 to 1024 characters");
    if (!issuer.jwks_uri.empty()) {
        const auto keys = parse_secure_url(issuer.jwks_uri, "jwks_uri", false);
        return keys ? Result<void>() : wrong(issuer, keys.error().message);
    }
    const auto url = parse_secure_url(issuer.issuer, "its name", false);
    if (!url)
        return wrong(issuer, url.error().message + "; without a jwks_uri it has to be its URL");
    if (!url->query.empty()) return wrong(issuer, "its name has a query: jwks_uri is needed");
    return {};
}

Result<void> check_org(const ExternalIssuer& issuer) {
    if (!issuer.org.empty() && !issuer.org_claim.empty())
        return wrong(issuer, "there is either an org or an org_claim");
    if (issuer.org.empty() && issuer.org_claim.empty())
        return wrong(issuer, "it needs an org, or an org_claim that says which");
    return {};
}

Result<void> check_scopes(const ExternalIssuer& issuer) {
    for (const auto& [value, names] : issuer.scopes)
        if (auto scopes = access::Scopes::of(names); !scopes)
            return wrong(issuer, "the scopes of \"" + value + "\": " + scopes.error().message);
    if (auto scopes = access::Scopes::of(issuer.default_scopes); !scopes)
        return wrong(issuer, "default_scopes: " + scopes.error().message);
    if (issuer.scopes.empty() && issuer.default_scopes.empty() && !issuer.own_scopes)
        return wrong(issuer,
                     "its tokens permit nothing: it needs scopes, own_scopes or "
                     "default_scopes");
    return {};
}

Result<void> check_config(const ExternalIssuer& issuer) {
    for (const auto check : {check_place, check_org, check_scopes})
        if (auto sound = check(issuer); !sound) return sound;
    for (const auto& name : issuer.algorithms)
        if (!jose::algorithm_from(name))
            return wrong(issuer, "its algorithms are among RS256, ES256 and EdDSA");
    if (issuer.scope_claim.empty() || issuer.principal_claim.empty())
        return wrong(issuer, "scope_claim and principal_claim name claims");
    if (issuer.clock_skew.count() < 0 || issuer.clock_skew > most_skew)
        return wrong(issuer, "clock_skew is 0 to 600 seconds");
    return {};
}

// RFC 9068, 2.1, and what came before it. Others (a logout token, a proof) are not for access.
bool is_access_token(std::string_view type) {
    return type.empty() || type == "jwt" || type == "at+jwt";
}

}  // namespace

Result<std::unique_ptr<Issuers>> Issuers::make(std::vector<ExternalIssuer> issuers, Parts parts) {
    std::unique_ptr<Issuers> out(new Issuers(std::move(parts)));
    for (auto& issuer : issuers) {
        if (auto sound = check_config(issuer); !sound) return sound.error();
        for (const auto& [other, keys] : out->issuers_)
            if (other.issuer == issuer.issuer && out->share_audience(other, issuer))
                return wrong(issuer, "it is configured twice for one audience");
        auto keys = out->keys_of(issuer);
        out->issuers_.push_back({std::move(issuer), std::move(keys)});
    }
    return out;
}

Issuers::~Issuers() {
    for (const auto& issuer : issuers_)
        issuer.keys->stop();
}

std::shared_ptr<PublishedKeys> Issuers::keys_of(const ExternalIssuer& issuer) {
    for (const auto& other : issuers_)
        if (other.config.issuer == issuer.issuer && other.config.jwks_uri == issuer.jwks_uri)
            return other.keys;
    return std::make_shared<PublishedKeys>(issuer.issuer, issuer.jwks_uri, parts_, workers_);
}

bool Issuers::takes_audience(const ExternalIssuer& issuer, std::string_view audience) const {
    const auto& own = issuer.audiences;
    if (own.empty()) return parts_.is_ours && parts_.is_ours(audience);
    return std::find(own.begin(), own.end(), audience) != own.end();
}

bool Issuers::share_audience(const ExternalIssuer& a, const ExternalIssuer& b) const {
    if (a.audiences.empty() && b.audiences.empty()) return true;
    const auto takes = [this](const ExternalIssuer& issuer, const ExternalIssuer& other) {
        return std::any_of(other.audiences.begin(), other.audiences.end(),
                           [&](const auto& each) { return takes_audience(issuer, each); });
    };
    return takes(a, b) || takes(b, a);
}

std::optional<Issuers::Outcome> Issuers::check(std::string_view text) {
    const auto digest = sha256(text);
    if (auto holder = recall(digest)) return std::move(*holder);
    const auto token = jose::read_token(text);
    if (!token) return std::nullopt;
    const auto issuer = json::string_value(json::member(token->claims, "iss"));
    if (!issuer) return std::nullopt;
    const auto audiences = texts_of(json::member(token->claims, "aud"));
    const Known* found = nullptr;
    bool known = false;
    for (const auto& each : issuers_) {
        if (each.config.issuer != *issuer) continue;
        known = true;
        const bool takes = std::any_of(audiences.begin(), audiences.end(), [&](const auto& one) {
            return takes_audience(each.config, one);
        });
        if (!takes) continue;
        // Whose it is must not depend on the order of the configuration.
        if (found != nullptr)
            return Refused{.description = "the token is for more than one audience here (aud)"};
        found = &each;
    }
    if (!known) return std::nullopt;
    if (found == nullptr) return Refused{.description = "the token is for another audience (aud)"};
    return check(*found, *token, digest);
}

std::optional<Issuers::Holder> Issuers::recall(const std::string& digest) {
    std::lock_guard lock(mutex_);
    const auto found = verified_.find(digest);
    if (found == verified_.end()) return std::nullopt;
    const auto& [issuer, keys, holder] = found->second;
    const std::chrono::milliseconds expires(holder.expires_ms);
    if (keys == issuer->keys->fresh() && parts_.now().time_since_epoch() < expires) return holder;
    verified_.erase(found);
    return std::nullopt;
}

Issuers::Outcome Issuers::check(const Known& issuer, const jose::Token& token,
                                const std::string& digest) {
    const auto& config = issuer.config;
    const auto refused = [](std::string why) { return Refused{.description = std::move(why)}; };
    const auto algorithm = jose::algorithm_from(token.algorithm);
    const bool taken =
        algorithm &&
        (config.algorithms.empty() ||
         std::any_of(config.algorithms.begin(), config.algorithms.end(),
                     [&](const auto& name) { return jose::algorithm_from(name) == algorithm; }));
    if (!taken) return refused("the token is signed with an algorithm that is not taken here");
    if (!is_access_token(token.type)) return refused("the token is no access token (typ)");
    // Whoever has it might not be whom it was given to: that is what such a key is for.
    if (!json::member(token.claims, "cnf").empty())
        return refused("the token is bound to a key (cnf): a plain bearer token is needed");
    access::Millis expires_ms = 0;
    if (auto valid = check_times(token.claims, config.clock_skew, parts_.now(), expires_ms); !valid)
        return refused(std::move(valid).error().message);
    auto keys = issuer.keys->for_token(token);
    if (!keys) return Refused{503, {}, "the keys of the token's issuer cannot be had at present"};
    if (auto valid = keys->verify(token); !valid) return refused(std::move(valid).error().message);
    auto out = holder_of(config, token.claims);
    if (auto* holder = std::get_if<Holder>(&out)) {
        holder->expires_ms = expires_ms;
        std::lock_guard lock(mutex_);
        if (verified_.size() >= most_verified) verified_.clear();
        verified_.insert_or_assign(digest, Verified{&issuer, std::move(keys), *holder});
    }
    return out;
}

}  // namespace pb::oauth
