// SPDX-License-Identifier: Apache-2.0
// The stdio transport: one message a line, both eras, one channel for everything.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
#pragma once

#include <chrono>
#include <cstddef>

#include "mcp/server.h"

namespace pb::endpoint {

struct StdioOptions {
    int input = 0;  // file descriptors
    int output = 1;
    std::size_t max_message = 8u << 20;  // bytes of one line
    std::size_t max_running = 256;       // requests at once; reading waits at this bound
    // After the end of the input, for what still runs; `stop` ends it.
    std::chrono::milliseconds drain{2'000};
    std::chrono::milliseconds cancel{3'000};  // then, for what was cancelled to come back
};

// Serves until the input ends or `stop` (a file descriptor that becomes readable; -1: none) says
// so. False: threads are still inside a plugin that does not give a cancelled call back.
bool serve_stdio(mcp::Server& server, const runtime::CallerPtr& caller,
                 const StdioOptions& options = {}, int stop = -1);

}  // namespace pb::endpoint
