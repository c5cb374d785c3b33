// SPDX-License-Identifier: Apache-2.0
// Tokens of issuers elsewhere: JWTs that an identity provider has signed, held against its
// published keys and against what is configured for it, which also says whose they are here.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "access/records.h"
#include "access/scopes.h"
#include "base/workers.h"
#include "jose/verify.h"
#include "outbound/http.h"

namespace pb::oauth {

// One issuer, as it is configured. A claim is named as it is, or, where it lies inside another one,
// by a JSON pointer: "/realm_access/roles".
struct ExternalIssuer {
    std::string issuer;    // exactly as the tokens' "iss"
    std::string jwks_uri;  // where its keys are; empty: as its metadata say (RFC 8414 or OIDC)
    std::vector<std::string> audiences;   // one of them is in "aud"; empty: this host's own URL
    std::vector<std::string> algorithms;  // RS256, ES256, EdDSA; empty: all three

    // The organisation: this one, or the one that the claim's value stands for.
    std::string org;
    std::string org_claim;
    std::map<std::string, std::string> orgs;  // by the claim's values; empty: they are the names

    // The scopes: what each of the claim's values (an array's, or words of a text) stands for,
    // taken together like the words of one scope parameter: "action:" and the like narrow all of
    // them.
    std::string scope_claim = "scope";
    std::map<std::string, std::vector<std::string>> scopes;
    bool own_scopes = false;  // mcp:, action:, source: and object: also count as they are
    std::vector<std::string> default_scopes;  // for a token none of whose values says anything here

    std::string principal_claim = "sub";
    std::chrono::seconds clock_skew{60};
};

class PublishedKeys;

class Issuers {
  public:
    struct Parts {
        // To reach the network: outbound::Http::fetch, with its guard.
        std::function<std::variant<outbound::Answer, outbound::Failure>(outbound::Request)> fetch;
        // [any thread] Whether an audience is this host's own URL.
        std::function<bool(std::string_view audience)> is_ours;
        std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
        std::function<std::chrono::steady_clock::time_point()> ticks =
            std::chrono::steady_clock::now;
        // How long a token waits for its issuer's keys.
        std::chrono::milliseconds patience{3000};
    };

    // Whose a token is.
    struct Holder {
        std::string org;
        std::string principal;  // "ext_<digest of the issuer>:<the principal claim>"
        access::Scopes scopes;
        std::string client;  // "azp" or "client_id"; may be empty
        access::Millis expires_ms = 0;
    };
    // Why it is of no use, as RFC 6750, 3.1 puts it. Nothing of the token is in it.
    struct Refused {
        int status = 401;  // or 403, or 503 while the issuer's keys cannot be had
        std::string_view error = "invalid_token";  // empty for 503
        std::string description;
    };
    using Outcome = std::variant<Holder, Refused>;

    // The error names the issuer and what is wrong with it. Nothing is fetched before it is needed.
    static Result<std::unique_ptr<Issuers>> make(std::vector<ExternalIssuer> issuers, Parts parts);
    // Fetches that are under way are waited for, some seconds at most.
    ~Issuers();

    // [any thread, waits a few seconds at most] Nothing if it is no token of an issuer that is
    // configured.
    std::optional<Outcome> check(std::string_view token);

  private:
    struct Known {
        ExternalIssuer config;
        std::shared_ptr<PublishedKeys> keys;  // those of one place are shared
    };

    // What was verified once, for as long as the keys are those that it was verified with.
    struct Verified {
        const Known* issuer;
        std::shared_ptr<const jose::KeySet> keys;
        Holder holder;
    };

    explicit Issuers(Parts parts) : parts_(std::move(parts)) {}
    std::shared_ptr<PublishedKeys> keys_of(const ExternalIssuer& issuer);
    bool takes_audience(const ExternalIssuer& issuer, std::string_view audience) const;
    bool share_audience(const ExternalIssuer& a, const ExternalIssuer& b) const;
    Outcome check(const Known& issuer, const jose::Token& token, const std::string& digest);
    std::optional<Holder> recall(const std::string& digest);

    const Parts parts_;
    Workers workers_{8};
    std::vector<Known> issuers_;

    std::mutex mutex_;
    std::unordered_map<std::string, Verified> verified_;  // by the token's digest
};

}  // namespace pb::oauth
