// SPDX-License-Identifier: Apache-2.0
// Views: an organisation's snapshot as one caller may see it. What is not permitted is not there,
// in lists and lookups alike. Callers with the same permissions share a view, which ends with the
// snapshot.
#pragma once

#include <string>
#include <string_view>

#include "access/scopes.h"
#include "catalog/snapshot.h"
#include "config/config.h"
#include "runtime/caller.h"

namespace pb::admission {

// What may be done with a tool by who may call it.
access::Level level_of(const catalog::Tool& tool);

class Views {
  public:
    // `org`, here and below: what its file says; null: there is no such organisation (any more),
    // and nothing is permitted.

    // [any thread] Never null.
    static catalog::SnapshotPtr of(const catalog::SnapshotPtr& whole, const runtime::Caller& caller,
                                   const config::OrgPtr& org);

    // Whether the caller may do this with a capability; `tool`: the exposed name, where it is one.
    static bool permits(const runtime::Caller& caller, const config::OrgPtr& org,
                        const catalog::Binding& binding, access::Level level,
                        std::string_view tool = {});
    // Whether nothing may be done with it, whatever the caller's scopes are.
    static bool forbids_all(const runtime::Caller& caller, const config::OrgPtr& org,
                            const catalog::Binding& binding);
    // The scopes that doing it takes, if it is only scopes that the caller lacks; otherwise empty.
    static std::string scopes_for(const runtime::Caller& caller, const config::OrgPtr& org,
                                  const catalog::Binding& binding, access::Level level,
                                  std::string_view tool = {});
};

}  // namespace pb::admission
