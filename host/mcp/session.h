// SPDX-License-Identifier: Apache-2.0
// Session: what a legacy client established with initialize (or, on stdio, what one process is). It
// holds the client's promises, its running requests, and the questions that wait for its answers.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcp/event_log.h"
#include "mcp/outlet.h"
#include "mcp/versions.h"
#include "runtime/context.h"

namespace pb::mcp {

// Something that notifications/cancelled can end.
class Cancellable {
  public:
    virtual ~Cancellable() = default;
    virtual void cancel() = 0;
};

struct Session {
    std::string id;  // empty on stdio
    std::atomic<Version> version{newest_legacy};
    std::atomic<bool> initialized{false};
    runtime::CallerPtr caller;

    std::mutex mutex;  // guards what follows
    std::string client_info;
    std::string client_capabilities = "{}";
    std::string log_level = "info";
    std::set<std::string> subscriptions;                                     // exposed URIs
    std::map<std::string, std::weak_ptr<Cancellable>, std::less<>> running;  // by request id
    // Our questions by their id: result or error slice of the client's response, or both empty when
    // the session ends first.
    using AskDone = std::function<void(std::string_view result, std::string_view error)>;
    std::map<std::string, AskDone, std::less<>> asks;
    EventLog events;
    std::shared_ptr<Outlet> standalone;  // the GET stream, or stdio's channel
    runtime::CallerPtr listener;         // who opened that one
    std::chrono::steady_clock::time_point last_used;
    std::uint64_t next_ask = 1;
    bool closed = false;

    void touch();
    // Registers a request under its id, which it holds until ended().
    enum class Begun { yes, already_running, closed };
    Begun begin(std::string_view request_id, const std::shared_ptr<Cancellable>& request);
    void ended(std::string_view request_id);
    void cancel(std::string_view request_id);
    // Sends nothing itself; the id to send the question under. Empty if the session is closed.
    std::string expect(AskDone done);
    void forget(const std::string& ask_id);
    // A response from the client. False if nobody waits for it.
    bool resolve(std::string_view ask_id, std::string_view result, std::string_view error);
    std::optional<EventLog::Replay> replay(std::string_view last_event_id);
    // Nothing runs, nobody listens, and nothing was asked since `before`.
    bool idle_since(std::chrono::steady_clock::time_point before);
    // Ends the stream of its own unless who opened it is good yet.
    void end_stream_of(const runtime::StandingOf& standing);
    // Cancels what runs and answers what waits.
    void close();
};

using SessionPtr = std::shared_ptr<Session>;

// The HTTP sessions. Bounded in number and idle time.
class Sessions {
  public:
    Sessions(std::size_t most, std::chrono::milliseconds idle) : most_(most), idle_(idle) {}

    // What has to go first: the caller's own session that has been idle for longest, if the caller
    // has as many as one may. Null: nothing has.
    SessionPtr surplus_of(const runtime::Caller& caller) const;
    // Null if there are too many, or the caller has too many.
    SessionPtr open(runtime::CallerPtr caller);
    SessionPtr find(std::string_view id);
    // False if there was none. The session is closed.
    bool remove(std::string_view id);
    std::vector<SessionPtr> all() const;
    std::size_t size() const;
    std::vector<SessionPtr> idle() const;

  private:
    bool has_its_share(const runtime::Caller& caller) const;
    void forget_one_of(const runtime::Caller& caller);

    std::size_t most_;
    std::chrono::milliseconds idle_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, SessionPtr> sessions_;
    std::map<std::pair<std::string, std::string>, std::size_t> of_;  // organisation, principal
};

}  // namespace pb::mcp
