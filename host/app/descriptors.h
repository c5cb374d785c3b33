// SPDX-License-Identifier: Apache-2.0
// How many descriptors this process may have: every connection is one.
#pragma once

#include <cstdint>

namespace pb::app {

// Raises the limit as far as this user may, which most systems leave to the program. What it is
// now.
std::uint64_t raise_descriptor_limit();

}  // namespace pb::app
