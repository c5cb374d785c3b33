// SPDX-License-Identifier: Apache-2.0
// CatalogBuilder: asks all bindings at the same time and merges what they list into one snapshot.
#include <algorithm>
#include <atomic>
#include <map>
#include <system_error>
#include <thread>
#include <tuple>
#include <unordered_map>

#include "catalog/catalog.h"
#include "catalog/listing.h"
#include "catalog/names.h"

namespace pb::catalog {
namespace {

std::atomic<std::uint64_t> versions{0};

using Listings = std::vector<std::optional<Result<Listing>>>;

// Asks those bindings whose place has no listing yet, at the same time.
void list_missing(const Ask& ask, const BuildLimits& limits, const std::string& org,
                  const std::vector<Binding>& bindings, Listings& listings) {
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < listings.size(); ++i)
        if (!listings[i]) missing.push_back(i);
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (auto i = next++; i < missing.size(); i = next++) {
            listings[missing[i]] = list_binding(ask, limits, org, bindings[missing[i]]);
        }
    };
    std::vector<std::jthread> helpers;
    const auto threads = std::min(limits.parallel, missing.size());
    try {
        while (helpers.size() + 1 < threads)
            helpers.emplace_back(work);
    } catch (const std::system_error&) {
        // No more threads: the ones there are do the work, this one at least.
    }
    work();
    helpers.clear();  // joins
}

template <class Entries>
void keep(const Entries& from, const BindingPtr& binding, Entries& into) {
    for (const auto& entry : from) {
        if (entry.binding == binding) into.push_back(entry);
    }
}

// What the previous snapshot has of this binding; nullopt if it was another provider or namespace.
std::optional<Listing> previous_listing(const SnapshotPtr& previous, const Binding& wanted) {
    if (!previous || !wanted.provider) return std::nullopt;
    for (const auto& binding : previous->bindings) {
        if (binding->provider != wanted.provider || binding->name_space != wanted.name_space) {
            continue;
        }
        Listing listing;
        listing.binding = binding;
        keep(previous->tools, binding, listing.tools);
        keep(previous->resources, binding, listing.resources);
        keep(previous->templates, binding, listing.templates);
        keep(previous->prompts, binding, listing.prompts);
        return listing;
    }
    return std::nullopt;
}

// Who owns each exposed name of one kind.
class Owners {
  public:
    explicit Owners(const char* kind) : kind_(kind) {}

    template <class Entries>
    Result<void> check(const Entries& entries) const {
        for (const auto& entry : entries) {
            const auto at = owners_.find(entry.exposed);
            if (at == owners_.end()) continue;
            return invalid(owner(*entry.binding) + " is left out: the " + std::string(kind_) +
                           " '" + entry.exposed + "' is exposed by both " + owner(*at->second) +
                           " and it; give one of them a namespace");
        }
        return {};
    }
    template <class Entries>
    void take(const Entries& entries) {
        for (const auto& entry : entries)
            owners_.emplace(entry.exposed, entry.binding);
    }

  private:
    const char* kind_;
    std::unordered_map<std::string, BindingPtr> owners_;
};

// Decides which bindings and listings go together: of two the first.
class Merge {
  public:
    Result<void> admit(const Binding& binding) {
        const auto refused = [&](const std::string& why) {
            return invalid(owner(binding) + " is left out: " + why);
        };
        if (auto ok = check_namespace(binding.name_space); !ok) return refused(ok.error().message);
        const auto [same, is_new] = names_.emplace(binding.capability, &binding);
        if (!is_new) return refused("its name is that of " + owner(*same->second));
        if (auto ok = admit_routes(binding); !ok) {
            names_.erase(same);
            return refused(ok.error().message);
        }
        if (binding.name_space.empty()) return {};
        const auto [at, added] = namespaces_.emplace(binding.name_space, &binding);
        if (added) return {};
        names_.erase(same);
        return refused("the namespace '" + binding.name_space + "' is used by both " +
                       owner(*at->second) + " and it; give one of them another");
    }

    Result<void> add(const Listing& listing) {
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

  private:
    Result<void> admit_routes(const Binding& binding) {
        for (const auto& route : binding.routes) {
            const auto [at, added] = routes_.emplace(route.path, &binding);
            if (added || at->second == &binding) continue;
            return invalid("the path " + route.path + " is that of " + owner(*at->second));
        }
        return {};
    }

    std::map<std::string_view, const Binding*> names_, namespaces_, routes_;
    Owners tools_{"tool"}, resources_{"resource"}, templates_{"resource template"},
        prompts_{"prompt"};
};

template <class Entries>
void append(Entries& from, Entries& into) {
    std::move(from.begin(), from.end(), std::back_inserter(into));
}

void append(Listing& listing, Snapshot& snapshot) {
    append(listing.tools, snapshot.tools);
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
    snapshot->instructions = join_instructions(instructions, *snapshot);
    snapshot->version = ++versions;
    snapshot->index();
    return snapshot;
}

}  // namespace

CatalogBuilder::Outcome CatalogBuilder::build(const std::string& org,
                                              const std::vector<Binding>& bindings,
                                              const SnapshotPtr& previous,
                                              const std::string& instructions,
                                              const Wanted& wanted) const {
    Outcome outcome;
    Merge merge;
    std::vector<Binding> admitted;
    Listings listings;
    const auto refuse = [&](const Binding& binding, const std::string& why) {
        outcome.unlisted.push_back(binding.provider);
        outcome.warnings.push_back(why);
    };
    for (const auto& binding : bindings) {
        if (auto ok = merge.admit(binding); !ok) {
            refuse(binding, ok.error().message);
            continue;
        }
        const bool asked = !wanted || wanted(binding);
        auto kept = asked ? std::nullopt : previous_listing(previous, binding);
        if (!asked && !kept) {
            outcome.unlisted.push_back(binding.provider);
            continue;
        }
        admitted.push_back(binding);
        listings.emplace_back();
        if (kept) listings.back() = std::move(*kept);
    }
    list_missing(ask_, limits_, org, admitted, listings);

    std::vector<Listing> merged;
    for (std::size_t i = 0; i < admitted.size(); ++i) {
        auto& listing = *listings[i];
        if (!listing) {
            auto kept = previous_listing(previous, admitted[i]);
            refuse(admitted[i], owner(admitted[i]) +
                                    (kept ? " keeps its previous lists: " : " is left out: ") +
                                    listing.error().message);
            if (!kept) continue;
            listing = std::move(*kept);
        }
        append(listing->warnings, outcome.warnings);
        if (auto ok = merge.add(*listing); !ok)
            refuse(admitted[i], ok.error().message);
        else
            merged.push_back(std::move(*listing));
    }
    outcome.snapshot = assemble(org, std::move(merged), instructions);
    return outcome;
}

}  // namespace pb::catalog
