// SPDX-License-Identifier: Apache-2.0
// HTTP+SSE, the deprecated transport of 2024-11-05: one event stream on which everything comes, and
// an endpoint, named in its first event, to which messages are posted.
// https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
#pragma once

#include "client/engine.h"
#include "client/transport.h"

namespace pb::client {

// open() connects the stream and waits for the endpoint, which must be of the same origin.
TransportPtr make_sse_transport(Engine& engine, const ServerSpec& spec, CredentialsPtr credentials);

}  // namespace pb::client
