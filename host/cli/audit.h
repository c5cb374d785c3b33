// SPDX-License-Identifier: Apache-2.0
// `patchbay audit`: the trail, beside a running host or without one.
#pragma once

#include "cli/commands.h"
#include "cli/options.h"

namespace pb::cli {

int show_trail(const config::HostConfig& host, const Actions& actions, const Options& options,
               Streams streams);

}  // namespace pb::cli
