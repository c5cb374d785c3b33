// SPDX-License-Identifier: Apache-2.0
// WWW-Authenticate (RFC 9110 §11.6.1): what a server wants to be shown.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pb::client::oauth {

struct AuthScheme {
    std::string name;                                         // lower case: "bearer", "dpop"
    std::vector<std::pair<std::string, std::string>> params;  // names in lower case

    std::string_view param(std::string_view name) const;  // empty if absent
};

// The challenges of a header, in their order. What cannot be understood ends it: what came before
// counts.
std::vector<AuthScheme> parse_challenges(std::string_view header);

// What the OAuth schemes (Bearer and DPoP) of a header say together.
struct Demand {
    std::string resource_metadata;
    std::vector<std::string> scopes;
    std::string error;  // "invalid_token", "insufficient_scope", "use_dpop_nonce"
    bool dpop = false;  // DPoP is asked for, and Bearer is not offered
};
Demand read_demand(std::string_view header);

// Space-separated scopes to a list without repetition, and back. Nothing if a scope has characters
// that none may have, or if there are too many: then nobody asked for anything sensible.
std::vector<std::string> split_scopes(std::string_view text);
std::string join_scopes(const std::vector<std::string>& scopes);
// Adds what is not there yet; whether there was something.
bool add_scopes(std::vector<std::string>& scopes, const std::vector<std::string>& more);

}  // namespace pb::client::oauth
