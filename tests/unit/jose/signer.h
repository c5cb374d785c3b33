// SPDX-License-Identifier: Apache-2.0
// Somebody elsewhere who signs tokens and publishes keys: right ones, and whatever else a test
// wants.
#pragma once

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/base64.h"

namespace pb::jose::testing {

using Json = nlohmann::json;

inline std::string base64url(std::string_view text) { return base64_encode(text, Alphabet::url); }

class Signer {
  public:
    // The same key each time: making one takes long.
    static const Signer& rsa() {
        static const Signer signer(EVP_RSA_gen(2048), "RS256");
        return signer;
    }
    static Signer small_rsa() { return Signer(EVP_RSA_gen(1024), "RS256"); }
    static Signer p256() { return Signer(EVP_EC_gen("P-256"), "ES256"); }
    static Signer p384() { return Signer(EVP_EC_gen("P-384"), "ES384"); }
    static Signer ed25519() {
        return Signer(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), "EdDSA");
    }

    const std::string& algorithm() const { return algorithm_; }

    Json jwk(const std::string& kid = "") const {
        Json out;
        if (!kid.empty()) out["kid"] = kid;
        if (algorithm_ == "RS256") {
            out["kty"] = "RSA";
            out["n"] = number(OSSL_PKEY_PARAM_RSA_N);
            out["e"] = number(OSSL_PKEY_PARAM_RSA_E);
        } else if (algorithm_ == "EdDSA") {
            std::string raw(32, '\0');
            std::size_t size = raw.size();
            EVP_PKEY_get_raw_public_key(key_.get(), to(raw), &size);
            out.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", base64url(raw)}});
        } else {
            out.update({{"kty", "EC"}, {"crv", algorithm_ == "ES256" ? "P-256" : "P-384"}});
            out["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, width());
            out["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, width());
        }
        return out;
    }

    // A token with any header.
    std::string sign(const std::string& header, const std::string& claims) const {
        const auto text = base64url(header) + "." + base64url(claims);
        return text + "." + base64url(signature(text));
    }
    std::string token(const Json& claims, const std::string& kid = "") const {
        Json header{{"alg", algorithm_}, {"typ", "JWT"}};
        if (!kid.empty()) header["kid"] = kid;
        return sign(header.dump(), claims.dump());
    }
    // As JWS wants it.
    std::string signature(const std::string& text) const {
        auto out = raw_signature(text);
        if (algorithm_ != "ES256" && algorithm_ != "ES384") return out;
        const auto* from = reinterpret_cast<const unsigned char*>(out.data());
        auto* parsed = d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(out.size()));
        std::string joined(2 * std::size_t(width()), '\0');
        BN_bn2binpad(ECDSA_SIG_get0_r(parsed), to(joined), width());
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed), to(joined) + width(), width());
        ECDSA_SIG_free(parsed);
        return joined;
    }
    // As OpenSSL makes it: of an elliptic curve in DER.
    std::string raw_signature(const std::string& text) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                              EVP_MD_CTX_free);
        const auto* digest = algorithm_ == "EdDSA"   ? nullptr
                             : algorithm_ == "ES384" ? EVP_sha384()
                                                     : EVP_sha256();
        const auto* data = reinterpret_cast<const unsigned char*>(text.data());
        std::size_t size = 0;
        EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get());
        EVP_DigestSign(context.get(), nullptr, &size, data, text.size());
        std::string out(size, '\0');
        EXPECT_EQ(EVP_DigestSign(context.get(), to(out), &size, data, text.size()), 1);
        out.resize(size);
        return out;
    }

  private:
    Signer(EVP_PKEY* key, std::string algorithm)
        : key_(key, EVP_PKEY_free), algorithm_(std::move(algorithm)) {}
    static unsigned char* to(std::string& text) {
        return reinterpret_cast<unsigned char*>(text.data());
    }
    int width() const { return algorithm_ == "ES256" ? 32 : 48; }
    std::string number(const char* name, int size = 0) const {
        BIGNUM* value = nullptr;
        EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), name, &value), 1);
        std::string out(static_cast<std::size_t>(size != 0 ? size : BN_num_bytes(value)), '\0');
        BN_bn2binpad(value, to(out), static_cast<int>(out.size()));
        BN_free(value);
        return base64url(out);
    }

    std::shared_ptr<EVP_PKEY> key_;
    std::string algorithm_;
};

inline std::string key_set(const Json& keys) { return Json{{"keys", keys}}.dump(); }

}  // namespace pb::jose::testing
