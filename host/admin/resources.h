// SPDX-License-Identifier: Apache-2.0
// What there is to administer: a function for each resource and method. Who calls one that changes
// something lets no other one run beside it.
#pragma once

#include "admin/ask.h"

namespace pb::admin {

// The first six also for who does not administer: each looks at what the caller may.
Reply get_user(const Ask& ask);
Reply change_user(const Ask& ask);
Reply list_keys(const Ask& ask);
Reply revoke_key(const Ask& ask);
Reply list_grants(const Ask& ask);
Reply revoke_grant(const Ask& ask);

Reply list_users(const Ask& ask);
Reply add_user(const Ask& ask);
Reply remove_user(const Ask& ask);

Reply make_key(const Ask& ask);

Reply list_orgs(const Ask& ask);
Reply get_org(const Ask& ask);
Reply add_org(const Ask& ask);
Reply configure_org(const Ask& ask);
Reply remove_org(const Ask& ask);

Reply list_clients(const Ask& ask);
Reply add_client(const Ask& ask);
Reply remove_client(const Ask& ask);

Reply read_trail(const Ask& ask);

}  // namespace pb::admin
