// SPDX-License-Identifier: Apache-2.0
// Restarts: when a server's process may be started again. One that lived only briefly is started
// again at once, the next such ones later and later: its handshake succeeds each time, so that no
// breaker would notice.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>

namespace pb::client {

class Restarts {
  public:
    using Clock = std::chrono::steady_clock;
    using milliseconds = std::chrono::milliseconds;
    struct Options {
        milliseconds brief{10'000};  // a life that is no longer is a failure
        milliseconds pause{1'000};   // after the second in a row; doubled after each further one
        milliseconds longest{60'000};
    };

    Restarts() = default;
    explicit Restarts(Options options) : options_(options) {}

    // [any thread], all of it. It is at work now.
    void began() {
        std::lock_guard lock(mutex_);
        began_ = Clock::now();
    }
    // It ended by itself, or could not even begin.
    void ended(const std::string& why) {
        std::lock_guard lock(mutex_);
        const auto now = Clock::now();
        const bool brief = now - std::exchange(began_, now) < options_.brief;
        until_ = now + (brief ? next_ : milliseconds(0));
        next_ = brief ? std::clamp(2 * next_, options_.pause, options_.longest) : milliseconds(0);
        why_ = why;
    }
    // How long it is still left alone; zero if it may be started.
    milliseconds left() const {
        std::lock_guard lock(mutex_);
        return std::max(std::chrono::ceil<milliseconds>(until_ - Clock::now()), milliseconds(0));
    }
    // How it ended last.
    std::string why() const {
        std::lock_guard lock(mutex_);
        return why_;
    }

  private:
    const Options options_{};
    mutable std::mutex mutex_;
    milliseconds next_{0};
    Clock::time_point began_ = Clock::now(), until_{};
    std::string why_;
};

}  // namespace pb::client
