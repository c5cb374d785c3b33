// SPDX-License-Identifier: Apache-2.0
// Leaving: what goes with a person who leaves an organisation, and with an organisation that ends.
// Keys stay: programs use them, whoever made them.
#pragma once

#include <string_view>

#include "access/access.h"

namespace pb::access {

// The membership and the grants; the account too if there is no other membership, or its login
// would be taken for ever. True if the account is gone. Errors as of People::leave.
Result<bool> remove_member(Access& access, std::string_view org, std::string_view person);

// One that was made at run time, with the accounts of those who were in no other. Errors as of
// OrgRecords::remove.
Result<void> remove_org(Access& access, std::string_view name);

// Whether something is kept of an organisation, though it may be no more (its file was removed).
// Another one with its name would come into it.
Result<bool> anything_of(Access& access, std::string_view org);

}  // namespace pb::access
