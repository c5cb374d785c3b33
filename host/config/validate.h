// SPDX-License-Identifier: Apache-2.0
// Validation: a file against the built-in schema of its kind, with errors that name line and
// member.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace pb::config {

enum class Kind { host, org };

struct Validated {
    Json value;
    std::vector<std::string>
        server_problems;  // of entries of mcpServers, which cost the rest nothing
};

Result<Validated> read_validated(const std::string& path, Kind kind);
// The same of text that is in no file; `name` begins the errors.
Result<Validated> parse_validated(const std::string& name, const std::string& text, Kind kind);

}  // namespace pb::config
