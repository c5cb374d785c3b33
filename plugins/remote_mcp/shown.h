// SPDX-License-Identifier: Apache-2.0
// What of a server's settings may be shown: only members that are known to hold no secret. All
// else is there as "(hidden)", so that one sees that it is there.
#pragma once

#include <string>

#include "settings.h"

namespace pb::remote {

Json shown(const Json& entry);

// Without user, password, query and fragment, where some servers want their key.
std::string shown_url(const std::string& url);

// A merge patch as it is meant by somebody who was shown `entry`: what is hidden in it stays as it
// is. The error says where a text holds something hidden and something new.
Result<Json> unhidden(const Json& patch, const Json& entry);

}  // namespace pb::remote
