// SPDX-License-Identifier: Apache-2.0
// Calls: the table of everything that runs now. It keeps each call's time, tells providers of
// cancellation, and answers for a provider that does not: late, twice or never harms nobody.
//
//   start() ── provider completes ─────────────► observer.completed(status, body)
//     ├─ cancel() ── completed(cancelled) at once; the provider has `grace` to notice
//     └─ deadline ── the provider is told and has `grace` to answer; then completed(deadline)
// A provider whose calls never end trips its breaker: new calls are answered `busy` for a while.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/timer.h"
#include "catalog/provider.h"
#include "runtime/caller.h"
#include "runtime/context.h"

namespace pb::runtime {

using catalog::CallId;
using catalog::Status;

struct CallOptions {
    std::chrono::milliseconds default_timeout{60'000};
    std::chrono::milliseconds max_timeout{600'000};
    std::chrono::milliseconds grace{2'000};
    std::chrono::milliseconds lasting{2'000};  // after this observers hear still_running()
    int max_depth = 8;                         // nested invokes
    int concurrency = 256;                     // host threads inside all providers together
    int concurrency_per_provider = 128;        // host threads inside one provider
    int breaker_failures = 5;                  // stuck calls in a row
    std::chrono::milliseconds breaker_cool_off{30'000};
    std::size_t max_calls = 100'000;
};

// Hears of one call. [any thread] Functions of one observer may overlap, except that completed() is
// called exactly once and nothing comes after it has begun.
class CallObserver {
  public:
    virtual ~CallObserver() = default;
    // Before the provider hears of the call: from now on it can be cancelled, also while start() is
    // still inside a provider that answers on the caller's thread. Not called if it never began.
    virtual void begun(CallId) noexcept {}
    // Before completed(), where its body is the provider's words and not the host's.
    virtual void said() noexcept {}
    // Before completed(), where that is made of how the call ended: how it did. Not called where it
    // never began.
    virtual void ended(Status) noexcept {}
    virtual void completed(Status status, std::string_view body) noexcept = 0;
    virtual Status notified(std::string_view method, std::string_view params) noexcept = 0;
    virtual void still_running() noexcept {}
};

struct CallSpec {
    std::shared_ptr<catalog::Provider> provider;
    std::string_view method;
    std::string_view params;  // with the provider's own names
    CallerPtr caller;
    ClientViewPtr client;                 // null: the host itself
    std::chrono::nanoseconds timeout{0};  // 0 = the default
    CallId parent = catalog::no_call;     // nested: bounds time and depth, cancels with it
    std::shared_ptr<CallObserver> observer;
};

class Calls : public catalog::CallSink {
  public:
    explicit Calls(CallOptions options = {});
    ~Calls() override;

    // Begins the call on this thread; it may have ended when this returns. Failures (breaker, too
    // many, depth) also arrive as completed(). Returns the id, no_call if it never began.
    CallId start(const CallSpec& spec);

    // The one who asked no longer wants it. Nested calls end with it. Unknown ids are ignored.
    void cancel(CallId id);

    // What a nested call inherits; empty caller if the call has ended.
    struct Origin {
        CallerPtr caller;
        ClientViewPtr client;
        int depth = 0;
    };
    Origin origin(CallId id) const;

    std::size_t running() const;
    // Calls that somebody still holds, and their providers with them: those that run, those that
    // were given up while a thread is inside the provider, those on their way out.
    std::size_t inside() const { return inside_.load(std::memory_order_acquire); }
    // Cancels everything and waits until it has ended and its threads have come back, at most
    // `limit`. New calls are refused.
    void drain(std::chrono::milliseconds limit);

    Status complete(CallId id, Status status, std::string_view body) noexcept override;
    Status notify(CallId id, std::string_view method, std::string_view params) noexcept override;
    Status wait(CallId id, std::int64_t timeout_ns) noexcept override;
    bool belongs(CallId id, const catalog::Provider& provider) const noexcept override;

    const CallOptions& options() const { return options_; }
    Timer& timer() { return timer_; }

  private:
    using Clock = std::chrono::steady_clock;
    struct Call;
    using CallPtr = std::shared_ptr<Call>;
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<CallId, CallPtr> calls;
    };

    Shard& shard(CallId id) const { return shards_[id % shards_.size()]; }
    CallPtr find(CallId id) const;
    CallPtr take(CallId id);
    CallPtr join(const CallPtr& call, CallId parent);
    bool admit(const CallPtr& call);
    static bool interrupted(const CallPtr& call);
    void run(const CallPtr& call, const CallSpec& spec, const CallPtr& parent);
    static void write_record(const Call& call, Status status, const std::string& record);
    static void finish(const CallPtr& call, Status status, std::string_view body,
                       bool said = false) noexcept;
    void sweep();
    void sweep_one(const CallPtr& call, Clock::time_point now);
    void give_up(const CallPtr& call);

    CallOptions options_;
    mutable std::array<Shard, 16> shards_;
    std::atomic<CallId> next_id_{1};
    std::atomic<std::size_t> running_{0}, inside_{0};
    std::atomic<int> threads_{0};  // of calls that clients made, inside providers
    std::atomic<bool> closed_{false};
    Timer timer_;  // last: its thread uses all of the above
};

}  // namespace pb::runtime
