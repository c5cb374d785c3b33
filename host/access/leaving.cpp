// SPDX-License-Identifier: Apache-2.0
#include "access/leaving.h"

namespace pb::access {
namespace {

// True if the account is gone.
Result<bool> remove_stray(Access& access, std::string_view person) {
    auto left = access.people.memberships(person);
    if (!left) return left.error();
    if (!left->empty()) return false;
    auto removed = access.people.remove(person);
    return removed ? Result<bool>(true) : removed.error();
}

}  // namespace

Result<bool> remove_member(Access& access, std::string_view org, std::string_view person) {
    if (auto left = access.people.leave(org, person); !left) return left.error();
    if (auto revoked = access.grants.revoke_person(org, person); !revoked) return revoked.error();
    return remove_stray(access, person);
}

Result<void> remove_org(Access& access, std::string_view name) {
    auto members = access.people.members(name);
    if (!members) return members.error();
    if (auto removed = access.orgs.remove(name); !removed) return removed;
    for (const auto& each : *members)
        if (auto done = remove_stray(access, each.person.id); !done) return done.error();
    return {};
}

Result<bool> anything_of(Access& access, std::string_view org) {
    auto members = access.people.members(org);
    if (!members) return members.error();
    auto keys = access.keys.list(org);
    if (!keys) return keys.error();
    auto machines = access.clients.machines(org);
    if (!machines) return machines.error();
    auto grants = access.grants.of_org(org);
    if (!grants) return grants.error();
    return !members->empty() || !keys->empty() || !machines->empty() || !grants->empty();
}

}  // namespace pb::access
