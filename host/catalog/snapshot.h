// SPDX-License-Identifier: Apache-2.0
// Snapshot: everything that one organisation exposes at one moment. Immutable; replaced whole; read
// without locks. Definitions are the providers' own JSON text with only names and URIs rewritten.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/choices.h"
#include "catalog/provider.h"
#include "catalog/uri_template.h"
#include "json/header_params.h"
#include "json/schema.h"

namespace pb::catalog {

// What a capability's manifest says about its lists (2026-07-28 caching hints).
struct ListPolicy {
    bool is_private = false;  // what is listed depends on the caller
    std::int64_t ttl_ms = 300'000;
    bool operator==(const ListPolicy&) const = default;
};

// A path of the host's at which a capability answers plain HTTP.
struct Route {
    enum class Access { open, read, write, admin };  // who may: anybody, or callers with a scope
    std::string path;                                // "/api/mcp-servers", and all below it
    Access access = Access::admin;
};

// A capability that an organisation has enabled: one provider under one namespace.
struct Binding {
    std::string capability;          // "weather", later "mcp:github"
    std::string name_space;          // "" only where the organisation asked for it
    std::string title, description;  // for people; may be empty
    std::shared_ptr<Provider> provider;
    ListPolicy lists;
    std::chrono::milliseconds call_time{0};  // where the caller names none; 0: the host's default
    std::vector<Route> routes;
    bool takes_servers = false;  // it opens remote MCP servers for the others
    Choices choices;
    // Filled from the provider's server/discover by CatalogBuilder:
    bool tools = false, resources = false, prompts = false, completions = false,
         resource_subscriptions = false;
    std::string instructions;
};

struct Entry {
    std::string exposed;     // name or URI (template) that clients use
    std::string local;       // the provider's own
    std::string definition;  // JSON object text, exposed name in it
    std::shared_ptr<const Binding> binding;
};

struct Tool : Entry {
    bool read_only = false;                      // annotations.readOnlyHint
    bool destructive = false;                    // annotations.destructiveHint, explicitly true
    std::shared_ptr<const json::Schema> input;   // never null
    std::shared_ptr<const json::Schema> output;  // null where none is declared
    std::vector<json::HeaderParam> header_params;
    bool withheld = false;  // not listed; its provider tells who calls it why
};
struct Resource : Entry {};
struct ResourceTemplate : Entry {
    UriTemplate pattern;  // of the local template
};
struct Prompt : Entry {};

class Snapshot;
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// Narrowed copies of one snapshot, by a key each. The snapshot itself keeps them: none of them
// holds a provider for longer than it does. [any thread]
class Copies {
  public:
    // Null if there is none, or if it was made under other rules.
    SnapshotPtr find(const std::string& key, const std::shared_ptr<const void>& rules) const;
    // Beyond so many the oldest goes.
    void keep(const std::string& key, std::shared_ptr<const void> rules, SnapshotPtr copy);

    static constexpr std::size_t most = 64;

  private:
    struct Copy {
        std::shared_ptr<const void> rules;  // kept, so that their address is nobody else's
        SnapshotPtr snapshot;
    };

    mutable std::mutex mutex_;
    std::map<std::string, Copy> copies_;
    std::list<std::string> order_;  // the oldest first
};

// The lists in the order in which clients see them: namespaces sorted, within one the provider's
// order.
class Snapshot {
  public:
    Snapshot() = default;
    Snapshot(const Snapshot&) = delete;  // the indexes point into the lists
    Snapshot& operator=(const Snapshot&) = delete;

    std::string org;
    std::uint64_t version = 0;  // of all snapshots built in this process, a later one's is greater
    std::vector<std::shared_ptr<const Binding>> bindings;
    std::vector<Tool> tools;
    std::vector<Tool> withheld_tools;
    std::vector<Resource> resources;
    std::vector<ResourceTemplate> templates;
    std::vector<Prompt> prompts;
    ListPolicy lists;              // the most private and shortest-lived of the bindings'
    std::string own_instructions;  // the organisation's; may be empty
    std::string instructions;      // with the bindings' behind them
    mutable Copies copies;

    // By exposed name, a withheld one too; null if absent.
    const Tool* tool(std::string_view name) const;
    const Prompt* prompt(std::string_view name) const;

    // Where a resource URI that a client used goes: the binding and its own URI for it. Listed
    // resources and templates' expansions first by namespace prefix; a URI that no listed prefix
    // owns belongs to nobody (nullopt). With the empty namespace: the binding that lists the URI or
    // has a template that matches it, or, failing both, the only empty-namespace binding with
    // resources.
    struct ResourceTarget {
        std::shared_ptr<const Binding> binding;
        std::string local_uri;
    };
    std::optional<ResourceTarget> resource(std::string_view exposed_uri) const;

    // A provider's own URI as clients see it (for results, resource links and updated notices).
    std::string exposed_uri(const Binding& binding, std::string_view local_uri) const;

    // To be called once, when the lists are complete and before the snapshot is shared: makes the
    // lookups work. (CatalogBuilder does.)
    void index();

  private:
    std::optional<ResourceTarget> unprefixed(std::string_view uri) const;

    std::unordered_map<std::string_view, std::size_t> tool_index_, withheld_index_, prompt_index_;
    std::unordered_map<std::string_view, std::size_t> resource_index_;
};

}  // namespace pb::catalog
