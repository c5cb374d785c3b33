// SPDX-License-Identifier: Apache-2.0
// `patchbay remote add|list|get|test|sync|approve|remove`: the remote MCP servers of a running
// host, by the tools of its capability remote_mcp.
#pragma once

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace pb::cli {

int add_remote(const Requester& requester, const Options& options, Streams streams);
int list_remotes(const Requester& requester, const Options& options, Streams streams);
// `tool`: of those that need only a name.
int on_remote(const char* tool, const Requester& requester, const Options& options,
              Streams streams);
// Without tools and --all it shows what is withheld, and approves nothing.
int approve_remote(const Requester& requester, const Options& options, Streams streams);

}  // namespace pb::cli
