// SPDX-License-Identifier: Apache-2.0
// What a modern request mirrors into headers: Mcp-Name, and Mcp-Param-* for the parameters that the
// tool's schema marks with x-mcp-header.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#request-metadata
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/header_params.h"
#include "outbound/http.h"

namespace pb::client {

// A value as a header may carry it: itself, or in the =?base64?...?= form.
std::string encode_header(std::string_view value);

// `arguments`: a JSON object, or empty. What is absent or null is not mirrored.
outbound::Headers param_headers(const std::vector<json::HeaderParam>& params,
                                std::string_view arguments);

}  // namespace pb::client
