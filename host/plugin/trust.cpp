// SPDX-License-Identifier: Apache-2.0
// Hashes and Ed25519 signatures of plugin files.
#include "plugin/trust.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "plugin/read_file.h"

namespace pb::plugin {
namespace {

constexpr std::size_t signature_size = 64;
constexpr std::size_t max_signature_file = 1024;
constexpr std::size_t max_key_file = 64u << 10;

// The 64 bytes of a signature file, raw or in base64; empty if it is neither.
std::string decode_signature(const std::string& file) {
    if (file.size() == signature_size) return file;
    std::string text;
    for (char c : file)
        if (!std::isspace(static_cast<unsigned char>(c))) text += c;
    // 64 bytes are 88 characters of base64, two of them padding.
    if (text.size() != 88) return {};
    std::array<unsigned char, 66> decoded;
    int size = EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(text.data()),
                               static_cast<int>(text.size()));
    if (size != static_cast<int>(decoded.size()) || !text.ends_with("==")) return {};
    return {reinterpret_cast<const char*>(decoded.data()), signature_size};
}

Result<std::shared_ptr<void>> read_key(const std::string& path) {
    std::string shown = "the public key '" + path + "' ";
    auto text = read_guarded(path, max_key_file, Guard::demanded);
    if (!text) return invalid(shown + "cannot be used: " + text.error().message);
    std::unique_ptr<BIO, decltype(&BIO_free)> memory(
        BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
    EVP_PKEY* key = memory ? PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr) : nullptr;
    std::shared_ptr<void> owned(key,
                                [](void* each) { EVP_PKEY_free(static_cast<EVP_PKEY*>(each)); });
    if (!key) return invalid(shown + "is no public key in PEM form");
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) return invalid(shown + "is no Ed25519 key");
    return owned;
}

bool verifies(EVP_PKEY* key, std::string_view bytes, std::string_view signature) {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                    EVP_MD_CTX_free);
    auto raw = [](std::string_view text) {
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(bytes),
                            bytes.size()) == 1;
}

Error denied(std::string message) { return {ErrorKind::denied, std::move(message)}; }

}  // namespace

Result<Trust> Trust::make(const TrustOptions& options) {
    Trust trust;
    for (std::string hash : options.sha256) {
        std::transform(hash.begin(), hash.end(), hash.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != hash.npos)
            return invalid("a plugin's SHA-256 has 64 hexadecimal digits, unlike '" +
                           hash.substr(0, 80) + "'");
        trust.hashes_.insert(std::move(hash));
    }
    for (const std::string& path : options.key_files) {
        auto key = read_key(path);
        if (!key) return key.error();
        trust.keys_.push_back(std::move(*key));
    }
    return trust;
}

Result<void> Trust::check(const std::string& path, std::string_view bytes,
                          std::string_view sha256) const {
    if (hashes_.empty() && keys_.empty()) return {};
    if (hashes_.contains(sha256)) return {};
    if (keys_.empty())
        return denied("its SHA-256 " + std::string(sha256) + " is not on the list of allowed ones");
    auto file = read_guarded(path + ".sig", max_signature_file, Guard::none);
    if (!file) {
        if (file.error().kind == ErrorKind::not_found)
            return denied("it is not signed: there is no '" +
                          std::filesystem::path(path).filename().string() + ".sig'");
        return denied("its signature file cannot be used: " + file.error().message);
    }
    std::string signature = decode_signature(*file);
    if (signature.empty())
        return denied("its signature file holds no Ed25519 signature: 64 bytes, raw or in base64");
    for (const auto& key : keys_)
        if (verifies(static_cast<EVP_PKEY*>(key.get()), bytes, signature)) return {};
    return denied("its signature fits none of the configured keys");
}

}  // namespace pb::plugin
