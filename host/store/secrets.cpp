// SPDX-License-Identifier: Apache-2.0
// A record: its version (1), the master key's id (8 bytes), the wrapped key, the sealed value.
#include "store/secrets.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>

#include "base/aes_gcm.h"

namespace pb::store {
namespace {

constexpr char record_version = 1;
constexpr std::size_t id_size = 8;
constexpr std::size_t wrapped_size = sizeof(Key) + aes_gcm::overhead;
constexpr std::size_t max_name = 128;

// A key that does not outlive its use.
struct PassingKey {
    Key key{};
    ~PassingKey() { OPENSSL_cleanse(key.data(), key.size()); }
};

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view text(const Key& key) {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

// Tells master keys apart without saying anything of them.
std::string id_of(const Key& key) {
    const std::string named = "patchbay master key\n" + std::string(text(key));
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(bytes(named), named.size(), hash);
    return {reinterpret_cast<const char*>(hash), id_size};
}

// Length-prefixed, so that no two secrets have the same text.
std::string associated(const Owner& owner, std::string_view name) {
    std::string out = "patchbay secret 1";
    for (const std::string_view part :
         {std::string_view(owner.org), std::string_view(owner.capability), name})
        out.append("\n").append(std::to_string(part.size())).append(":").append(part);
    return out;
}

// Where the store keeps them: beside no capability, since none has such a name.
Owner kept_by(const Owner& owner) { return {owner.org, "secret:" + owner.capability}; }

Result<std::optional<Key>> key_of_environment(const char* variable) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') return std::optional<Key>();
    const std::string_view encoded(value);
    // 32 bytes are 44 characters, of which the last is padding.
    unsigned char decoded[36];
    std::optional<Key> key;
    if (encoded.size() == 44 && encoded.ends_with('=') && !encoded.ends_with("==") &&
        EVP_DecodeBlock(decoded, bytes(encoded), static_cast<int>(encoded.size())) == 33) {
        key.emplace();
        std::copy_n(decoded, key->size(), key->begin());
    }
    OPENSSL_cleanse(decoded, sizeof decoded);
    if (!key)
        return invalid(std::string(variable) +
                       " must be 32 random bytes as base64 (openssl rand -base64 32)");
    return key;
}

}  // namespace

Result<MasterKeys> MasterKeys::of_environment(const std::string& data_dir) {
    MasterKeys keys;
    keys.file = data_dir + "/master.key";
    auto named = key_of_environment("PATCHBAY_MASTER_KEY");
    if (!named) return named.error();
    auto previous = key_of_environment("PATCHBAY_MASTER_KEY_PREVIOUS");
    if (!previous) return previous.error();
    keys.named = *named;
    keys.previous = *previous;
    return keys;
}

Result<Key> Secrets::writing_key() const {
    if (keys_.named) return *keys_.named;
    return kept_key(keys_.file);
}

Result<Key> Secrets::reading_key(std::string_view id) const {
    for (const auto& key : {keys_.named, keys_.previous})
        if (key && id_of(*key) == id) return *key;
    auto kept = read_key(keys_.file);
    if (!kept) return kept.error();
    if (*kept && id_of(**kept) == id) return **kept;
    return internal_error(
        "the secret was encrypted with another master key; give that as "
        "PATCHBAY_MASTER_KEY_PREVIOUS");
}

Result<Value> Secrets::get(const Owner& owner, std::string_view name) {
    auto stored = store_.get(kept_by(owner), name);
    if (!stored) return stored.error();
    const std::string_view record = stored->value;
    const auto damaged = internal_error("the secret's record is damaged");
    if (record.size() < 1 + id_size + wrapped_size + aes_gcm::overhead ||
        record.front() != record_version)
        return damaged;
    auto master = reading_key(record.substr(1, id_size));
    if (!master) return master.error();
    const auto about = associated(owner, name);
    auto unwrapped =
        aes_gcm::open(*master, about + "\nkey", record.substr(1 + id_size, wrapped_size));
    if (!unwrapped || unwrapped->size() != sizeof(Key)) return damaged;
    PassingKey own;
    std::copy(unwrapped->begin(), unwrapped->end(), own.key.begin());
    OPENSSL_cleanse(unwrapped->data(), unwrapped->size());
    auto value = aes_gcm::open(own.key, about, record.substr(1 + id_size + wrapped_size));
    if (!value) return damaged;
    return Value{std::move(*value), stored->version};
}

Result<std::int64_t> Secrets::put(const Owner& owner, std::string_view name, std::string_view value,
                                  std::int64_t if_version) {
    if (value.size() > max_secret) return invalid("a secret has at most 64 KiB");
    auto master = writing_key();
    if (!master) return master.error();
    const auto about = associated(owner, name);
    PassingKey own;
    own.key = aes_gcm::random_key();
    std::string record(1, record_version);
    record += id_of(*master);
    record += aes_gcm::seal(*master, about + "\nkey", text(own.key));
    record += aes_gcm::seal(own.key, about, value);
    return store_.put(kept_by(owner), name, record, if_version);
}

Result<void> Secrets::remove(const Owner& owner, std::string_view name, std::int64_t if_version) {
    return store_.remove(kept_by(owner), name, if_version);
}

Result<void> Secrets::list(const Owner& owner, std::string_view prefix, std::string_view after,
                           std::uint32_t limit, const Each& each) {
    return store_.list(kept_by(owner), prefix, after, limit,
                       [&](std::string_view name, std::string_view) { each(name); });
}

bool is_secret_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    return !name.empty() && name.size() <= max_name && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace pb::store
