// SPDX-License-Identifier: Apache-2.0
// What scan() does, with the place of the fault kept apart from its text, so that parse_file() can
// name line and column instead of a byte offset.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "json/scan.h"

namespace pb::json {

struct Fault {
    std::size_t offset = 0;
    std::string message;
};

// `count` gets the number of values and member names.
std::optional<Fault> check(std::string_view text, const Limits& limits,
                           std::size_t* count = nullptr);

// Past the string literal, array, object or scalar at p; safe on any bytes, never past end.
const char* skip_string(const char* p, const char* end);
const char* skip_space(const char* p, const char* end);

}  // namespace pb::json
