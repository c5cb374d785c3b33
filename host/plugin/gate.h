// SPDX-License-Identifier: Apache-2.0
// Gate: lets a callback run one at a time, and lets its owner close it for good and know that the
// callback is not running any more. The owner may do so from the callback itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace pb::plugin {

class Gate {
  public:
    // Being inside; false if the gate is closed or somebody else is.
    class Inside {
      public:
        explicit Inside(Gate& gate) : gate_(gate), entered_(gate.enter()) {}
        ~Inside() {
            if (entered_) gate_.leave();
        }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        explicit operator bool() const { return entered_; }

      private:
        Gate& gate_;
        bool entered_;
    };

    void close() {
        std::lock_guard lock(mutex_);
        closed_ = true;
    }
    // Returns when nobody else is inside. After close() this stays so.
    void wait() {
        std::unique_lock lock(mutex_);
        left_.wait(lock, [this] { return clear(); });
    }
    bool wait_until(std::chrono::steady_clock::time_point until) {
        std::unique_lock lock(mutex_);
        return left_.wait_until(lock, until, [this] { return clear(); });
    }

  private:
    bool enter() {
        std::lock_guard lock(mutex_);
        if (closed_ || inside_ != std::thread::id()) return false;
        inside_ = std::this_thread::get_id();
        return true;
    }
    void leave() {
        std::lock_guard lock(mutex_);
        inside_ = {};
        left_.notify_all();
    }
    bool clear() const {
        return inside_ == std::thread::id() || inside_ == std::this_thread::get_id();
    }

    std::mutex mutex_;
    std::condition_variable left_;
    std::thread::id inside_;
    bool closed_ = false;
};

}  // namespace pb::plugin
