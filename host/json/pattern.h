// SPDX-License-Identifier: Apache-2.0
// Regular expressions of JSON Schema: ECMA-262 syntax, run by RE2, so that no pattern costs more
// than time linear in the text.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::json {

// The same expression in RE2's syntax. The error says what cannot be expressed (lookaround,
// backreferences) or is not ECMA-262.
Result<std::string> to_re2(std::string_view pattern);

Result<std::shared_ptr<const re2::RE2>> compile_pattern(std::string_view pattern);

}  // namespace pb::json
