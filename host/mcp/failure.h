// SPDX-License-Identifier: Apache-2.0
// How a call that came to nothing is told as a JSON-RPC error.
#pragma once

#include <chrono>
#include <string_view>

#include "admission/admission.h"
#include "mcp/messages.h"

namespace pb::mcp {

// body: what the provider, or admission, had to say of it.
RpcError rpc_error(runtime::Status status, std::string_view method, bool modern,
                   std::string_view body);
// Too many requests.
RpcError limited(std::chrono::milliseconds wait);

}  // namespace pb::mcp
