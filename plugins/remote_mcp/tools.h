// SPDX-License-Identifier: Apache-2.0
// The capability's own tools, with which administrators look after the remote servers, and the same
// as HTTP under /api/mcp-servers; where people come back from a sign-in.
#pragma once

#include <patchbay/plugin.hpp>

#include "hub.h"

namespace pb::remote {

void offer_tools(patchbay::Plugin& plugin, Hub& hub);
void offer_routes(patchbay::Plugin& plugin, Hub& hub);

}  // namespace pb::remote
