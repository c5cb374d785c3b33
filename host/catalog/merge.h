// SPDX-License-Identifier: Apache-2.0
// Merging: which bindings and listings go together in one snapshot - of two that want the same, the
// first - and the snapshot that is made of them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/listing.h"

namespace pb::catalog {

// Who owns each exposed name of one kind.
class Owners {
  public:
    explicit Owners(const char* kind) : kind_(kind) {}

    template <class Entries>
    Result<void> check(const Entries& entries) const {
        for (const auto& entry : entries) {
            const auto at = owners_.find(entry.exposed);
            if (at != owners_.end()) return clash(entry, *at->second);
        }
        return {};
    }
    template <class Entries>
    void take(const Entries& entries) {
        for (const auto& entry : entries)
            owners_.emplace(entry.exposed, entry.binding);
    }

  private:
    Error clash(const Entry& entry, const Binding& other) const;

    const char* kind_;
    std::unordered_map<std::string, BindingPtr> owners_;
};

// The errors name both owners. What was admitted must outlive it.
class Merge {
  public:
    // By its name, namespace and routes, before it is asked for anything.
    Result<void> admit(const Binding& binding);
    // By the names of its entries.
    Result<void> add(const Listing& listing);

  private:
    std::map<std::string_view, const Binding*> names_, namespaces_, routes_;
    Owners tools_{"tool"}, resources_{"resource"}, templates_{"resource template"},
        prompts_{"prompt"};
};

// What a snapshot has of one of its bindings, copied.
Listing listing_of(const Snapshot& snapshot, const BindingPtr& binding);

// A snapshot of listings that go together.
SnapshotPtr assemble(const std::string& org, std::vector<Listing> listings,
                     const std::string& instructions);

// What of a snapshot somebody may see. A tool is null where the entry is none.
struct Permission {
    std::function<bool(const Binding&)> binding;
    std::function<bool(const Entry&, const Tool*)> entry;
};
SnapshotPtr narrowed(const Snapshot& whole, const Permission& may);

}  // namespace pb::catalog
