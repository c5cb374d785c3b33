// SPDX-License-Identifier: Apache-2.0
// Signed tokens of our own making (JWS, RFC 7515): client assertions and DPoP proofs; and the small
// cryptography around them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/tokens.h"

struct evp_pkey_st;

namespace pb::jose {

// A private key: P-256 (ES256) or RSA of at least 2048 bits (RS256).
class SigningKey {
  public:
    static Result<SigningKey> generate();                        // P-256
    static Result<SigningKey> generate_rsa();                    // 2048 bits
    static Result<SigningKey> from_pem(const std::string& pem);  // PKCS#8, SEC 1 or PKCS#1

    const std::string& algorithm() const { return algorithm_; }
    const std::string& public_jwk() const { return jwk_; }  // in the form of RFC 7638
    std::string thumbprint() const { return sha256_url(jwk_); }
    std::string pem() const;  // the private key

    // The compact form. `header` is a JSON object's inside without "alg", like "\"typ\":\"JWT\"".
    Result<std::string> sign(std::string_view header, std::string_view claims) const;

  private:
    explicit SigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
    Result<void> describe();

    std::shared_ptr<evp_pkey_st> key_;
    std::string algorithm_, jwk_;
};

}  // namespace pb::jose
