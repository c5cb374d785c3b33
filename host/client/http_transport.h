// SPDX-License-Identifier: Apache-2.0
// Streamable HTTP, all its revisions: a POST for each message, answered by JSON or by an event
// stream; in the legacy eras also sessions, a standing GET stream, and streams that are resumed.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
#pragma once

#include "client/engine.h"
#include "client/transport.h"

namespace pb::client {

// Its open() does nothing: there is no connection until something is sent.
TransportPtr make_http_transport(Engine& engine, const ServerSpec& spec,
                                 CredentialsPtr credentials);

}  // namespace pb::client
