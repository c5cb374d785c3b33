// SPDX-License-Identifier: Apache-2.0
// The organisations' own secrets, for the command line: without a running host, or beside one.
#pragma once

#include "cli/commands.h"

namespace pb::app {

// Each of the three opens the data directory's store.
cli::SecretActions secret_actions();

}  // namespace pb::app
