// SPDX-License-Identifier: Apache-2.0
#include "jose/jose.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "base/base64.h"
#include "jose/openssl.h"
#include "json/scan.h"

namespace pb::jose {
namespace {

using Bio = std::unique_ptr<BIO, Free<BIO_free>>;

std::string base64url(std::string_view text) { return base64_encode(text, Alphabet::url); }

// A number of the key, base64url; `size` 0: as long as it is.
std::string number(const EVP_PKEY* key, const char* name, int size = 0) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
    const Number value(raw);
    std::string out(static_cast<std::size_t>(size != 0 ? size : BN_num_bytes(raw)), '\0');
    if (BN_bn2binpad(raw, bytes(out), static_cast<int>(out.size())) < 0) return {};
    return base64url(out);
}

// OpenSSL's DER to the two numbers of RFC 7518 §3.4.
Result<std::string> raw_signature(const std::string& der) {
    const auto* from = bytes(std::string_view(der));
    const Signature signature(d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(der.size())));
    std::string out(2 * std::size_t{coordinate}, '\0');
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes(out), coordinate) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes(out) + coordinate, coordinate) < 0)
        return internal_error("a signature could not be made");
    return out;
}

// A key with a pass phrase is refused; OpenSSL would ask for it on the terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<SigningKey> SigningKey::generate() {
    SigningKey key({EVP_EC_gen("P-256"), EVP_PKEY_free});
    if (auto described = key.describe(); !described) return std::move(described).error();
    return key;
}

Result<SigningKey> SigningKey::generate_rsa() {
    SigningKey key({EVP_RSA_gen(2048), EVP_PKEY_free});
    if (auto described = key.describe(); !described) return std::move(described).error();
    return key;
}

Result<SigningKey> SigningKey::from_pem(const std::string& pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    auto* raw =
        bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr;
    if (raw == nullptr) return invalid("the private key is not PEM, or has a pass phrase");
    SigningKey key({raw, EVP_PKEY_free});
    if (auto described = key.describe(); !described) return std::move(described).error();
    return key;
}

Result<void> SigningKey::describe() {
    if (!key_) return internal_error("a key could not be made");
    if (EVP_PKEY_is_a(key_.get(), "EC") == 1) {
        char group[32] = "";
        EVP_PKEY_get_group_name(key_.get(), group, sizeof group, nullptr);
        algorithm_ = "ES256";
        jwk_ = R"({"crv":"P-256","kty":"EC","x":")" +
               number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, coordinate) + R"(","y":")" +
               number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, coordinate) + "\"}";
        if (std::string_view(group) == "prime256v1") return {};
    } else if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
        algorithm_ = "RS256";
        jwk_ = R"({"e":")" + number(key_.get(), OSSL_PKEY_PARAM_RSA_E) + R"(","kty":"RSA","n":")" +
               number(key_.get(), OSSL_PKEY_PARAM_RSA_N) + "\"}";
        if (EVP_PKEY_get_bits(key_.get()) >= 2048) return {};
    }
    return invalid("the private key is neither of P-256 nor RSA with at least 2048 bits");
}

std::string SigningKey::pem() const {
    const Bio bio(BIO_new(BIO_s_secmem()));
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                              nullptr) != 1)
        throw std::runtime_error("a key could not be written");
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Result<std::string> SigningKey::sign(std::string_view header, std::string_view claims) const {
    const auto head = R"({"alg":")" + algorithm_ + "\"," + std::string(header) + "}";
    const auto input = base64url(head) + "." + base64url(claims);
    const Context context(EVP_MD_CTX_new());
    std::size_t size = 0;
    const auto failed = internal_error("a signature could not be made");
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes(input), input.size()) != 1)
        return failed;
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), bytes(signature), &size, bytes(input), input.size()) != 1)
        return failed;
    signature.resize(size);
    if (algorithm_ == "ES256") {
        auto raw = raw_signature(signature);
        if (!raw) return std::move(raw).error();
        signature = std::move(*raw);
    }
    return input + "." + base64url(signature);
}

}  // namespace pb::jose
