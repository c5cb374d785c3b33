// SPDX-License-Identifier: Apache-2.0
// Texts that nobody guesses, and what may be kept of them.
#pragma once

#include <string>
#include <string_view>

namespace pb {

// Letters, digits, '-' and '_' that stand for so many random bytes. Throws if there are none.
std::string random_text(std::size_t bytes = 32);
// SHA-256: 32 bytes.
std::string sha256(std::string_view text);
// The same as base64url.
std::string sha256_url(std::string_view text);
// In constant time; only the lengths can be told apart.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace pb
