// SPDX-License-Identifier: Apache-2.0
// The link that finds what a name means for this caller. What is not theirs does not exist.
#include "admission/links.h"
#include "json/scan.h"

namespace pb::admission {
namespace {

using access::Level;

Error unknown(std::string_view what, std::string_view name) {
    return not_found(std::string(what) + ": " + std::string(name.substr(0, 256)));
}

std::string_view what_of(std::string_view method) {
    return method == "tools/call"    ? "Unknown tool"
           : method == "prompts/get" ? "Unknown prompt"
                                     : "Resource not found";
}

}  // namespace

catalog::SnapshotPtr Admission::visible_in(const catalog::SnapshotPtr& all,
                                           const runtime::Caller& caller) const {
    return Views::of(all, caller, policies_.of(caller.org));
}

catalog::SnapshotPtr Admission::whole(const runtime::Caller& caller) const {
    static const catalog::SnapshotPtr nothing = std::make_shared<catalog::Snapshot>();
    auto snapshot = catalog_.of(caller.org);
    return snapshot ? snapshot : nothing;
}

catalog::SnapshotPtr Admission::visible(const runtime::Caller& caller) const {
    return visible_in(whole(caller), caller);
}

Result<Target> Admission::find(const runtime::Caller& caller, std::string_view method,
                               std::string_view name) const {
    return find_in(whole(caller), caller, method, name);
}

Result<Target> Admission::find_in(const catalog::SnapshotPtr& all, const runtime::Caller& caller,
                                  std::string_view method, std::string_view name) const {
    auto target = look_up(visible_in(all, caller), method, name);
    const auto org = policies_.of(caller.org);
    // A view has a capability whose resources nobody may read, for its tools.
    if (target && !target->tool && !Views::permits(caller, org, *target->binding, Level::read))
        target = unknown(what_of(method), name);
    if (target || !org || !org->access.challenges) return target;
    if (scopes_for(caller, method, name).empty()) return target;
    return Error{ErrorKind::denied, "this needs more scopes than the credential has"};
}

std::string Admission::scopes_for(const runtime::Caller& caller, std::string_view method,
                                  std::string_view name) const {
    const auto target = look_up(whole(caller), method, name);
    if (!target) return {};
    return Views::scopes_for(caller, policies_.of(caller.org), *target->binding,
                             target->tool ? level_of(*target->tool) : Level::read,
                             target->tool ? name : std::string_view());
}

Result<Target> look_up(catalog::SnapshotPtr snapshot, std::string_view method,
                       std::string_view name) {
    Target target;
    target.exposed = name;
    target.snapshot = std::move(snapshot);
    if (method == "tools/call") {
        const auto* tool = target.snapshot->tool(name);
        if (!tool) return unknown(what_of(method), name);
        target.tool = tool;
        target.binding = tool->binding;
        target.local_name = tool->local;
        return target;
    }
    if (method == "prompts/get") {
        const auto* prompt = target.snapshot->prompt(name);
        if (!prompt) return unknown(what_of(method), name);
        target.binding = prompt->binding;
        target.local_name = prompt->local;
        return target;
    }
    if (method == "completion/complete") {
        for (const auto& entry : target.snapshot->templates) {
            if (entry.exposed != name) continue;
            target.binding = entry.binding;
            target.local_name = entry.local;
            return target;
        }
    }
    auto resource = target.snapshot->resource(name);
    if (!resource) return unknown(what_of(method), name);
    target.binding = std::move(resource->binding);
    target.local_name = std::move(resource->local_uri);
    return target;
}

std::string localize(std::string_view method, std::string_view params,
                     const std::string& local_name) {
    const auto name = json::quote(local_name);
    if (method == "tools/call" || method == "prompts/get") {
        if (json::member(params, "name") == name) return std::string(params);
        return json::with(params, "name", name);
    }
    if (method == "completion/complete") {
        const auto ref = json::member(params, "ref");
        const bool prompt = json::string_value(json::member(ref, "type")) == "ref/prompt";
        return json::with(params, "ref", json::with(ref, prompt ? "name" : "uri", name));
    }
    return json::with(params, "uri", name);
}

}  // namespace pb::admission
