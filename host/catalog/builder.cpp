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

Result<void> check_bindings(const std::vector<Binding>& bindings) {
    std::map<std::string_view, const Binding*> owners;
    for (const auto& binding : bindings) {
        if (auto ok = check_namespace(binding.name_space); !ok) {
            return invalid(owner(binding) + ": " + ok.error().message);
        }
        if (binding.name_space.empty()) continue;
        const auto [at, added] = owners.emplace(binding.name_space, &binding);
        if (!added) {
            return invalid("the namespace '" + binding.name_space + "' is used by both " +
                           owner(*at->second) + " and " + owner(binding) +
                           "; give one of them another");
        }
    }
    return {};
}

// The listings in the order of the bindings.
std::vector<Result<Listing>> list_all(const Ask& ask, const BuildLimits& limits,
                                      const std::string& org, std::vector<Binding>& bindings) {
    std::vector<Result<Listing>> listings(bindings.size(), internal_error("was not asked"));
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (auto i = next++; i < bindings.size(); i = next++) {
            listings[i] = list_binding(ask, limits, org, bindings[i]);
        }
    };
    std::vector<std::jthread> helpers;
    const auto wanted = std::min(limits.parallel, bindings.size());
    try {
        while (helpers.size() + 1 < wanted)
            helpers.emplace_back(work);
    } catch (const std::system_error&) {
        // No more threads: the ones there are do the work, this one at least.
    }
    work();
    helpers.clear();  // joins
    return listings;
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
    Result<void> take(Entries& from, Entries& into) {
        for (auto& entry : from) {
            const auto [at, added] = owners_.emplace(entry.exposed, entry.binding);
            if (!added) {
                return invalid("the " + std::string(kind_) + " '" + entry.exposed +
                               "' is exposed by both " + owner(*at->second) + " and " +
                               owner(*entry.binding) + "; give one of them a namespace");
            }
            into.push_back(std::move(entry));
        }
        return {};
    }

  private:
    const char* kind_;
    std::unordered_map<std::string, BindingPtr> owners_;
};

class Merge {
  public:
    Result<void> add(Listing listing, Snapshot& snapshot) {
        if (auto ok = tools_.take(listing.tools, snapshot.tools); !ok) return ok;
        if (auto ok = resources_.take(listing.resources, snapshot.resources); !ok) return ok;
        if (auto ok = templates_.take(listing.templates, snapshot.templates); !ok) return ok;
        if (auto ok = prompts_.take(listing.prompts, snapshot.prompts); !ok) return ok;
        const auto& binding = *listing.binding;
        snapshot.lists.is_private |= binding.lists.is_private;
        snapshot.lists.ttl_ms = snapshot.bindings.empty()
                                    ? binding.lists.ttl_ms
                                    : std::min(snapshot.lists.ttl_ms, binding.lists.ttl_ms);
        snapshot.bindings.push_back(listing.binding);
        return {};
    }

  private:
    Owners tools_{"tool"}, resources_{"resource"}, templates_{"resource template"},
        prompts_{"prompt"};
};

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

Result<CatalogBuilder::Outcome> CatalogBuilder::build(const std::string& org,
                                                      std::vector<Binding> bindings,
                                                      const SnapshotPtr& previous,
                                                      const std::string& instructions) const {
    if (auto ok = check_bindings(bindings); !ok) return std::move(ok).error();
    std::stable_sort(bindings.begin(), bindings.end(), [](const Binding& a, const Binding& b) {
        return std::tie(a.name_space, a.capability) < std::tie(b.name_space, b.capability);
    });
    auto listings = list_all(ask_, limits_, org, bindings);

    Outcome outcome;
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->org = org;
    Merge merge;
    for (std::size_t i = 0; i < listings.size(); ++i) {
        auto& listing = listings[i];
        if (!listing) {
            auto kept = previous_listing(previous, bindings[i]);
            outcome.unlisted.push_back(bindings[i].capability);
            outcome.warnings.push_back(owner(bindings[i]) +
                                       (kept ? " keeps its previous lists: " : " is left out: ") +
                                       listing.error().message);
            if (!kept) continue;
            listing = std::move(*kept);
        }
        std::move(listing->warnings.begin(), listing->warnings.end(),
                  std::back_inserter(outcome.warnings));
        if (auto ok = merge.add(std::move(*listing), *snapshot); !ok) return std::move(ok).error();
    }
    snapshot->instructions = join_instructions(instructions, *snapshot);
    snapshot->version = ++versions;
    snapshot->index();
    outcome.snapshot = std::move(snapshot);
    return outcome;
}

}  // namespace pb::catalog
