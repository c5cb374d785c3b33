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

// Whether `client` was registered there and then, and so can be again.
bool is_dynamic(const OAuthSettings& settings, const Registration& client);
// Nothing happens if `client` is not the one that is kept.
void forget_registration(const OAuthSettings& settings, TokenStore& store,
                         const Registration& client);

}  // namespace pb::client::oauth
