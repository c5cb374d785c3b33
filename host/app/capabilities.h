// SPDX-License-Identifier: Apache-2.0
// Which capabilities an organisation has: its configuration held against what is loaded.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/references.h"
#include "plugin/folder.h"
#include "plugin/instance.h"

namespace pb::app {

// One instance that an organisation should have.
struct Wanted {
    plugin::LibraryPtr library;
    plugin::InstanceSpec spec;
    catalog::Binding binding;  // but for its provider

    // Two that are equal are served by the same instance, where it takes over the configuration.
    std::string identity() const;
};

struct Plan {
    std::vector<Wanted> wanted;         // sorted by namespace
    std::vector<std::string> problems;  // one sentence each
    // Those whose configuration cannot be used: what served before goes on.
    std::vector<std::string> misconfigured;
    // Remote MCP servers that the organisation names and no capability takes.
    std::size_t servers_not_served = 0;
};

Plan plan(const config::OrgConfig& org, const plugin::FolderState& folder,
          const config::SecretOf& secret = nullptr);

}  // namespace pb::app
