// SPDX-License-Identifier: Apache-2.0
// The documents by which clients find everything: RFC 9728, RFC 8414 and OpenID Connect Discovery.
#pragma once

#include <string>

#include "oauth/options.h"
#include "oauth/place.h"

namespace pb::oauth {

// Paths, behind the place's prefix.
namespace paths {
inline constexpr std::string_view authorize = "/oauth/authorize", token = "/oauth/token",
                                  registration = "/oauth/register", revoke = "/oauth/revoke",
                                  jwks = "/oauth/jwks", sign_in = "/oauth/sign-in",
                                  sign_out = "/oauth/sign-out", consent = "/oauth/consent",
                                  grants = "/oauth/grants", end_grant = "/oauth/grants/revoke";
}

std::string resource_metadata(const Place& place, const Options& options);
struct Ways {
    bool registration = true;  // clients may register themselves
    bool documents = true;     // or describe themselves by a document at their client_id
};
std::string server_metadata(const Place& place, Ways ways);

}  // namespace pb::oauth
