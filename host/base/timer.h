// SPDX-License-Identifier: Apache-2.0
// Timer: one thread that runs small functions later. What it runs must not block.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace pb {

class Timer {
  public:
    using Clock = std::chrono::steady_clock;

    Timer();
    ~Timer();  // stop()
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // [any thread] Runs `work` once, not before `delay` is over. The id is for cancel().
    std::uint64_t after(std::chrono::nanoseconds delay, std::function<void()> work);
    // [any thread but its own] What has not run yet never will, nor what is asked for later.
    void stop();
    // [any thread] Forgets it; a function that is just running is not waited for.
    void cancel(std::uint64_t id);

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<Clock::time_point, std::pair<std::uint64_t, std::function<void()>>> queue_;
    std::uint64_t next_id_ = 1;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace pb
