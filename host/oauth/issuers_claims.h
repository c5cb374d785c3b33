// SPDX-License-Identifier: Apache-2.0
// What the claims of a token say, to whoever knows how its issuer is configured. That the issuer
// has signed them is checked elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oauth/issuers.h"

namespace pb::oauth {

// The value of a claim, by name or JSON pointer; empty if absent.
std::string_view find_claim(std::string_view claims, std::string_view name);
// A text, or the texts of an array.
std::vector<std::string> texts_of(std::string_view value);

// exp, nbf and iat. `expires_ms` gets the first, with the skew.
Result<void> check_times(std::string_view claims, std::chrono::seconds skew,
                         std::chrono::system_clock::time_point now, access::Millis& expires_ms);

// Whose the token is, but for when it expires.
Issuers::Outcome holder_of(const ExternalIssuer& issuer, std::string_view claims);

}  // namespace pb::oauth
