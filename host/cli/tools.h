// SPDX-License-Identifier: Apache-2.0
// `patchbay tools list|call`: the same over HTTP and in process.
#pragma once

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace pb::cli {

// What `requester` lists or answers, for a person or (--json) as the protocol's JSON.
int list_tools(const Requester& requester, const Options& options, Streams streams);
int call_tool(const Requester& requester, const Options& options, Streams streams);

// The exit code for an error of a request.
int exit_code(const Error& error);

}  // namespace pb::cli
