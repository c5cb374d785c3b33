// SPDX-License-Identifier: Apache-2.0
// Validation: a file against the built-in schema of its kind, with errors that name line and
// member.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace pb::config {

enum class Kind { host, org };

Result<Json> read_validated(const std::string& path, Kind kind);

}  // namespace pb::config
