// SPDX-License-Identifier: Apache-2.0
// Catalog: which snapshot each organisation has now, and who is told when it changes. The
// replacement of a snapshot is the only source of list_changed.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/snapshot.h"

namespace pb::catalog {

// Asks a provider something on the host's own behalf and waits, with a deadline; the body of the
// result. Supplied by the owner (it goes through runtime/).
using Ask = std::function<Result<std::string>(const std::shared_ptr<Provider>& provider,
                                              const std::string& org, std::string_view method,
                                              std::string_view params)>;

struct BuildLimits {
    std::size_t pages = 100;        // of one list
    std::size_t entries = 10'000;   // of one list; what is beyond is left out with a warning
    std::size_t bytes = 64u << 20;  // of one binding's definitions and their schemas; likewise
    std::size_t parallel = 8;       // bindings asked at the same time
    // For all pages of one binding, looked at between pages.
    std::chrono::milliseconds time{60'000};
};

// Makes a snapshot: server/discover and the lists of every binding (pages followed, within limits),
// names and URIs put into namespaces, schemas compiled.
class CatalogBuilder {
  public:
    explicit CatalogBuilder(Ask ask, BuildLimits limits = {})
        : ask_(std::move(ask)), limits_(limits) {}

    struct Outcome {
        SnapshotPtr snapshot;
        std::vector<std::string> warnings;  // what is left out and why, one sentence each
        // Those whose lists are not in the snapshot, or not as they are now: their provider could
        // not be asked, or they were refused.
        std::vector<std::shared_ptr<Provider>> unlisted;
    };
    // Which bindings are to be asked; null: all. One that is not keeps what `previous` has of its
    // provider under its namespace, as it is: no schema is compiled again.
    using Wanted = std::function<bool(const Binding& binding)>;

    // Bindings are asked in parallel; one that fails or is late costs the others nothing: its
    // previous entries stay if `previous` has the same provider, else it is left out with a
    // warning. Refused, which leaves a binding out with a warning that names both owners: the
    // name, the namespace or a route of an earlier binding, a malformed namespace, an entry with
    // the exposed name of an earlier binding's. (Several bindings may have the empty namespace.) An
    // entry that is wrong in itself (no name, inputSchema that does not compile, invalid
    // x-mcp-header, listed twice by its provider) is left out with a warning. `instructions` are
    // the organisation's own; they come before the bindings'.
    Outcome build(const std::string& org, const std::vector<Binding>& bindings,
                  const SnapshotPtr& previous, const std::string& instructions = {},
                  const Wanted& wanted = nullptr) const;

  private:
    Ask ask_;
    BuildLimits limits_;
};

// Two snapshots of an organisation as one: what is in `over` comes before what `base` has under the
// same namespace or name, and hides it.
SnapshotPtr overlay(const Snapshot& base, const Snapshot& over);

// What differs between two snapshots, for notices; compares definitions, not versions.
struct Changes {
    bool tools = false, prompts = false, resources = false;  // resources: with templates
    explicit operator bool() const { return tools || prompts || resources; }
};
Changes compare(const Snapshot& before, const Snapshot& after);

class Catalog {
  public:
    // [any thread, waits for nothing but the copying of a pointer] The organisation's snapshot;
    // null if there is none.
    SnapshotPtr of(std::string_view org) const;
    std::vector<std::string> orgs() const;

    // [any thread] Puts a snapshot in place, then tells the listeners what changed. Null removes.
    void replace(const std::string& org, SnapshotPtr snapshot);

    // A provider said resources/updated: listeners get the exposed URI.
    void resource_updated(const std::string& org, const std::string& exposed_uri);

    struct Listener {
        std::function<void(const std::string& org, const Changes& changes)> lists_changed;
        std::function<void(const std::string& org, const std::string& uri)> resource_updated =
            nullptr;
        std::function<void(const std::string& org)> replaced = nullptr;  // even if no list differs
    };
    // Listeners are set once, before serving.
    void listen(Listener listener);

  private:
    using Table = std::map<std::string, SnapshotPtr, std::less<>>;
    using TablePtr = std::shared_ptr<const Table>;

    TablePtr table() const;

    // Not std::atomic<shared_ptr>: its load() in libstdc++ 12 is a data race against store().
    mutable std::mutex pointer_;  // held only to copy or swap table_
    TablePtr table_ = std::make_shared<const Table>();
    std::mutex replacing_;
    std::vector<Listener> listeners_;
};

}  // namespace pb::catalog
