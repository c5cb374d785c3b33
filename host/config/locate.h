// SPDX-License-Identifier: Apache-2.0
// Where in a file a JSON pointer leads, so that an error about a member can name its line.
#pragma once

#include <cstddef>
#include <string_view>

namespace pb::config {

// The line (from 1) of the value at `pointer` in `text`, which is valid JSON; 0 if there is none.
std::size_t line_of(std::string_view text, std::string_view pointer);

}  // namespace pb::config
