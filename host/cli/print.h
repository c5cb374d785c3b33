// SPDX-License-Identifier: Apache-2.0
// Text for a terminal: what comes from plugins and hosts cannot move its cursor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pb::cli {

// Control characters become '?'; line breaks and tabs stay if `lines`, else they become spaces.
std::string printable(std::string_view text, bool lines = false);

std::string joined(const std::vector<std::string>& words, std::string_view between = ", ");

// Rows in columns, two spaces between them, nothing after the last.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace pb::cli
