// SPDX-License-Identifier: Apache-2.0
// Reading JSON text without building a tree. A message that passes through Patchbay keeps every
// byte that nobody had to rewrite; so the protocol layer works on slices of the text it was given.
//
// scan() checks the WHOLE text (RFC 8259 grammar, UTF-8, depth, number of values), once. After that
// the cheap readers below may be used on the text and on any slice that they return; on unchecked
// text they are safe, but what they return means nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::json {

struct Limits {
    std::size_t size = 16u << 20;   // bytes of text
    std::size_t depth = 64;         // nested arrays and objects
    std::size_t values = 1u << 20;  // values and member names in all
};

enum class Type { null, boolean, number, string, array, object };

// Checks one JSON value with optional white space around it. The error names the byte offset.
Result<void> scan(std::string_view text, const Limits& limits = {});

// The type of a (checked) value, by its first byte.
Type type_of(std::string_view value);

struct Member {
    std::string_view key;    // the name as written, without quotes, escapes not resolved
    std::string_view value;  // trimmed
};

// The members of a checked object in their order; false if `object` is not one.
bool members(std::string_view object, std::vector<Member>& out);
// The elements of a checked array; false if it is not one.
bool elements(std::string_view array, std::vector<std::string_view>& out);
// One member's value, empty if absent or if `object` is not an object. Of duplicates the last
// counts, as in nlohmann::json, so that both readers of one text agree. Escaped names are resolved
// first.
std::string_view member(std::string_view object, std::string_view name);

// A checked string's content with escapes resolved; nullopt if the value is not a string.
std::optional<std::string> string_value(std::string_view value);
// A checked integer within int64; nullopt for anything else (1.0 counts as an integer, 1.5 does
// not).
std::optional<std::int64_t> integer_value(std::string_view value);
std::optional<double> number_value(std::string_view value);

// A JSON string literal, quotes included; invalid UTF-8 becomes U+FFFD.
std::string quote(std::string_view text);
void append_quoted(std::string& out, std::string_view text);

// Rewriting by splicing: copies of `object` in which only the named member differs. Every duplicate
// of the name goes. with() replaces the value in place or adds the member at the end; value is JSON
// text.
std::string with(std::string_view object, std::string_view name, std::string_view value);
std::string without(std::string_view object, std::string_view name);
// An array with each element rewritten (to JSON text); anything else as it is.
std::string each_element(std::string_view array,
                         const std::function<std::string(std::string_view)>& rewrite);

// Removes insignificant white space: what stdio framing needs (no newline inside a message).
std::string compact(std::string_view text);

}  // namespace pb::json
