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
#include "runtime/caller.h"

namespace pb::admission {

// What an organisation forbids, whatever a credential says: what matches all that is given.
struct Forbidden {
    std::set<std::string> roles;         // of people; empty: of everybody, programs too
    std::set<std::string> capabilities;  // by capability name or namespace
    std::vector<std::string> tools;      // exposed names, with * and ?
    std::set<access::Level> levels;
    bool operator==(const Forbidden&) const = default;
};

struct OrgAccess {
    std::vector<Forbidden> forbidden;
    // A tool outside the scopes is unknown; or it is (still unlisted) refused with the scope that
    // it needs, so that a client can ask for that.
    bool challenges = false;
    bool operator==(const OrgAccess&) const = default;
};

using OrgAccessPtr = std::shared_ptr<const OrgAccess>;

// What may be done with a tool by who may call it.
access::Level level_of(const catalog::Tool& tool);

class Views {
  public:
    // [any thread] Never null. `rules`: the organisation's; null: none.
    catalog::SnapshotPtr of(const catalog::SnapshotPtr& whole, const runtime::Caller& caller,
                            const OrgAccessPtr& rules);

    // The scopes that would have let the caller in, if only scopes keep it out; empty otherwise.
    static std::string missing_scopes(const catalog::Binding& binding, access::Level level,
                                      const runtime::Caller& caller);
    static bool forbidden(const OrgAccess& rules, const runtime::Caller& caller,
                          const catalog::Binding& binding, access::Level level,
                          std::string_view tool);

  private:
    struct View {
        std::uint64_t of = 0;  // the whole's version
        OrgAccessPtr rules;    // kept, so that its address is nobody else's
        catalog::SnapshotPtr snapshot;
    };
    using Key = std::pair<std::string, std::string>;  // organisation, permissions

    std::mutex mutex_;
    std::map<Key, View> views_;
    std::list<Key> order_;  // the oldest first
};

}  // namespace pb::admission
