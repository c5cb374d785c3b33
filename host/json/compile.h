// SPDX-License-Identifier: Apache-2.0
// From a schema to the program that evaluates it.
#pragma once

#include "base/result.h"
#include "json/program.h"
#include "json/schema.h"

namespace pb::json {

Result<Program> compile(const Json& schema, const SchemaLimits& limits,
                        const SchemaDocuments& documents);

}  // namespace pb::json
