// SPDX-License-Identifier: Apache-2.0
#include "base/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <memory>
#include <stdexcept>

#include "base/base64.h"

namespace pb {

std::string random_text(std::size_t bytes) {
    std::string out(bytes, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1)
        throw std::runtime_error("no random bytes");
    return base64_encode(out, Alphabet::url);
}

std::string sha256(std::string_view text) {
    // Looked up once: SHA256() does it every time, which takes longer than the rest.
    static EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    std::string out(SHA256_DIGEST_LENGTH, '\0');
    if (!digest || !context || EVP_DigestInit_ex2(context.get(), digest, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) !=
            1)
        throw std::runtime_error("SHA-256 failed");
    return out;
}

std::string sha256_url(std::string_view text) { return base64_encode(sha256(text), Alphabet::url); }

bool same_secret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace pb
