// SPDX-License-Identifier: Apache-2.0
// Reading what the configuration says of access: issuers, limits, what is forbidden, the trail.
#pragma once

#include "config/members.h"

namespace pb::config {

// "access", "audit" and "metrics" of the host's file.
void read_host_access(const Members& in, HostConfig& host);
// "access" and "audit" of an organisation's.
void read_org_access(const Members& in, OrgAccess& access);

}  // namespace pb::config
