// SPDX-License-Identifier: Apache-2.0
// Everything that a server lists, page after page within limits, each definition as it came.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/client.h"

namespace pb::client {

struct ServerLists {
    std::vector<std::string> tools, resources, templates, prompts;  // JSON objects
    // Those that the server has and failed to give; empty above. Never the tools.
    std::vector<std::vector<std::string> ServerLists::*> failed;
    // The shortest and most private of what the pages said (2026-07-28 caching hints); absent if
    // none said anything.
    std::optional<std::int64_t> ttl_ms;
    bool is_private = false;
    std::vector<std::string> warnings;  // entries left out and why; bounded
};

// [waits] Asks for the lists that the server's capabilities name. The error says why there are no
// tools, or that the server was lost; `regardless` as in CallRequest. A list besides the tools'
// that cannot be had is missing, with a warning. A tool whose x-mcp-header annotations are invalid
// is left out with a warning, as is what has no name and what is beyond the limits.
Result<ServerLists> list_all(Client& client, Deadline deadline, bool regardless = false);

}  // namespace pb::client
