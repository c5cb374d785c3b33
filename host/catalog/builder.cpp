// SPDX-License-Identifier: Apache-2.0
// CatalogBuilder: asks all bindings at the same time and merges what they list into one snapshot.
#include <algorithm>
#include <atomic>
#include <iterator>
#include <system_error>
#include <thread>

#include "catalog/catalog.h"
#include "catalog/listing.h"
#include "catalog/merge.h"

namespace pb::catalog {
namespace {

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

// What the previous snapshot has of this binding; nullopt if it was another provider or namespace.
std::optional<Listing> previous_listing(const SnapshotPtr& previous, const Binding& wanted) {
    if (!previous || !wanted.provider) return std::nullopt;
    for (const auto& binding : previous->bindings) {
        if (binding->provider != wanted.provider || binding->name_space != wanted.name_space) {
            continue;
        }
        return listing_of(*previous, binding);
    }
    return std::nullopt;
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
        std::move(listing->warnings.begin(), listing->warnings.end(),
                  std::back_inserter(outcome.warnings));
        if (auto ok = merge.add(*listing); !ok)
            refuse(admitted[i], ok.error().message);
        else
            merged.push_back(std::move(*listing));
    }
    outcome.snapshot = assemble(org, std::move(merged), instructions);
    return outcome;
}

}  // namespace pb::catalog
