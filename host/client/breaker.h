// SPDX-License-Identifier: Apache-2.0
// Breaker: a server that fails again and again is left alone for a while, longer each time; then
// one request may try, and closes it again by succeeding.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

namespace pb::client {

class Breaker {
  public:
    using Clock = std::chrono::steady_clock;
    struct Options {
        int failures = 5;  // in a row
        std::chrono::milliseconds pause{2'000};
        std::chrono::milliseconds longest{60'000};
    };

    Breaker() = default;
    explicit Breaker(Options options) : options_(options), pause_(options.pause) {}

    // [any thread], all of it. True if a request may go out; while it is open, only the one that
    // tries.
    bool admits() {
        std::lock_guard lock(mutex_);
        if (failures_ < options_.failures) return true;
        const auto now = Clock::now();
        if (now < until_) return false;
        until_ = now + pause_;  // until that one has told how it went
        trying_ = true;
        return true;
    }
    void succeeded() {
        std::lock_guard lock(mutex_);
        failures_ = 0;
        pause_ = options_.pause;
        trying_ = false;
    }
    // True if it is open now.
    bool failed() {
        std::lock_guard lock(mutex_);
        const bool open = failures_ >= options_.failures;
        if (!open && ++failures_ < options_.failures) return false;
        // Those that were under way when it opened say nothing new.
        if (open && !trying_) return true;
        if (open) pause_ = std::min(2 * pause_, options_.longest);
        trying_ = false;
        until_ = Clock::now() + pause_;
        return true;
    }
    // Zero while it is closed.
    std::chrono::milliseconds opens_in() const {
        std::lock_guard lock(mutex_);
        if (failures_ < options_.failures) return std::chrono::milliseconds(0);
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now());
        return std::max(left, std::chrono::milliseconds(1));
    }

  private:
    const Options options_{};
    mutable std::mutex mutex_;
    int failures_ = 0;
    std::chrono::milliseconds pause_ = options_.pause;
    Clock::time_point until_{};
    bool trying_ = false;
};

}  // namespace pb::client
