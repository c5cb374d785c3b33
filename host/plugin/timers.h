// SPDX-License-Identifier: Apache-2.0
// Timers: one thread knows when, the workers do it. A timer never runs twice at a time; ticks
// missed while it ran are skipped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "plugin/workers.h"

namespace pb::plugin {

class Timers {
  public:
    explicit Timers(Workers& workers);
    ~Timers();
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;

    // [any thread] Calls task after `delay`, then every `period` (0: only once).
    std::uint64_t schedule(std::chrono::nanoseconds delay, std::chrono::nanoseconds period,
                           std::function<void()> task);

    // [any thread] After it the task is not running and is not called again (from the task itself:
    // not called again). False if it has already ended.
    bool cancel(std::uint64_t id);

    // The two halves of cancel(), as in EventBus.
    class Timer;
    using Handle = std::shared_ptr<Timer>;
    Handle close(std::uint64_t id);
    static bool wait(const Handle& handle, std::chrono::steady_clock::time_point until);

    // False once a timer has run for the last time or was cancelled.
    bool has(std::uint64_t id) const;

  private:
    struct Board;
    static void run_due(const std::shared_ptr<Board>& board, const Handle& timer);
    static void watch(const std::shared_ptr<Board>& board, Workers& workers);

    std::shared_ptr<Board> board_;
    std::thread thread_;
};

}  // namespace pb::plugin
