// SPDX-License-Identifier: Apache-2.0
// Who we are to an authorization server: registered beforehand, by the URL of our metadata
// document, or registered there and then (RFC 7591), in this order.
#pragma once

#include "client/oauth/settings.h"

namespace pb::client::oauth {

// The client to be at `found`; registers it where that is needed. `anew`: what is kept of an
// earlier registration is not good any more.
Result<Registration> identify(const Web& web, const OAuthSettings& settings, TokenStore& store,
                              const Found& found, const std::vector<std::string>& scopes,
                              Seconds now, bool anew);

// The token endpoint's authentication for a client that has these; empty if nothing fits.
std::string fitting_method(const AuthorizationServer& server, bool has_key, bool has_secret);

// Of a dynamic registration; nothing happens if there is none.
void forget_registration(const OAuthSettings& settings, TokenStore& store,
                         const std::string& issuer);

}  // namespace pb::client::oauth
