// SPDX-License-Identifier: Apache-2.0
// What the two halves of the redaction share.
#pragma once

#include <string>
#include <string_view>

namespace pb::audit {

constexpr std::string_view redacted = "[redacted]";

// A member's name without case, '_', '-', '.' and spaces.
std::string folded(std::string_view name);
// "max_tokens": a number there is no secret.
bool counts_tokens(std::string_view name);

}  // namespace pb::audit
