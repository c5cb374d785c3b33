// SPDX-License-Identifier: Apache-2.0
#include "admission/views.h"

#include <algorithm>

#include "base/glob.h"
#include "catalog/merge.h"

namespace pb::admission {
namespace {

using access::Level;
using config::Forbidden;

std::string_view name_of(Level level) {
    return level == Level::read ? "read" : level == Level::write ? "write" : "admin";
}

template <class Set>
bool includes(const Set& set, std::string_view value) {
    return set.empty() || set.contains(std::string(value));
}

bool is_forbidden(const config::OrgPtr& org, const runtime::Caller& caller,
                  const catalog::Binding& binding, Level level, std::string_view tool) {
    if (!org) return true;
    const auto speaks_of = [&](const Forbidden& rule) {
        return (includes(rule.capabilities, binding.capability) ||
                includes(rule.capabilities, binding.name_space)) &&
               includes(rule.roles, caller.role) && includes(rule.levels, name_of(level)) &&
               (rule.tools.empty() ||
                (!tool.empty() &&
                 std::any_of(rule.tools.begin(), rule.tools.end(),
                             [&](const auto& pattern) { return matches_glob(pattern, tool); })));
    };
    const auto& rules = org->access.forbidden;
    return std::any_of(rules.begin(), rules.end(), speaks_of);
}

// Sources and objects narrow rows, which capabilities do.
bool may_all(const runtime::Caller& caller, const config::OrgPtr& org) {
    const auto& permits = caller.permits;
    return permits.has(Level::read) && permits.has(Level::write) && permits.has(Level::admin) &&
           !permits.actions() && org && org->access.forbidden.empty();
}

}  // namespace

Level level_of(const catalog::Tool& tool) {
    if (tool.read_only) return Level::read;
    return tool.destructive ? Level::admin : Level::write;
}

bool Views::permits(const runtime::Caller& caller, const config::OrgPtr& org,
                    const catalog::Binding& binding, Level level, std::string_view tool) {
    return caller.permits.permits(level, binding.name_space) &&
           !is_forbidden(org, caller, binding, level, tool);
}

bool Views::forbids_all(const runtime::Caller& caller, const config::OrgPtr& org,
                        const catalog::Binding& binding) {
    return std::all_of(access::levels.begin(), access::levels.end(),
                       [&](Level level) { return is_forbidden(org, caller, binding, level, {}); });
}

std::string Views::scopes_for(const runtime::Caller& caller, const config::OrgPtr& org,
                              const catalog::Binding& binding, Level level, std::string_view tool) {
    if (caller.permits.permits(level, binding.name_space) ||
        is_forbidden(org, caller, binding, level, tool))
        return {};
    std::string out(access::scope_of(level));
    if (caller.permits.actions()) out += " action:" + binding.name_space;
    return access::together(caller.permits, out);
}

catalog::SnapshotPtr Views::of(const catalog::SnapshotPtr& whole, const runtime::Caller& caller,
                               const config::OrgPtr& org) {
    if (may_all(caller, org)) return whole;
    if (auto known = whole->copies.find(caller.permissions, org)) return known;
    catalog::Permission may;
    // A capability stays as long as anything may be done with it.
    may.binding = [&](const catalog::Binding& binding) {
        return std::any_of(access::levels.begin(), access::levels.end(),
                           [&](Level level) { return permits(caller, org, binding, level); });
    };
    may.entry = [&](const catalog::Entry& entry, const catalog::Tool* tool) {
        return tool ? permits(caller, org, *entry.binding, level_of(*tool), entry.exposed)
                    : permits(caller, org, *entry.binding, Level::read);
    };
    auto snapshot = catalog::narrowed(*whole, may);
    whole->copies.keep(caller.permissions, org, snapshot);
    return snapshot;
}

}  // namespace pb::admission
