// SPDX-License-Identifier: Apache-2.0
// A small MCP client for the tools commands: one request over Streamable HTTP (2026-07-28) to a
// running host.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pb::cli {

using Json = nlohmann::json;
using Headers = std::vector<std::pair<std::string, std::string>>;

// Sends one request and returns its result object. Over HTTP the headers go with it. An error of
// kind `gone` or `deadline` means that nobody answered.
using Requester = std::function<Result<Json>(std::string_view method, const Json& params,
                                             const Headers& headers)>;

// url: http://HOST[:PORT]/PATH. The error says what is wrong with it. `api_key`: visible
// characters, or empty. It would be sent in the clear, so it goes to this machine alone.
Result<Requester> http_requester(const std::string& url, std::chrono::milliseconds timeout,
                                 const std::string& api_key = "");

// A header value as it is, or in the =?base64?...?= form where the specification asks for it.
std::string header_value(std::string_view text);

// The Mcp-Param-* headers that `input_schema` (x-mcp-header) asks for with these arguments.
Headers parameter_headers(const Json& input_schema, const Json& arguments);

// The response with id 1 in an event stream's text; nullopt as long as there is none.
std::optional<Json> response_in_events(std::string_view events);

}  // namespace pb::cli
