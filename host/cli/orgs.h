// SPDX-License-Identifier: Apache-2.0
// The commands of `patchbay orgs`.
#pragma once

#include "cli/desk.h"

namespace pb::cli {

Result<void> add_org(const Desk& desk);
Result<void> list_orgs(const Desk& desk);
Result<void> remove_org(const Desk& desk);

}  // namespace pb::cli
