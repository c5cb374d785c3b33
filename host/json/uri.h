// SPDX-License-Identifier: Apache-2.0
// The little of RFC 3986 that "$id" and "$ref" need.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::json {

struct UriReference {
    std::string uri;       // absolute where the base is; without fragment
    std::string fragment;  // percent-decoded, without '#'
};

// `reference` as seen from `base`, which has no fragment and may be empty.
UriReference resolve(std::string_view base, std::string_view reference);

// The tokens of a JSON pointer ("" or "/a/b"), unescaped; nullopt if it is not one.
std::optional<std::vector<std::string>> pointer_tokens(std::string_view pointer);
// Appends "/" and the token, escaped.
void append_token(std::string& pointer, std::string_view token);

}  // namespace pb::json
