// SPDX-License-Identifier: Apache-2.0
// The commands of `patchbay users`.
#pragma once

#include "cli/desk.h"

namespace pb::cli {

Result<void> add_user(const Desk& desk);
Result<void> list_users(const Desk& desk);
Result<void> set_role(const Desk& desk);
Result<void> set_password(const Desk& desk);
Result<void> disable_user(const Desk& desk);
Result<void> enable_user(const Desk& desk);
Result<void> remove_user(const Desk& desk);

}  // namespace pb::cli
