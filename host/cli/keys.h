// SPDX-License-Identifier: Apache-2.0
// The commands of `patchbay keys`, `clients` and `grants`: what programs come in with.
#pragma once

#include "cli/desk.h"

namespace pb::cli {

Result<void> create_key(const Desk& desk);
Result<void> list_keys(const Desk& desk);
Result<void> revoke_key(const Desk& desk);

Result<void> add_client(const Desk& desk);
Result<void> list_clients(const Desk& desk);
Result<void> remove_client(const Desk& desk);

Result<void> list_grants(const Desk& desk);
Result<void> revoke_grant(const Desk& desk);

}  // namespace pb::cli
