// SPDX-License-Identifier: Apache-2.0
// References inside the strings of a JSON value: ${scheme:name}, and the ${NAME} and
// ${NAME:-otherwise} of other programs' files. What they stand for is the caller's business.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::json {

struct Reference {
    std::string_view scheme;  // empty: ${NAME}
    std::string_view name;
    std::optional<std::string_view> otherwise;  // of ${NAME} alone

    // For an error message: at most a name's worth of what was written.
    std::string shown() const;
};

using ValueOf = std::function<Result<std::string>(const Reference& reference)>;

// A copy with every reference inside its strings (not member names) replaced, in one pass: a value
// is not looked at again. "$${" stands for a literal "${"; what is no reference is left alone, and
// so is ${NAME} unless `bare`. The error says where the reference is.
Result<nlohmann::json> replace_references(const nlohmann::json& value, const ValueOf& value_of,
                                          bool bare);

// [A-Za-z_][A-Za-z0-9_]*: what the environment's variables are called.
bool is_variable_name(std::string_view name);

}  // namespace pb::json
