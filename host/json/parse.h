// SPDX-License-Identifier: Apache-2.0
// Text from outside to nlohmann::json, within limits, and back. nlohmann's own parser has none:
// 100,000 nested arrays parse, and overflow the stack when written.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/scan.h"

namespace pb::json {

using Json = nlohmann::json;

// The error names what was wrong and where (byte offset; parse_file: line and column).
Result<Json> parse(std::string_view text, const Limits& limits = {});
// For text that somebody else reads again: of duplicate member names, which are refused here, they
// might take another one.
Result<Json> parse_unique(std::string_view text, const Limits& limits = {});
// A file that a person wrote: errors carry path, line and column. Duplicate member names are
// refused (a typo that would be silently ignored otherwise).
Result<Json> parse_file(const std::string& path, const Limits& limits = {});
// Never throws: invalid UTF-8 is replaced.
std::string dump(const Json& value);

}  // namespace pb::json
