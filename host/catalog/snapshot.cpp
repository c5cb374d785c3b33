// SPDX-License-Identifier: Apache-2.0
#include "catalog/snapshot.h"

#include "catalog/names.h"

namespace pb::catalog {
namespace {

template <class Entries, class Index>
auto find(const Entries& entries, const Index& index, std::string_view name) -> const
    typename Entries::value_type* {
    const auto at = index.find(name);
    return at == index.end() ? nullptr : &entries[at->second];
}

template <class Entries, class Index>
void fill(const Entries& entries, Index& index) {
    index.clear();
    for (std::size_t i = 0; i < entries.size(); ++i)
        index.emplace(entries[i].exposed, i);
}

}  // namespace

SnapshotPtr Copies::find(const std::string& key, const std::shared_ptr<const void>& rules) const {
    const std::lock_guard lock(mutex_);
    const auto at = copies_.find(key);
    return at == copies_.end() || at->second.rules != rules ? nullptr : at->second.snapshot;
}

void Copies::keep(const std::string& key, std::shared_ptr<const void> rules, SnapshotPtr copy) {
    const std::lock_guard lock(mutex_);
    if (copies_.insert_or_assign(key, Copy{std::move(rules), std::move(copy)}).second)
        order_.push_back(key);
    if (order_.size() <= most) return;
    copies_.erase(order_.front());
    order_.pop_front();
}

void Snapshot::index() {
    fill(tools, tool_index_);
    fill(withheld_tools, withheld_index_);
    fill(prompts, prompt_index_);
    fill(resources, resource_index_);
}

const Tool* Snapshot::tool(std::string_view name) const {
    const auto* listed = find(tools, tool_index_, name);
    return listed ? listed : find(withheld_tools, withheld_index_, name);
}

const Prompt* Snapshot::prompt(std::string_view name) const {
    return find(prompts, prompt_index_, name);
}

std::optional<Snapshot::ResourceTarget> Snapshot::resource(std::string_view exposed_uri) const {
    if (const auto* listed = find(resources, resource_index_, exposed_uri)) {
        return ResourceTarget{listed->binding, listed->local};
    }
    auto [name_space, local] = split_uri(exposed_uri);
    if (!name_space.empty()) {
        for (const auto& binding : bindings) {
            if (binding->resources && binding->name_space == name_space) {
                return ResourceTarget{binding, std::move(local)};
            }
        }
    }
    return unprefixed(exposed_uri);
}

std::optional<Snapshot::ResourceTarget> Snapshot::unprefixed(std::string_view uri) const {
    for (const auto& entry : templates) {
        if (entry.binding->name_space.empty() && entry.pattern.matches(uri)) {
            return ResourceTarget{entry.binding, std::string(uri)};
        }
    }
    std::shared_ptr<const Binding> only;
    for (const auto& binding : bindings) {
        if (!binding->name_space.empty() || !binding->resources) continue;
        if (only) return std::nullopt;
        only = binding;
    }
    if (!only) return std::nullopt;
    return ResourceTarget{only, std::string(uri)};
}

std::string Snapshot::exposed_uri(const Binding& binding, std::string_view local_uri) const {
    return expose_uri(binding.name_space, local_uri);
}

}  // namespace pb::catalog
