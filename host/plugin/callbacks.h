// SPDX-License-Identifier: Apache-2.0
// Callbacks: what may call into one instance besides its provider - subscriptions, timers and the
// ends of nested calls. Closed together when the instance stops, so that nothing calls into it
// afterwards.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/workers.h"
#include "catalog/provider.h"
#include "patchbay/plugin.h"
#include "plugin/event_bus.h"
#include "plugin/timers.h"

namespace pb::plugin {

// While one lives its thread is in a function that a plugin called: what it waits for there is a
// plugin's loss and not the host's.
class LentThread {
  public:
    LentThread();
    ~LentThread();
    LentThread(const LentThread&) = delete;
    LentThread& operator=(const LentThread&) = delete;

  private:
    const bool before_;
};

// The nested calls that have not ended. Shared with whoever ends them, which may be after the
// instance's own end.
class PendingInvokes : public std::enable_shared_from_this<PendingInvokes> {
  public:
    explicit PendingInvokes(Workers& workers) : workers_(workers) {}

    // Nothing if closed (*closed is set) or if there are too many.
    std::optional<std::uint64_t> add(patchbay_invoke_done done, void* user, bool* closed);
    // [any thread] Calls done, unless that has happened: at once on a lent thread, otherwise on one
    // of the workers.
    void finish(std::uint64_t id, catalog::Status status, std::string_view body);
    // True if done was not called and will not be.
    bool withdraw(std::uint64_t id);
    // Ends all as gone; add() refuses from now on.
    void close();
    bool wait_until(std::chrono::steady_clock::time_point until);

  private:
    struct Pending {
        patchbay_invoke_done done;
        void* user;
    };
    void tell(std::uint64_t id, catalog::Status status, std::string_view body);

    Workers& workers_;  // as long as anything is pending
    std::mutex mutex_;
    std::condition_variable left_;
    std::uint64_t next_ = 1;
    std::map<std::uint64_t, Pending> pending_;
    std::size_t inside_ = 0;  // calls of done that are running
    bool closed_ = false;
};

class Callbacks {
  public:
    Callbacks(EventBus& events, Timers& timers, Workers& workers)
        : events_(events), timers_(timers), invokes_(std::make_shared<PendingInvokes>(workers)) {}

    // [any thread] *id is set before the first event. gone after close(); busy with too many.
    catalog::Status subscribe(std::string_view org, std::string_view prefix,
                              EventBus::Receiver receiver, std::uint64_t* id);
    catalog::Status unsubscribe(std::uint64_t id);
    catalog::Status schedule(std::chrono::nanoseconds delay, std::chrono::nanoseconds period,
                             std::function<void()> task, std::uint64_t* id);
    catalog::Status cancel(std::uint64_t id);
    const std::shared_ptr<PendingInvokes>& invokes() const { return invokes_; }

    // Nothing begins after it.
    void close();
    // True if nothing is running any more.
    bool wait_until(std::chrono::steady_clock::time_point until);

  private:
    void forget_timer(std::uint64_t id);

    EventBus& events_;
    Timers& timers_;
    const std::shared_ptr<PendingInvokes> invokes_;
    std::mutex mutex_;
    bool closed_ = false;
    std::uint64_t next_ = 1;
    std::map<std::uint64_t, EventBus::Handle> subscriptions_;
    std::map<std::uint64_t, Timers::Handle> schedule_;
};

}  // namespace pb::plugin
