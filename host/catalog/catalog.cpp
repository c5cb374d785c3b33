// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.h"

#include <algorithm>

namespace pb::catalog {
namespace {

template <class Entries>
bool differ(const Entries& before, const Entries& after) {
    return !std::equal(before.begin(), before.end(), after.begin(), after.end(),
                       [](const Entry& a, const Entry& b) { return a.definition == b.definition; });
}

}  // namespace

Changes compare(const Snapshot& before, const Snapshot& after) {
    return {.tools = differ(before.tools, after.tools),
            .prompts = differ(before.prompts, after.prompts),
            .resources = differ(before.resources, after.resources) ||
                         differ(before.templates, after.templates)};
}

Catalog::TablePtr Catalog::table() const {
    const std::lock_guard lock(pointer_);
    return table_;
}

SnapshotPtr Catalog::of(std::string_view org) const {
    const auto now = table();
    const auto at = now->find(org);
    return at == now->end() ? nullptr : at->second;
}

std::vector<std::string> Catalog::orgs() const {
    std::vector<std::string> names;
    const auto now = table();
    for (const auto& [org, snapshot] : *now)
        names.push_back(org);
    return names;
}

void Catalog::replace(const std::string& org, SnapshotPtr snapshot) {
    static const Snapshot nothing;
    Changes changes;
    TablePtr old;  // ends outside the lock: with it may end providers
    {
        const std::lock_guard lock(replacing_);
        auto next = std::make_shared<Table>(*table());
        const auto at = next->find(org);
        changes =
            compare(at == next->end() ? nothing : *at->second, snapshot ? *snapshot : nothing);
        if (snapshot) {
            next->insert_or_assign(org, std::move(snapshot));
        } else {
            next->erase(org);
        }
        old = std::move(next);
        const std::lock_guard swap(pointer_);
        table_.swap(old);
    }
    // Outside the lock: a listener may look at the catalog or replace again.
    for (const auto& listener : listeners_) {
        if (listener.replaced) listener.replaced(org);
        if (changes && listener.lists_changed) listener.lists_changed(org, changes);
    }
}

void Catalog::resource_updated(const std::string& org, const std::string& exposed_uri) {
    for (const auto& listener : listeners_) {
        if (listener.resource_updated) listener.resource_updated(org, exposed_uri);
    }
}

void Catalog::listen(Listener listener) { listeners_.push_back(std::move(listener)); }

}  // namespace pb::catalog
