// SPDX-License-Identifier: Apache-2.0
#include "base/aes_gcm.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

namespace pb::aes_gcm {
namespace {

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void must(int outcome) {
    if (outcome != 1) throw std::runtime_error("AES-256-GCM failed");
}

}  // namespace

Key random_key() {
    Key key{};
    if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1)
        throw std::runtime_error("no random bytes for a key");
    return key;
}

std::string seal(const Key& key, std::string_view about, std::string_view plain) {
    std::string out(plain.size() + overhead, '\0');
    auto* at = reinterpret_cast<unsigned char*>(out.data());
    if (RAND_bytes(at, nonce_size) != 1) throw std::runtime_error("no random bytes for a nonce");
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    must(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), at));
    must(EVP_EncryptUpdate(context.get(), nullptr, &size, bytes(about),
                           static_cast<int>(about.size())));
    must(EVP_EncryptUpdate(context.get(), at + nonce_size, &size, bytes(plain),
                           static_cast<int>(plain.size())));
    must(EVP_EncryptFinal_ex(context.get(), at + nonce_size + size, &size));
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size,
                             at + nonce_size + plain.size()));
    return out;
}

std::optional<std::string> open(const Key& key, std::string_view about, std::string_view sealed) {
    if (sealed.size() < overhead) return std::nullopt;
    const auto plain_size = sealed.size() - overhead;
    std::string plain(plain_size, '\0');
    std::string tag(sealed.substr(sealed.size() - tag_size));
    auto* at = reinterpret_cast<unsigned char*>(plain.data());
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    must(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(sealed)));
    must(EVP_DecryptUpdate(context.get(), nullptr, &size, bytes(about),
                           static_cast<int>(about.size())));
    must(EVP_DecryptUpdate(context.get(), at, &size, bytes(sealed.substr(nonce_size)),
                           static_cast<int>(plain_size)));
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()));
    if (EVP_DecryptFinal_ex(context.get(), at + size, &size) != 1) return std::nullopt;
    return plain;
}

}  // namespace pb::aes_gcm
