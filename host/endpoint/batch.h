// SPDX-License-Identifier: Apache-2.0
// Batch: several messages in one body (2025-03-26 only). Each request gets an outlet of its own;
// their answers leave together as one array, or one by one on the stream if anything else was sent
// before. https://modelcontextprotocol.io/specification/2025-03-26/basic/transports
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/outlet.h"
#include "mcp/server.h"

namespace pb::endpoint {

inline constexpr std::size_t most_in_batch = 100;

// Answers through `outlet` when every request of the batch is answered.
void receive_batch(mcp::Server& server, const mcp::Incoming& incoming,
                   const std::vector<std::string_view>& messages,
                   std::shared_ptr<mcp::Outlet> outlet);

}  // namespace pb::endpoint
