// SPDX-License-Identifier: Apache-2.0
#include "admission/limits.h"

#include "base/glob.h"

namespace pb::admission {

Limiter::Wait Limiter::request(const runtime::Caller& caller, const config::OrgPtr& org) {
    static const config::Limits usual;
    const auto& limits = org ? org->access.limits : usual;
    if (!caller.credential.empty())
        if (auto wait = credentials_.take(caller.credential, limits.credential)) return wait;
    return nested(caller, org);
}

Limiter::Wait Limiter::nested(const runtime::Caller& caller, const config::OrgPtr& org) {
    if (!org) return std::nullopt;
    return orgs_.take(caller.org, org->access.limits.org);
}

Limiter::Wait Limiter::tool(const config::OrgPtr& org, std::string_view exposed) {
    if (!org) return std::nullopt;
    for (const auto& [pattern, rate] : org->access.limits.tools) {
        if (!matches_glob(pattern, exposed)) continue;
        if (auto wait = tools_.take(org->name + '\n' + pattern, rate)) return wait;
    }
    return std::nullopt;
}

}  // namespace pb::admission
