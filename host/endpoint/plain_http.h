// SPDX-License-Identifier: Apache-2.0
// Plain HTTP as JSON: a request as a capability's route gets it, and what it answers as a response
// (sdk/include/patchbay/plugin.h documents both).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/server.h"

namespace pb::endpoint {

// {"method","route","path","query","headers","body"}. `route` is the declared path, `rest` what
// comes after it (and after the organisation of a public one). The error says what is malformed.
Result<std::string> to_params(const http::Request& request, std::string_view route,
                              std::string_view rest);

// From {"status"?,"headers"?,"body"?}: only a few header fields pass, and whatever the plugin says,
// a browser may neither guess its type, nor run or frame it, nor tell others of its URL.
Result<http::Response> to_response(std::string_view result);

}  // namespace pb::endpoint
