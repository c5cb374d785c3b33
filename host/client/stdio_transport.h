// SPDX-License-Identifier: Apache-2.0
// stdio: a child process that reads and writes one message a line.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
#pragma once

#include "client/engine.h"
#include "client/transport.h"

namespace pb::client {

// open() starts the process.
TransportPtr make_stdio_transport(Engine& engine, const ServerSpec& spec);

}  // namespace pb::client
