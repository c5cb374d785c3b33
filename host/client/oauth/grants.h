// SPDX-License-Identifier: Apache-2.0
// The ways to tokens: a person's code, a refresh token, the client itself, somebody's assertion.
#pragma once

#include "client/oauth/registration.h"
#include "client/oauth/token_request.h"

namespace pb::client::oauth {

// What every way needs.
struct Granting {
    const Web& web;
    const OAuthSettings& settings;
    const Found& found;
    Registration client;
    std::vector<std::string> scopes;
    const jose::SigningKey* client_key = nullptr;
    std::optional<jose::SigningKey> dpop = {};
    std::string* dpop_nonce = nullptr;  // the token endpoint's last one
    Seconds now = 0;
};
using Granted = std::variant<Tokens, TokenRefusal>;

// Where a person's browser goes to ask for a code.
Result<std::string> authorization_url(const Granting& granting, const std::string& state,
                                      const std::string& verifier);
Granted redeem_code(const Granting& granting, const std::string& code, const std::string& verifier);
Granted refresh(const Granting& granting, const Tokens& old);
// client_credentials, enterprise or jwt_bearer, as the settings say.
Granted grant_unattended(const Granting& granting);
// RFC 7009; nothing happens where it is not offered.
Result<void> revoke(const Granting& granting, const Tokens& tokens);

}  // namespace pb::client::oauth
