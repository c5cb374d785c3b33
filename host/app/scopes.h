// SPDX-License-Identifier: Apache-2.0
// Scopes: remote MCP servers for some calls alone - an agent's, a session's - without a record in
// the organisation. The capability that takes mcpServers opens a scope, which gives virtual
// capabilities that only these calls see, laid over the organisation's catalog: by name the last of
// several objects counts, and a server hides what the organisation has under its namespace.
//
// What was opened is kept while it is used, and closed when it is idle, when there are too many, or
// when another instance serves the organisation; calls that still run finish first.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/workers.h"
#include "catalog/catalog.h"
#include "runtime/calls.h"

namespace pb::app {

class Scopes {
  public:
    struct Limits {
        std::size_t most = 256;
        std::chrono::milliseconds idle{600'000};
        std::chrono::milliseconds retry{5'000};  // until servers that failed are asked again
    };

    Scopes(const catalog::Catalog& catalog, runtime::Calls& calls, Workers& workers,
           catalog::Ask ask)
        : Scopes(catalog, calls, workers, std::move(ask), Limits()) {}
    Scopes(const catalog::Catalog& catalog, runtime::Calls& calls, Workers& workers,
           catalog::Ask ask, Limits limits);

    // [any thread] The servers of a scope - a JSON array of {"mcpServers":{...}}, least specific
    // first - as one JSON object's text; empty if there are none.
    static Result<std::string> merged(std::string_view scope);

    // What calls of the organisation see with these servers.
    struct View {
        catalog::SnapshotPtr snapshot;
        std::vector<std::string>
            left_out;  // what of the servers is not in it and why, in sentences
    };
    using ViewPtr = std::shared_ptr<const View>;
    using Then = std::function<void(const Result<ViewPtr>&)>;

    // [any thread] The first looks whether it is at hand (null if not); the second makes it and
    // waits. The third makes it on another thread - one, however many want it meanwhile.
    ViewPtr at_hand(const std::string& org, const std::string& servers);
    Result<ViewPtr> open(const std::string& org, const std::string& servers);
    void when_open(const std::string& org, const std::string& servers, Then then);

    // [any thread] Closes what is idle or of an instance that no longer serves; or everything.
    void sweep();
    void clear();

  private:
    using Clock = std::chrono::steady_clock;
    using ProviderPtr = std::shared_ptr<catalog::Provider>;
    struct Scope {
        std::mutex mutex;  // of all but `used`; held while it is opened
        ProviderPtr taker;
        std::vector<catalog::Binding> bindings;
        catalog::SnapshotPtr own;  // its servers' alone
        ViewPtr whole;             // laid over the organisation's
        std::vector<ProviderPtr> unlisted;
        std::vector<std::string> left_out;
        Clock::time_point listed;
        std::uint64_t base_version = 0;
        std::atomic<Clock::time_point> used;
        std::mutex waiting_mutex;
        std::vector<Then> waiting;  // not empty: a thread opens it for them
    };
    using ScopePtr = std::shared_ptr<Scope>;
    using Key = std::pair<std::string, std::string>;  // organisation, servers

    ScopePtr find(const Key& key, bool make);
    Result<ViewPtr> open(Scope& scope, const std::string& org, const std::string& servers);
    bool is_fresh(const Scope& scope, const catalog::Snapshot& base,
                  const ProviderPtr& taker) const;
    Result<void> begin(Scope& scope, const std::string& org, const std::string& servers,
                       const ProviderPtr& taker);
    void list(Scope& scope, const std::string& org);
    std::shared_ptr<void> closing(const ProviderPtr& taker, const std::string& org,
                                  std::string params);

    const catalog::Catalog& catalog_;
    runtime::Calls& calls_;
    Workers& workers_;
    const catalog::Ask ask_;
    const catalog::CatalogBuilder builder_;
    const Limits limits_;
    std::mutex mutex_;
    std::map<Key, ScopePtr> scopes_;
};

}  // namespace pb::app
