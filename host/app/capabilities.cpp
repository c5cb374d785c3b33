// SPDX-License-Identifier: Apache-2.0
#include "app/capabilities.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "json/parse.h"
#include "json/schema.h"

namespace pb::app {
namespace {

// The capability's configuration, resolved and held against its schema; a problem if it does not
// fit.
Result<std::string> configuration(const config::OrgConfig& org,
                                  const config::CapabilityConfig& wanted,
                                  const plugin::Capability& capability,
                                  const config::SecretOf& secret) {
    auto resolved = config::resolve(wanted.config, secret);
    if (!resolved) return resolved.error();
    if (!capability.config_schema.empty()) {
        auto text = json::parse(capability.config_schema);
        if (!text) return text.error();
        auto schema = json::compile_schema(*text);
        if (!schema) return invalid("its config_schema is wrong: " + schema.error().message);
        if (auto wrong = (*schema)->validate(*resolved); !wrong.empty())
            return invalid("its config is wrong: " + json::describe(wrong));
    }
    // After the schema, which is for what the capability's own config says: one bad server must not
    // cost the others.
    for (const auto& member : capability.takes) {
        if (resolved->contains(member))
            return invalid("its config has a member \"" + member +
                           "\", which belongs at the top of the organisation's file");
        (*resolved)[member] = config::resolve_each(org.mcp_servers, secret);
    }
    return json::dump(*resolved);
}

catalog::Binding binding_of(const plugin::Capability& capability, const std::string& name_space) {
    catalog::Binding out;
    out.capability = capability.name;
    out.name_space = name_space;
    out.title = capability.title;
    out.description = capability.description;
    out.lists = capability.lists;
    out.routes = capability.routes;
    out.takes_servers = !capability.takes.empty();
    out.choices = capability.choices;
    return out;
}

}  // namespace

std::string Wanted::identity() const {
    return spec.capability + "\n" + spec.name_space + "\n" + library->sha256 +
           (spec.recorded ? "\nrecorded" : "");
}

Plan plan(const config::OrgConfig& org, const plugin::FolderState& folder,
          const config::SecretOf& secret) {
    Plan out;
    std::set<std::string> known;
    out.servers_not_served = org.mcp_servers.size();
    for (const auto& library : folder.libraries) {
        for (const auto& capability : library->manifest.capabilities) {
            auto enabled = org.capability(capability.name);
            if (!enabled || !enabled->enabled) continue;
            const auto what = "capability " + capability.name + " of organisation " + org.name;
            if (!known.insert(capability.name).second) {
                out.problems.push_back(what + ": also in " + library->label() +
                                       "; the first serves");
                continue;
            }
            if (!capability.takes.empty()) out.servers_not_served = 0;
            auto config = configuration(org, *enabled, capability, secret);
            if (!config) {
                out.problems.push_back(what + ": " + config.error().message);
                out.misconfigured.push_back(capability.name);
                continue;
            }
            Wanted wanted;
            wanted.library = library;
            wanted.spec.org = org.name;
            wanted.spec.recorded = org.recorded;
            wanted.spec.capability = capability.name;
            wanted.spec.name_space = enabled->name_space.value_or(capability.name);
            wanted.spec.config = std::move(*config);
            wanted.binding = binding_of(capability, wanted.spec.name_space);
            out.wanted.push_back(std::move(wanted));
        }
    }
    std::stable_sort(out.wanted.begin(), out.wanted.end(), [](const auto& a, const auto& b) {
        return a.spec.name_space < b.spec.name_space;
    });
    return out;
}

}  // namespace pb::app
