// SPDX-License-Identifier: Apache-2.0
// Subscriptions: who hears of changes. Modern clients hold a subscriptions/listen stream; legacy
// sessions have their GET stream (or stdio) and a set of resource URIs.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admission/admission.h"
#include "mcp/request.h"

namespace pb::mcp {

class Subscriptions {
  public:
    Subscriptions(const admission::Admission& admission, Sessions& sessions, std::size_t most,
                  const std::string& server_info)
        : admission_(admission), sessions_(sessions), most_(most), server_info_(server_info) {}

    // [any thread] Serves a modern subscriptions/listen until the client leaves.
    void listen(const RequestPtr& request);

    // [any thread] Legacy resources/subscribe and unsubscribe; false: no such resource.
    bool subscribe(const SessionPtr& session, const std::string& uri);
    void unsubscribe(const SessionPtr& session, const std::string& uri);
    void forget(const SessionPtr& session);
    // A session that is not among the HTTP ones hears of changes too (stdio).
    void attach(const SessionPtr& session);

    // [any thread] From the catalog.
    void providers_changed(const std::string& org);
    void lists_changed(const std::string& org, const catalog::Changes& changes);
    void resource_updated(const std::string& org, const std::string& uri);

    // Ends the listen streams of those whose credential is not good any more.
    void end_of(const runtime::StandingOf& standing);
    // Ends every listen stream as the specification says, for shutdown.
    void goodbye();

    std::size_t listening() const;

  private:
    class Listener;
    class Told;
    using Key = std::pair<std::string, std::string>;  // organisation, exposed URI
    // A resource with subscribers, and what is known of it to the one that provides it.
    struct Watched {
        int subscribers = 0;
        runtime::CallerPtr caller;              // the newest of them, in whose name it is told
        bool telling = false;                   // it has not answered yet
        bool again = false;                     // something changed meanwhile
        std::weak_ptr<catalog::Provider> told;  // believes that there are subscribers
        std::string local_uri;                  // as it was told
    };
    void remove(const Listener* listener);
    std::vector<std::shared_ptr<Listener>> listeners(const std::string& org) const;
    std::vector<SessionPtr> sessions(const std::string& org) const;
    void count(const runtime::CallerPtr& caller, const std::string& uri, int step);
    void tell_provider(const Key& key);
    bool next_to_tell(const Key& key, const runtime::Caller& caller, runtime::CallSpec& spec,
                      std::string& uri);

    const admission::Admission& admission_;
    Sessions& sessions_;
    std::size_t most_;
    const std::string& server_info_;
    mutable std::mutex mutex_;
    std::map<const Listener*, std::shared_ptr<Listener>> listeners_;
    std::vector<std::weak_ptr<Session>> attached_;
    std::map<Key, Watched> watched_;
    bool closing_ = false;
};

}  // namespace pb::mcp
