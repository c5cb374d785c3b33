// SPDX-License-Identifier: Apache-2.0
// The commands of `patchbay secrets`.
#pragma once

#include "cli/commands.h"
#include "cli/options.h"

namespace pb::cli {

int set_secret(const config::HostConfig& host, const Actions& actions, const Options& options,
               Streams streams);
int list_secrets(const config::HostConfig& host, const Actions& actions, const Options& options,
                 Streams streams);
int remove_secret(const config::HostConfig& host, const Actions& actions, const Options& options,
                  Streams streams);

}  // namespace pb::cli
