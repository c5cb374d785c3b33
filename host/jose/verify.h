// SPDX-License-Identifier: Apache-2.0
// Tokens that others have signed (compact JWS, RFC 7515; JWT, RFC 7519) and the keys that they
// publish (JWK sets, RFC 7517). There are three algorithms, and a key is good for one of them
// alone: a token cannot choose how it is verified. Keys come from a published set, never from the
// token itself (jwk, jku, x5c and x5u in its header mean nothing here).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct evp_pkey_st;

namespace pb::jose {

enum class Algorithm { rs256, es256, eddsa };  // eddsa: Ed25519

std::string_view name_of(Algorithm algorithm);
std::optional<Algorithm> algorithm_from(std::string_view name);

// A token as it came. Nothing in it may be believed before KeySet::verify() has said so.
struct Token {
    // As the header says it; not necessarily one that is known here.
    std::string algorithm;
    std::string key_id;     // "kid"; empty: it has none
    std::string type;       // "typ", in lower case and without "application/"; may be empty
    bool critical = false;  // "crit": extensions that must be understood
    std::string claims;     // a JSON object in which no name comes twice
    std::string signed_part, signature;
};

// Errors show nothing of the token.
Result<Token> read_token(std::string_view text);

// RSA of 2048 to 8192 bits, P-256 or Ed25519.
class PublicKey {
  public:
    // `jwk`: a JSON object in which no name comes twice. Refused is whatever is not for verifying
    // signatures, and a private key: once published, it is everybody's.
    static Result<PublicKey> read(std::string_view jwk);

    Algorithm algorithm() const { return algorithm_; }
    const std::string& id() const { return id_; }  // "kid"; empty: it has none
    bool verifies(std::string_view text, std::string_view signature) const;

  private:
    PublicKey(Algorithm algorithm, std::shared_ptr<evp_pkey_st> key)
        : algorithm_(algorithm), key_(std::move(key)) {}
    static Result<PublicKey> rsa(std::string_view jwk);
    static Result<PublicKey> p256(std::string_view jwk);
    static Result<PublicKey> ed25519(std::string_view jwk);

    Algorithm algorithm_;
    std::shared_ptr<evp_pkey_st> key_;
    std::string id_;
};

class KeySet {
  public:
    // Keys that PublicKey::read() refuses are passed over.
    static Result<KeySet> parse(std::string_view text);

    std::size_t size() const { return keys_.size(); }
    // Whether there is a key of the token's "kid", for its algorithm. One without "kid" may be
    // signed with any.
    bool has_key_for(const Token& token) const;
    Result<void> verify(const Token& token) const;

  private:
    std::vector<PublicKey> keys_;
};

}  // namespace pb::jose
