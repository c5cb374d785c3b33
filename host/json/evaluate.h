// SPDX-License-Identifier: Apache-2.0
// Runs a compiled schema on an instance.
#pragma once

#include "json/program.h"
#include "json/schema.h"

namespace pb::json {

// The first `most` violations; empty if the instance is valid. Allocates nothing in that case,
// unless the schema has propertyNames, or uniqueItems for long arrays.
std::vector<Violation> evaluate(const Program& program, const Json& instance, std::size_t most);

}  // namespace pb::json
