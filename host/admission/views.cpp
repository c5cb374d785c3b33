// SPDX-License-Identifier: Apache-2.0
#include "admission/views.h"

#include <algorithm>

namespace pb::admission {
namespace {

using access::Level;

constexpr std::size_t most_views = 1'000;

bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const auto& pattern) { return matches(pattern, text); });
}

template <class Entries, class May>
Entries those(const Entries& all, May may) {
    Entries out;
    std::copy_if(all.begin(), all.end(), std::back_inserter(out), may);
    return out;
}

catalog::SnapshotPtr narrow(const catalog::Snapshot& whole, const runtime::Caller& caller,
                            const OrgAccess& rules) {
    auto out = std::make_shared<catalog::Snapshot>();
    out->org = whole.org;
    out->version = whole.version;
    out->lists = whole.lists;
    out->lists.is_private = true;  // what is listed depends on the credential
    out->instructions = whole.instructions;
    const auto may = [&](const catalog::Binding& binding, Level level, std::string_view tool) {
        return caller.permits.permits(level, binding.name_space) &&
               !Views::forbidden(rules, caller, binding, level, tool);
    };
    const auto readable = [&](const auto& entry) { return may(*entry.binding, Level::read, {}); };
    out->tools = those(whole.tools, [&](const catalog::Tool& tool) {
        return may(*tool.binding, level_of(tool), tool.exposed);
    });
    out->resources = those(whole.resources, readable);
    out->templates = those(whole.templates, readable);
    out->prompts = those(whole.prompts, readable);
    for (const auto& binding : whole.bindings)
        if (may(*binding, Level::read, {})) out->bindings.push_back(binding);
    out->index();
    return out;
}

// Equal for callers who see the same.
std::string permissions_of(const runtime::Caller& caller) {
    return caller.permits.text() + '\n' + caller.role;
}

}  // namespace

Level level_of(const catalog::Tool& tool) {
    if (tool.read_only) return Level::read;
    return tool.destructive ? Level::admin : Level::write;
}

bool Views::forbidden(const OrgAccess& rules, const runtime::Caller& caller,
                      const catalog::Binding& binding, Level level, std::string_view tool) {
    return std::any_of(rules.forbidden.begin(), rules.forbidden.end(), [&](const auto& rule) {
        const bool capability = rule.capabilities.empty() ||
                                rule.capabilities.contains(binding.capability) ||
                                rule.capabilities.contains(binding.name_space);
        return capability && (rule.roles.empty() || rule.roles.contains(caller.role)) &&
               (rule.levels.empty() || rule.levels.contains(level)) &&
               (rule.tools.empty() || (!tool.empty() && any_matches(rule.tools, tool)));
    });
}

std::string Views::missing_scopes(const catalog::Binding& binding, Level level,
                                  const runtime::Caller& caller) {
    std::string out;
    if (!caller.permits.has(level)) out = access::scope_of(level);
    if (!caller.permits.reaches(binding.name_space))
        out += (out.empty() ? "action:" : " action:") + binding.name_space;
    return out;
}

catalog::SnapshotPtr Views::of(const catalog::SnapshotPtr& whole, const runtime::Caller& caller,
                               const OrgAccessPtr& rules) {
    static const auto none = std::make_shared<const OrgAccess>();
    const auto& applied = rules ? rules : none;
    // Sources and objects narrow rows, which capabilities do.
    const auto& permits = caller.permits;
    if (permits.has(Level::read) && permits.has(Level::write) && permits.has(Level::admin) &&
        !permits.actions() && applied->forbidden.empty())
        return whole;
    const Key key(whole->org, permissions_of(caller));
    {
        std::lock_guard lock(mutex_);
        const auto found = views_.find(key);
        if (found != views_.end() && found->second.of == whole->version &&
            found->second.rules == applied)
            return found->second.snapshot;
    }
    View view{whole->version, applied, narrow(*whole, caller, *applied)};
    const auto snapshot = view.snapshot;
    std::lock_guard lock(mutex_);
    if (views_.insert_or_assign(key, std::move(view)).second) order_.push_back(key);
    if (order_.size() > most_views) {
        views_.erase(order_.front());
        order_.pop_front();
    }
    return snapshot;
}

}  // namespace pb::admission
