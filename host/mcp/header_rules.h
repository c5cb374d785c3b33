// SPDX-License-Identifier: Apache-2.0
// The request metadata headers of 2026-07-28: what an intermediary reads in a header must be what
// the body says. Every violation is HeaderMismatch (-32020) with HTTP 400.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#request-metadata
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/header_params.h"
#include "mcp/messages.h"
#include "mcp/outlet.h"

namespace pb::mcp {

// A header's value with the =?base64?...?= form decoded; nullopt if it has invalid characters or
// the form is broken.
std::optional<std::string> decode_header(std::string_view value);

// `name` occurs once and is exactly `expected`.
std::optional<RpcError> check_header(const HeaderView& headers, std::string_view name,
                                     std::string_view expected, bool may_be_encoded);

// Mcp-Param-* against the arguments (a JSON object, or empty).
std::optional<RpcError> check_params(const HeaderView& headers,
                                     const std::vector<json::HeaderParam>& params,
                                     std::string_view arguments);

}  // namespace pb::mcp
