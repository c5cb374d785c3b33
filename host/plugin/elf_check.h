// SPDX-License-Identifier: Apache-2.0
// Checks that bytes are a whole shared library for this machine. The loader maps what the headers
// promise: a file that was cut off kills the process in dlopen with SIGBUS. This guards against
// accidents, not malice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::plugin {

struct ElfSummary {
    std::vector<std::string> needed;  // libraries that it asks for
};

// [any thread]
Result<ElfSummary> check_elf(std::string_view bytes);

}  // namespace pb::plugin
