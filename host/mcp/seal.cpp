// SPDX-License-Identifier: Apache-2.0
#include "mcp/seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

#include "json/scan.h"
#include "mcp/base64.h"

namespace pb::mcp {
namespace {

constexpr std::size_t nonce_size = 12, tag_size = 16;

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

// Length-prefixed, so that no two bindings have the same text.
std::string associated(const Seal::Binding& binding) {
    std::string out = "patchbay request state 1";
    for (auto part :
         {binding.org, binding.principal, binding.method, binding.name, binding.arguments})
        out.append("\n").append(std::to_string(part.size())).append(":").append(part);
    return out;
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Error refused() {
    return invalid(
        "requestState is not valid for this request, or no longer; start again without it");
}

}  // namespace

Seal::Key Seal::random_key() {
    Key key{};
    if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1)
        throw std::runtime_error("no random bytes for a key");
    return key;
}

std::string Seal::close(const Binding& binding, int round, std::string_view state) const {
    const std::string plain = "{\"until\":" + std::to_string(now_ms() + ttl_.count()) +
                              ",\"round\":" + std::to_string(round) +
                              ",\"state\":" + json::quote(state) + "}";
    const auto about = associated(binding);
    std::string out(nonce_size + plain.size() + tag_size, '\0');
    auto* at = reinterpret_cast<unsigned char*>(out.data());
    if (RAND_bytes(at, nonce_size) != 1) throw std::runtime_error("no random bytes for a nonce");
    Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    must(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), at));
    must(EVP_EncryptUpdate(context.get(), nullptr, &size, bytes(about),
                           static_cast<int>(about.size())));
    must(EVP_EncryptUpdate(context.get(), at + nonce_size, &size, bytes(plain),
                           static_cast<int>(plain.size())));
    must(EVP_EncryptFinal_ex(context.get(), at + nonce_size + size, &size));
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size,
                             at + nonce_size + plain.size()));
    return base64_encode(out, Alphabet::url);
}

Result<Seal::Opened> Seal::open(const Binding& binding, std::string_view sealed) const {
    auto raw = base64_decode(sealed, Alphabet::url);
    if (!raw || raw->size() < nonce_size + tag_size) return refused();
    const auto about = associated(binding);
    const auto body_size = raw->size() - nonce_size - tag_size;
    std::string plain(body_size, '\0');
    auto* at = reinterpret_cast<unsigned char*>(raw->data());
    Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    must(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), at));
    must(EVP_DecryptUpdate(context.get(), nullptr, &size, bytes(about),
                           static_cast<int>(about.size())));
    must(EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(plain.data()), &size,
                           at + nonce_size, static_cast<int>(body_size)));
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size,
                             at + nonce_size + body_size));
    if (EVP_DecryptFinal_ex(context.get(), reinterpret_cast<unsigned char*>(plain.data()) + size,
                            &size) != 1)
        return refused();
    const auto until = json::integer_value(json::member(plain, "until"));
    const auto round = json::integer_value(json::member(plain, "round"));
    auto state = json::string_value(json::member(plain, "state"));
    if (!until || !round || !state || *until < now_ms()) return refused();
    return Opened{std::move(*state), static_cast<int>(*round)};
}

}  // namespace pb::mcp
