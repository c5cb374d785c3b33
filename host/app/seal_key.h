// SPDX-License-Identifier: Apache-2.0
// The key that seals request states, kept across restarts: a person may answer after one.
#pragma once

#include <string>

#include "mcp/seal.h"

namespace pb::app {

// The data directory's key, made if there is none. Hosts that start at the same time agree on one.
mcp::Seal::Key seal_key(const std::string& data_dir);

}  // namespace pb::app
