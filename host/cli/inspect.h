// SPDX-License-Identifier: Apache-2.0
// The commands that look and change nothing: plugins list|check, config check, version.
#pragma once

#include "cli/commands.h"
#include "cli/options.h"

namespace pb::cli {

int list_plugins(const config::HostConfig& host, const Actions& actions, const Options& options,
                 Streams streams);
int check_plugin(const config::HostConfig& host, const Actions& actions, const Options& options,
                 Streams streams);
int check_config(const Options& options, Streams streams);
int show_version(const Options& options, Streams streams);

}  // namespace pb::cli
