// SPDX-License-Identifier: Apache-2.0
// Keeping track of what may call into an instance.
#include "plugin/callbacks.h"

#include <utility>
#include <vector>

namespace pb::plugin {
namespace {

using catalog::Status;
using Clock = std::chrono::steady_clock;

// For one instance.
constexpr std::size_t max_subscriptions = 256;
constexpr std::size_t max_timers = 1024;
constexpr std::size_t max_invokes = 1024;

thread_local bool lent = false;

}  // namespace

LentThread::LentThread() : before_(std::exchange(lent, true)) {}

LentThread::~LentThread() { lent = before_; }

std::optional<std::uint64_t> PendingInvokes::add(patchbay_invoke_done done, void* user,
                                                 bool* closed) {
    std::lock_guard lock(mutex_);
    *closed = closed_;
    if (closed_ || pending_.size() >= max_invokes) return std::nullopt;
    std::uint64_t id = next_++;
    pending_.emplace(id, Pending{done, user});
    return id;
}

void PendingInvokes::finish(std::uint64_t id, Status status, std::string_view body) {
    if (lent) return tell(id, status, body);
    std::lock_guard lock(mutex_);
    if (!pending_.contains(id)) return;
    workers_.post([self = shared_from_this(), id, status, body = std::string(body)] {
        self->tell(id, status, body);
    });
}

void PendingInvokes::tell(std::uint64_t id, Status status, std::string_view body) {
    std::unique_lock lock(mutex_);
    auto found = pending_.find(id);
    if (found == pending_.end()) return;
    Pending pending = found->second;
    pending_.erase(found);
    ++inside_;
    lock.unlock();
    try {
        pending.done(pending.user, static_cast<patchbay_status>(status),
                     {body.data(), body.size()});
    } catch (...) {
        // A plugin that breaks rule 5 has at least been told.
    }
    lock.lock();
    --inside_;
    left_.notify_all();
}

bool PendingInvokes::withdraw(std::uint64_t id) {
    std::lock_guard lock(mutex_);
    return pending_.erase(id) > 0;
}

void PendingInvokes::close() {
    std::vector<std::uint64_t> ids;
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        for (const auto& each : pending_)
            ids.push_back(each.first);
    }
    for (std::uint64_t id : ids)
        tell(id, Status::gone, R"({"message":"the capability that asked is stopping"})");
}

bool PendingInvokes::wait_until(Clock::time_point until) {
    std::unique_lock lock(mutex_);
    return left_.wait_until(lock, until, [this] { return inside_ == 0; });
}

Status Callbacks::subscribe(std::string_view org, std::string_view prefix,
                            EventBus::Receiver receiver, std::uint64_t* id) {
    std::lock_guard lock(mutex_);
    if (closed_) return Status::gone;
    if (subscriptions_.size() >= max_subscriptions) return Status::busy;
    *id = next_++;
    subscriptions_.emplace(*id, events_.subscribe(org, prefix, std::move(receiver)));
    return Status::ok;
}

Status Callbacks::unsubscribe(std::uint64_t id) {
    EventBus::Handle handle;
    {
        std::lock_guard lock(mutex_);
        auto found = subscriptions_.find(id);
        if (found == subscriptions_.end()) return Status::not_found;
        handle = found->second;
    }
    events_.close(handle);
    EventBus::gate(handle).wait();
    std::lock_guard lock(mutex_);
    subscriptions_.erase(id);
    return Status::ok;
}

Status Callbacks::schedule(std::chrono::nanoseconds delay, std::chrono::nanoseconds period,
                           std::function<void()> task, std::uint64_t* id) {
    std::lock_guard lock(mutex_);
    if (closed_) return Status::gone;
    if (schedule_.size() >= max_timers) return Status::busy;
    *id = next_++;
    bool once = period == std::chrono::nanoseconds::zero();
    auto run = [this, id = *id, once, task = std::move(task)] {
        task();
        if (once) forget_timer(id);
    };
    schedule_.emplace(*id, timers_.schedule(delay, period, std::move(run)));
    return Status::ok;
}

void Callbacks::forget_timer(std::uint64_t id) {
    std::lock_guard lock(mutex_);
    // While closing, wait_until() still needs to know of it.
    if (!closed_) schedule_.erase(id);
}

Status Callbacks::cancel(std::uint64_t id) {
    Timers::Handle handle;
    {
        std::lock_guard lock(mutex_);
        auto found = schedule_.find(id);
        if (found == schedule_.end()) return Status::not_found;
        handle = found->second;
    }
    timers_.close(handle);
    Timers::gate(handle).wait();
    std::lock_guard lock(mutex_);
    schedule_.erase(id);
    return Status::ok;
}

void Callbacks::close() {
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        for (const auto& each : subscriptions_)
            events_.close(each.second);
        for (const auto& each : schedule_)
            timers_.close(each.second);
    }
    invokes_->close();
}

bool Callbacks::wait_until(Clock::time_point until) {
    std::vector<EventBus::Handle> subscriptions;
    std::vector<Timers::Handle> timers;
    {
        std::lock_guard lock(mutex_);
        for (const auto& each : subscriptions_)
            subscriptions.push_back(each.second);
        for (const auto& each : schedule_)
            timers.push_back(each.second);
    }
    bool clear = true;
    for (const auto& each : subscriptions)
        clear = EventBus::gate(each).wait_until(until) && clear;
    for (const auto& each : timers)
        clear = Timers::gate(each).wait_until(until) && clear;
    return invokes_->wait_until(until) && clear;
}

}  // namespace pb::plugin
