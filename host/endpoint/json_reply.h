// SPDX-License-Identifier: Apache-2.0
// JsonReply: the whole of an answer as one HTTP response of a fixed length.
#pragma once

#include <string>

#include "http/server.h"

namespace pb::endpoint {

// message: JSON text; empty for a response without a body.
void json_reply(http::Exchange& exchange, int status, std::string message,
                http::HeaderList headers);

}  // namespace pb::endpoint
