// SPDX-License-Identifier: Apache-2.0
// Patterns of names: '*' stands for any characters, '?' for one. In linear time but for many stars.
#pragma once

#include <string_view>

namespace pb {

bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace pb
