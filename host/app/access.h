// SPDX-License-Identifier: Apache-2.0
// The records of who may do what, for the command line: without a running host, or beside one.
#pragma once

#include "cli/commands.h"

namespace pb::app {

// Each opens what is in the data directory.
cli::AccessActions access_actions();

}  // namespace pb::app
