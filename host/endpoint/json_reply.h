// SPDX-License-Identifier: Apache-2.0
// JsonReply: the whole of an answer as one HTTP response of a fixed length.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/server.h"

namespace pb::endpoint {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// message: JSON text; empty for a response without a body.
void json_reply(http::Exchange& exchange, int status, std::string message, HeaderList headers);

}  // namespace pb::endpoint
