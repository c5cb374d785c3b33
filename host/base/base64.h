// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648), strict: what does not encode exactly one byte string is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pb {

enum class Alphabet { standard, url };  // url: '-' and '_', no padding

std::string base64_encode(std::string_view bytes, Alphabet alphabet);
std::optional<std::string> base64_decode(std::string_view text, Alphabet alphabet);

}  // namespace pb
