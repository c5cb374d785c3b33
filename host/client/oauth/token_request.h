// SPDX-License-Identifier: Apache-2.0
// One request to a token endpoint (RFC 6749 §3.2): the client's authentication, DPoP, the answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/oauth/records.h"
#include "jose/jose.h"

namespace pb::client::oauth {

// A proof for one request (RFC 9449 §4). `token`: the access token that goes with it, or empty.
Result<std::string> dpop_proof(const jose::SigningKey& key, std::string_view method,
                               std::string_view url, std::string_view token, std::string_view nonce,
                               Seconds now);

struct TokenRequest {
    std::string endpoint, issuer;
    const Registration& client;
    const jose::SigningKey* client_key = nullptr;  // for private_key_jwt
    std::string key_id = {};
    const jose::SigningKey* dpop = nullptr;
    std::string* dpop_nonce = nullptr;  // the endpoint's last one; with `dpop`
    Seconds now = 0;
};

struct TokenAnswer {
    std::string access, type, issued_type, refresh;
    std::optional<Seconds> lifetime;
};

struct TokenRefusal {
    Error error;
    std::string code;  // OAuth's; empty if the server did not speak OAuth
};

// `form` is the grant; the client's authentication is added.
std::variant<TokenAnswer, TokenRefusal> request_token(const Web& web, const TokenRequest& request,
                                                      const FormParams& form);

// The same authentication for other endpoints (revocation). Headers and form are added to.
Result<void> authenticate(const TokenRequest& request, outbound::Headers& headers,
                          FormParams& form);

// What an authorization server says of its refusal, without anything of `secrets`.
std::string describe_refusal(const outbound::Answer& answer,
                             const std::vector<std::string_view>& secrets);
std::string harmless(std::string_view text, const std::vector<std::string_view>& secrets);

}  // namespace pb::client::oauth
