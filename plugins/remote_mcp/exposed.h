// SPDX-License-Identifier: Apache-2.0
// Exposed: what one server offers here, as it is answered to the host: its lists after the rules,
// and how a name that comes back is the server's own. Immutable; replaced whole by a sync.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/lists.h"
#include "settings.h"
#include "trust.h"

namespace pb::remote {

struct RemoteTool {
    std::string name;  // the server's
    std::vector<json::HeaderParam> header_params;
    bool structured = false;  // it declares an outputSchema
};

struct Exposed {
    std::string tools = "{\"tools\":[]}";  // results of the list methods
    std::string resources = "{\"resources\":[]}";
    std::string templates = "{\"resourceTemplates\":[]}";
    std::string prompts = "{\"prompts\":[]}";
    std::string discover = "{\"capabilities\":{}}";  // the result of server/discover
    std::map<std::string, RemoteTool, std::less<>> by_name;
    std::set<std::string, std::less<>> withheld;  // by what they would be called here
    std::size_t tool_count = 0, resource_count = 0, prompt_count = 0;
    std::vector<std::string> warnings;
    bool known = false;  // it is the server's, not what stands for it before it was looked at

    // The result of a list method; null if it is none.
    const std::string* list(std::string_view method) const;
};

using ExposedPtr = std::shared_ptr<const Exposed>;

Tools tools_by_name(const client::ServerLists& lists);

// `withheld`: tools that are not offered, by the server's own names.
ExposedPtr expose(const client::ServerInfo& info, const client::ServerLists& lists,
                  const Settings& settings, const std::set<std::string>& withheld);

}  // namespace pb::remote
