// SPDX-License-Identifier: Apache-2.0
// What OAuth keeps, and how: small JSON texts under short keys, each a whole. They hold secrets:
// the store encrypts.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/oauth/discovery.h"

namespace pb::client {

// [any thread] Keys are of [A-Za-z0-9._-] and shorter than 80 characters.
class TokenStore {
  public:
    virtual ~TokenStore() = default;
    virtual Result<std::optional<std::string>> load(const std::string& key) = 0;
    virtual Result<void> save(const std::string& key, const std::string& text) = 0;  // all or none
    virtual Result<void> remove(const std::string& key) = 0;  // an absent one as well
};
using TokenStorePtr = std::shared_ptr<TokenStore>;

TokenStorePtr memory_token_store();

namespace oauth {

using Seconds = std::int64_t;  // since 1970

// A client as one authorization server knows it.
struct Registration {
    std::string issuer, redirect_uri;
    std::string client_id, client_secret, auth_method;
    std::vector<std::string> scopes;  // that it may ask for; empty: any
    Seconds expires = 0;              // the secret; 0: never
};

// Tokens of one issuer for one resource.
struct Tokens {
    std::string issuer, resource;
    Registration client;              // whom they were issued to
    std::string access, refresh;      // the second may be empty
    std::string dpop_key;             // PEM, if they are bound to it
    std::vector<std::string> scopes;  // that were asked for
    Seconds expires = 0;              // of `access`; 0: nobody said
    Seconds refresh_at = 0;           // when to get a new one; 0: when it is refused
};

// A sign-in that a person has begun.
struct SignIn {
    std::string state, owner, url;
    std::string verifier;  // PKCE's
    Found found;
    Registration client;
    std::vector<std::string> scopes;
    std::string dpop_key;
    Seconds expires = 0;
};

// What a server's challenges said, and what was found because of them.
struct Memory {
    bool asked = false;  // it wants a token
    bool dpop = false;   // bound to a key
    std::string resource_metadata;
    std::vector<std::string> scopes;
    std::optional<Found> found;
    Seconds found_at = 0;
};

// "oauth.tokens.<digest>": the parts do not show in a list of keys.
std::string record_key(std::string_view kind, std::initializer_list<std::string_view> parts);

std::string to_json(const Tokens& tokens);
std::string to_json(const Registration& registration);
std::string to_json(const std::vector<SignIn>& sign_ins);
std::string to_json(const Memory& memory);
std::optional<Tokens> tokens_from_json(std::string_view text);
std::optional<Registration> registration_from_json(std::string_view text);
std::vector<SignIn> sign_ins_from_json(std::string_view text);
std::optional<Memory> memory_from_json(std::string_view text);

}  // namespace oauth
}  // namespace pb::client
