// SPDX-License-Identifier: Apache-2.0
// Queueing the calls of a serial plugin.
#include "plugin/serial_queue.h"

#include <algorithm>
#include <utility>

namespace pb::plugin {

namespace {

using Clock = std::chrono::steady_clock;

// Keeps a deadline in 200 years from overflowing the clock.
constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 365 * 50);

SerialQueue::Deadline deadline_of(const catalog::ProviderRequest& request) {
    if (request.deadline_ns <= 0) return std::nullopt;
    return Clock::now() + std::min(std::chrono::nanoseconds(request.deadline_ns), longest);
}

}  // namespace

SerialQueue::Admission SerialQueue::enter(const catalog::ProviderRequest& request) {
    std::lock_guard lock(mutex_);
    if (!std::exchange(running_, true)) {
        running_until_ = deadline_of(request);
        return Admission::run;
    }
    if (waiting_.size() >= most_) return Admission::full;
    waiting_.push_back({request.call, std::string(request.method), std::string(request.params),
                        std::string(request.context), deadline_of(request)});
    return Admission::queued;
}

std::optional<SerialQueue::Waiting> SerialQueue::next() {
    std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
        running_ = false;
        return std::nullopt;
    }
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    running_until_ = waiting.deadline;
    return waiting;
}

bool SerialQueue::remove(catalog::CallId call) {
    std::lock_guard lock(mutex_);
    const auto found = find(call);
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    return true;
}

bool SerialQueue::held_up(catalog::CallId call) {
    std::lock_guard lock(mutex_);
    return running_until_ && Clock::now() >= *running_until_ && find(call) != waiting_.end();
}

SerialQueue::Place SerialQueue::find(catalog::CallId call) {
    return std::find_if(waiting_.begin(), waiting_.end(),
                        [&](const Waiting& each) { return each.call == call; });
}

}  // namespace pb::plugin
