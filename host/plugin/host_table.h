// SPDX-License-Identifier: Apache-2.0
// The function table that a plugin instance gets from the host.
#pragma once

#include "patchbay/plugin.h"

namespace pb::plugin {

class HostInstance;

patchbay_host host_table(HostInstance& instance);

}  // namespace pb::plugin
