// SPDX-License-Identifier: Apache-2.0
// The link that counts: how often each credential, organisation and tool may be used. Who comes
// without a credential (on this machine) and capabilities on their own behalf have no bound but the
// organisation's.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/buckets.h"
#include "config/config.h"
#include "runtime/caller.h"

namespace pb::admission {

class Limiter {
  public:
    using Wait = std::optional<std::chrono::milliseconds>;

    // [any thread] Nothing: go on. Otherwise how long to wait. `org`: what its file says.
    Wait request(const runtime::Caller& caller, const config::OrgPtr& org);
    // A call that another call makes.
    Wait nested(const runtime::Caller& caller, const config::OrgPtr& org);
    Wait tool(const config::OrgPtr& org, std::string_view exposed);

  private:
    Buckets credentials_, orgs_, tools_;
};

}  // namespace pb::admission
