// SPDX-License-Identifier: Apache-2.0
// Writing a file whole: it is there complete or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::plugin {

// Replaces `path` atomically; readable by this user alone.
Result<void> write_file(const std::string& path, std::string_view bytes);

}  // namespace pb::plugin
