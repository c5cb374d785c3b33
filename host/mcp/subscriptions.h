// SPDX-License-Identifier: Apache-2.0
// Subscriptions: who hears of changes. Modern clients hold a subscriptions/listen stream; legacy
// sessions have their GET stream (or stdio) and a set of resource URIs.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
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

    // [any thread] Legacy resources/subscribe, which is answered once the resource's provider has,
    // and unsubscribe.
    void subscribe(const RequestPtr& request, const std::string& uri);
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
    // One who hears of one resource: a listen stream or a session.
    struct Subscriber {
        runtime::CallerPtr caller;  // who asked for it, and has to see it whenever it is told
        std::weak_ptr<Listener> listener = {};
        std::weak_ptr<Session> session = {};
        std::function<void(bool granted)> answered = {};  // null: it has been
        bool granted = false;
        bool missed = false;  // it changed before that
        bool queued = false;  // in to_ask
        bool left = false;
    };
    using SubscriberPtr = std::shared_ptr<Subscriber>;
    // A resource with subscribers, and what is known of it to the one that provides it.
    struct Watched {
        std::map<const void*, SubscriberPtr> all;  // by listener or session
        std::deque<SubscriberPtr> to_ask;
        bool telling = false;                   // somebody is at it
        runtime::CallerPtr last;                // who left last
        std::weak_ptr<catalog::Provider> told;  // believes that there are subscribers
        std::string local_uri;                  // as it was told
        std::set<std::string> agreed;           // for whom it has, by what they may do
    };
    void remove(const Listener* listener);
    bool listens(const Listener* listener) const;
    void leave_all(const Listener& listener);
    std::vector<std::shared_ptr<Listener>> listeners(const std::string& org) const;
    std::vector<SessionPtr> sessions(const std::string& org) const;
    void watch(const std::string& uri, const void* who, Subscriber subscriber);
    void leave(const Key& key, const void* who);
    void tell_provider(const Key& key);
    void work(const Key& key);
    bool ask(const Key& key, const SubscriberPtr& who);
    bool start(const Key& key, runtime::CallSpec spec, const std::string& uri,
               const SubscriberPtr& who);
    void settle(const Key& key, const SubscriberPtr& who, bool granted);
    void deliver(const Subscriber& to, const std::string& uri) const;

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
