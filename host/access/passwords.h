// SPDX-License-Identifier: Apache-2.0
// Passwords: argon2id, in the text form that other tools read too ($argon2id$v=19$...).
// https://www.rfc-editor.org/rfc/rfc9106#section-4
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::access::passwords {

inline constexpr std::size_t shortest = 10, longest = 1024;  // bytes

// [waits: tens of milliseconds, 64 MiB] At most two at once, the others wait: memory is not for
// whoever asks most.
Result<std::string> hash(std::string_view password);
// [waits] Takes as long for a hash that is no hash ("": there is no such person).
bool matches(std::string_view password, const std::string& hash);

}  // namespace pb::access::passwords
