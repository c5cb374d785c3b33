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

}  // namespace

SerialQueue::Admission SerialQueue::enter(const catalog::ProviderRequest& request) {
    std::lock_guard lock(mutex_);
    if (!std::exchange(running_, true)) return Admission::run;
    if (waiting_.size() >= most_) return Admission::full;
    Waiting waiting{request.call, std::string(request.method), std::string(request.params),
                    std::string(request.context), std::nullopt};
    if (request.deadline_ns > 0)
        waiting.deadline =
            Clock::now() + std::min(std::chrono::nanoseconds(request.deadline_ns), longest);
    waiting_.push_back(std::move(waiting));
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
    return waiting;
}

bool SerialQueue::remove(catalog::CallId call) {
    std::lock_guard lock(mutex_);
    auto found = std::find_if(waiting_.begin(), waiting_.end(),
                              [&](const Waiting& each) { return each.call == call; });
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    return true;
}

}  // namespace pb::plugin
