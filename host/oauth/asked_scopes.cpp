// SPDX-License-Identifier: Apache-2.0
#include "oauth/asked_scopes.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace pb::oauth {
namespace {

// They ask for claims that there are not here (OpenID Connect Core, 5.4), or for what everybody
// gets.
bool is_of_openid(std::string_view name) {
    constexpr std::string_view names[] = {"openid", "offline_access", "profile",
                                          "email",  "address",        "phone"};
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

Result<AskedScopes> read_scopes(std::string_view text) {
    AskedScopes out;
    std::vector<std::string> ours;
    while (!text.empty()) {
        const auto name = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(name.size() + 1, text.size()));
        out.openid = out.openid || name == "openid";
        if (!name.empty() && !is_of_openid(name)) ours.emplace_back(name);
    }
    auto scopes = access::Scopes::of(ours);
    if (!scopes) return scopes.error();
    out.scopes = std::move(*scopes);
    out.any = !ours.empty();
    return out;
}

access::Scopes joined(const access::Scopes& a, const access::Scopes& b) {
    std::set<std::string> names;
    for (const auto level : access::levels)
        if (a.has(level) || b.has(level)) names.emplace(access::scope_of(level));
    const auto add = [&](std::string_view prefix, const auto& left, const auto& right) {
        // Who is not narrowed in one of them is not narrowed in both together.
        if (!left || !right) return;
        for (const auto* each : {&*left, &*right})
            for (const auto& name : *each)
                names.insert(std::string(prefix) + name);
    };
    add("action:", a.actions(), b.actions());
    add("source:", a.sources(), b.sources());
    add("object:", a.objects(), b.objects());
    auto out = access::Scopes::of({names.begin(), names.end()});
    // More than there may be: then the first alone.
    if (!out) return a;
    return std::move(*out);
}

}  // namespace pb::oauth
