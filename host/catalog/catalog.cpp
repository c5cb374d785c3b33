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

SnapshotPtr Catalog::of(std::string_view org) const {
    const auto table = table_.load();
    if (!table) return nullptr;
    const auto at = table->find(org);
    return at == table->end() ? nullptr : at->second;
}

std::vector<std::string> Catalog::orgs() const {
    std::vector<std::string> names;
    if (const auto table = table_.load()) {
        for (const auto& [org, snapshot] : *table)
            names.push_back(org);
    }
    return names;
}

void Catalog::replace(const std::string& org, SnapshotPtr snapshot) {
    Changes changes;
    {
        const std::lock_guard lock(replacing_);
        const auto current = table_.load();
        auto table = current ? std::make_shared<Table>(*current) : std::make_shared<Table>();
        static const Snapshot nothing;
        const auto at = table->find(org);
        changes =
            compare(at == table->end() ? nothing : *at->second, snapshot ? *snapshot : nothing);
        if (snapshot) {
            table->insert_or_assign(org, std::move(snapshot));
        } else {
            table->erase(org);
        }
        table_.store(std::move(table));
    }
    // Outside the lock: a listener may look at the catalog or replace again.
    if (!changes) return;
    for (const auto& listener : listeners_) {
        if (listener.lists_changed) listener.lists_changed(org, changes);
    }
}

void Catalog::resource_updated(const std::string& org, const std::string& exposed_uri) {
    for (const auto& listener : listeners_) {
        if (listener.resource_updated) listener.resource_updated(org, exposed_uri);
    }
}

void Catalog::listen(Listener listener) { listeners_.push_back(std::move(listener)); }

}  // namespace pb::catalog
