// SPDX-License-Identifier: Apache-2.0
// The plugin side of a host: the loader as the configuration wants it, and looks at single files.
#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"
#include "plugin/library.h"

namespace pb::app {

// What every plugin instance is told of this host.
std::string host_facts(const config::HostConfig& config);

// `probe`: first-seen files are loaded in a helper process first, this program's own.
plugin::LoaderOptions loader_options(const config::HostConfig& config, bool probe);

cli::PluginReport check_plugin(const config::HostConfig& config, const std::string& file);
Result<std::vector<cli::PluginReport>> list_plugins(const config::HostConfig& config);

}  // namespace pb::app
