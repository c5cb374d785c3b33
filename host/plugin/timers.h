// SPDX-License-Identifier: Apache-2.0
// Timers: one thread knows when, the workers do it. A timer never runs twice at a time; ticks
// missed while it ran are skipped.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "base/workers.h"
#include "plugin/gate.h"

namespace pb::plugin {

class Timers {
  public:
    class Timer;
    using Handle = std::shared_ptr<Timer>;

    explicit Timers(Workers& workers);
    ~Timers();
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;

    // [any thread] Calls task after `delay`, then every `period` (0: only once).
    Handle schedule(std::chrono::nanoseconds delay, std::chrono::nanoseconds period,
                    std::function<void()> task);

    // [any thread] The task does not begin to run after it; the gate tells whether it still does.
    // Closing again does nothing.
    void close(const Handle& handle);
    static Gate& gate(const Handle& handle);

  private:
    struct Board;
    static void run_due(const std::shared_ptr<Board>& board, const Handle& timer);
    static void watch(const std::shared_ptr<Board>& board, Workers& workers);

    std::shared_ptr<Board> board_;
    std::thread thread_;
};

}  // namespace pb::plugin
