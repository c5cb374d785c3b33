// SPDX-License-Identifier: Apache-2.0
// Views: an organisation's snapshot as one caller may see it. What is not permitted is not there,
// in lists and lookups alike. Callers with the same permissions share a view.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/scopes.h"
#include "catalog/snapshot.h"
#include "config/config.h"
#include "runtime/caller.h"

namespace pb::admission {

// What may be done with a tool by who may call it.
access::Level level_of(const catalog::Tool& tool);

class Views {
  public:
    // [any thread] Never null. `org`: what its file says; null: nothing.
    catalog::SnapshotPtr of(const catalog::SnapshotPtr& whole, const runtime::Caller& caller,
                            const config::OrgPtr& org);

    // Whether the caller may do this with a capability; `tool`: the exposed name, where it is one.
    static bool permits(const runtime::Caller& caller, const config::OrgPtr& org,
                        const catalog::Binding& binding, access::Level level,
                        std::string_view tool = {});
    // The scopes that doing it takes, if it is only scopes that the caller lacks; otherwise empty.
    static std::string scopes_for(const runtime::Caller& caller, const config::OrgPtr& org,
                                  const catalog::Binding& binding, access::Level level,
                                  std::string_view tool = {});

  private:
    struct View {
        config::OrgPtr org;  // kept, so that its address is nobody else's
        catalog::SnapshotPtr snapshot;
    };
    using Key = std::pair<std::uint64_t, std::string>;  // the whole's version, permissions

    std::mutex mutex_;
    std::map<Key, View> views_;
    std::list<Key> order_;  // the oldest first
};

}  // namespace pb::admission
