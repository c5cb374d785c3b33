// SPDX-License-Identifier: Apache-2.0
#include "catalog/merge.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <tuple>

#include "catalog/names.h"

namespace pb::catalog {
namespace {

std::atomic<std::uint64_t> versions{0};

template <class Entries>
void keep(const Entries& from, const BindingPtr& binding, Entries& into) {
    for (const auto& entry : from) {
        if (entry.binding == binding) into.push_back(entry);
    }
}

template <class Entries>
void append(Entries& from, Entries& into) {
    std::move(from.begin(), from.end(), std::back_inserter(into));
}

void append(Listing& listing, Snapshot& snapshot) {
    for (auto& tool : listing.tools)
        (tool.withheld ? snapshot.withheld_tools : snapshot.tools).push_back(std::move(tool));
    append(listing.resources, snapshot.resources);
    append(listing.templates, snapshot.templates);
    append(listing.prompts, snapshot.prompts);
    const auto& binding = *listing.binding;
    snapshot.lists.is_private |= binding.lists.is_private;
    snapshot.lists.ttl_ms = snapshot.bindings.empty()
                                ? binding.lists.ttl_ms
                                : std::min(snapshot.lists.ttl_ms, binding.lists.ttl_ms);
    snapshot.bindings.push_back(listing.binding);
}

// With several bindings, each one's text says which names it is about.
std::string join_instructions(std::string joined, const Snapshot& snapshot) {
    for (const auto& binding : snapshot.bindings) {
        if (binding->instructions.empty()) continue;
        if (!joined.empty()) joined += "\n\n";
        if (snapshot.bindings.size() > 1 && !binding->name_space.empty()) {
            joined.append(binding->name_space).append("__*: ");
        }
        joined += binding->instructions;
    }
    return joined;
}

}  // namespace

Error Owners::clash(const Entry& entry, const Binding& other) const {
    return invalid(owner(*entry.binding) + " is left out: the " + std::string(kind_) + " '" +
                   entry.exposed + "' is exposed by both " + owner(other) +
                   " and it; give one of them a namespace");
}

Result<void> Merge::admit(const Binding& binding) {
    const auto refused = [&](const std::string& why) {
        return invalid(owner(binding) + " is left out: " + why);
    };
    const auto taken = [](const auto& owners, std::string_view key) {
        const auto at = owners.find(key);
        return at == owners.end() ? nullptr : at->second;
    };
    if (auto ok = check_namespace(binding.name_space); !ok) return refused(ok.error().message);
    if (const auto* other = taken(names_, binding.capability))
        return refused("its name is that of " + owner(*other));
    if (const auto* other = taken(namespaces_, binding.name_space))
        return refused("the namespace '" + binding.name_space + "' is used by both " +
                       owner(*other) + " and it; give one of them another");
    for (const auto& route : binding.routes)
        if (const auto* other = taken(routes_, route.path))
            return refused("the path " + route.path + " is that of " + owner(*other));
    names_.emplace(binding.capability, &binding);
    if (!binding.name_space.empty()) namespaces_.emplace(binding.name_space, &binding);
    for (const auto& route : binding.routes)
        routes_.emplace(route.path, &binding);
    return {};
}

Result<void> Merge::add(const Listing& listing) {
    if (auto ok = tools_.check(listing.tools); !ok) return ok;
    if (auto ok = resources_.check(listing.resources); !ok) return ok;
    if (auto ok = templates_.check(listing.templates); !ok) return ok;
    if (auto ok = prompts_.check(listing.prompts); !ok) return ok;
    tools_.take(listing.tools);
    resources_.take(listing.resources);
    templates_.take(listing.templates);
    prompts_.take(listing.prompts);
    return {};
}

Listing listing_of(const Snapshot& snapshot, const BindingPtr& binding) {
    Listing listing;
    listing.binding = binding;
    keep(snapshot.tools, binding, listing.tools);
    keep(snapshot.withheld_tools, binding, listing.tools);
    keep(snapshot.resources, binding, listing.resources);
    keep(snapshot.templates, binding, listing.templates);
    keep(snapshot.prompts, binding, listing.prompts);
    return listing;
}

SnapshotPtr assemble(const std::string& org, std::vector<Listing> listings,
                     const std::string& instructions) {
    std::stable_sort(listings.begin(), listings.end(), [](const Listing& a, const Listing& b) {
        return std::tie(a.binding->name_space, a.binding->capability) <
               std::tie(b.binding->name_space, b.binding->capability);
    });
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->org = org;
    for (auto& listing : listings)
        append(listing, *snapshot);
    snapshot->own_instructions = instructions;
    snapshot->instructions = join_instructions(instructions, *snapshot);
    snapshot->version = ++versions;
    snapshot->index();
    return snapshot;
}

SnapshotPtr narrowed(const Snapshot& whole, const Permission& may) {
    std::vector<Listing> listings;
    const auto refused = [&](const Entry& entry) { return !may.entry(entry, nullptr); };
    for (const auto& binding : whole.bindings) {
        if (!may.binding(*binding)) continue;
        auto listing = listing_of(whole, binding);
        std::erase_if(listing.tools, [&](const Tool& tool) { return !may.entry(tool, &tool); });
        std::erase_if(listing.resources, refused);
        std::erase_if(listing.templates, refused);
        std::erase_if(listing.prompts, refused);
        listings.push_back(std::move(listing));
    }
    return assemble(whole.org, std::move(listings), whole.own_instructions);
}

SnapshotPtr overlay(const Snapshot& base, const Snapshot& over) {
    Merge merge;
    std::vector<Listing> listings;
    for (const auto* snapshot : {&over, &base}) {
        for (const auto& binding : snapshot->bindings) {
            auto listing = listing_of(*snapshot, binding);
            if (merge.admit(*binding) && merge.add(listing)) listings.push_back(std::move(listing));
        }
    }
    return assemble(base.org, std::move(listings), {});
}

}  // namespace pb::catalog
