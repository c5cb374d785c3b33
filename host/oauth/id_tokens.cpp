// SPDX-License-Identifier: Apache-2.0
#include "oauth/id_tokens.h"

#include <chrono>

#include "json/scan.h"

namespace pb::oauth {
namespace {

constexpr std::int64_t lasts = 3600;  // seconds
constexpr const char* key_name = "id-token-key";

// No organisation's.
store::Owner owner() { return {"", "oauth"}; }

std::int64_t now_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

Result<std::shared_ptr<const jose::SigningKey>> IdTokens::key() {
    std::lock_guard lock(mutex_);
    if (key_) return key_;
    auto kept = secrets_.get(owner(), key_name);
    if (!kept && kept.error().kind == ErrorKind::not_found) {
        auto made = jose::SigningKey::generate_rsa();
        if (!made) return made.error();
        // Another process may have been first: then its key is the one.
        auto put = secrets_.put(owner(), key_name, made->pem(), 0);
        if (!put && put.error().kind != ErrorKind::busy) return put.error();
        kept = secrets_.get(owner(), key_name);
    }
    if (!kept) return kept.error();
    auto read = jose::SigningKey::from_pem(kept->value);
    if (!read) return internal_error("the key of ID tokens cannot be read");
    key_ = std::make_shared<const jose::SigningKey>(std::move(*read));
    return key_;
}

Result<std::string> IdTokens::make(const Claims& claims) {
    const auto signing = key();
    if (!signing) return signing.error();
    const auto now = now_seconds();
    std::string text =
        "{\"iss\":" + json::quote(claims.issuer) + ",\"sub\":" + json::quote(claims.subject) +
        ",\"aud\":" + json::quote(claims.audience) + ",\"iat\":" + std::to_string(now) +
        ",\"exp\":" + std::to_string(now + lasts);
    if (!claims.nonce.empty()) text += ",\"nonce\":" + json::quote(claims.nonce);
    return (*signing)->sign(R"("typ":"JWT","kid":")" + (*signing)->thumbprint() + "\"", text + "}");
}

Result<std::string> IdTokens::jwks() {
    const auto signing = key();
    if (!signing) return signing.error();
    auto jwk = json::with((*signing)->public_jwk(), "use", "\"sig\"");
    jwk = json::with(jwk, "alg", json::quote((*signing)->algorithm()));
    jwk = json::with(jwk, "kid", json::quote((*signing)->thumbprint()));
    return "{\"keys\":[" + jwk + "]}";
}

}  // namespace pb::oauth
