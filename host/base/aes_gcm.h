// SPDX-License-Identifier: Apache-2.0
// AES-256-GCM: text that only the key opens again, and only for what it was sealed for. What is
// sealed is nonce, ciphertext and tag.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace pb::aes_gcm {

using Key = std::array<unsigned char, 32>;

inline constexpr std::size_t nonce_size = 12, tag_size = 16;
inline constexpr std::size_t overhead = nonce_size + tag_size;

// All of these throw where the library fails: no random bytes, no memory.
Key random_key();

// `about`: what the text belongs to, which is not in it.
std::string seal(const Key& key, std::string_view about, std::string_view plain);
// Nothing if it was not sealed with this key for this.
std::optional<std::string> open(const Key& key, std::string_view about, std::string_view sealed);

}  // namespace pb::aes_gcm
