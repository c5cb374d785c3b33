// SPDX-License-Identifier: Apache-2.0
// Header parameters: the x-mcp-header annotations of a tool's inputSchema (2026-07-28).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "json/parse.h"

namespace pb::json {

// A tool parameter that clients mirror into Mcp-Param-<header>.
struct HeaderParam {
    std::string header;             // the part after "Mcp-Param-"
    std::vector<std::string> path;  // member names from the arguments' root
    std::string type;               // "string" | "integer" | "boolean"
};

// The parameters to be mirrored into headers. The error says which annotation is against the rules:
// a token, unique without regard to case, on a string, integer or boolean that is reachable from
// the root through `properties` alone.
Result<std::vector<HeaderParam>> header_params(const Json& input_schema);

}  // namespace pb::json
