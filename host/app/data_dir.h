// SPDX-License-Identifier: Apache-2.0
// The folder in which a host keeps its state.
#pragma once

#include <string>

#include "base/result.h"

namespace pb::app {

// Makes it, for this user alone, if it is not there.
Result<void> make_data_dir(const std::string& path);

}  // namespace pb::app
