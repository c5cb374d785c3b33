// SPDX-License-Identifier: Apache-2.0
// Workers: the threads on which plugins receive events, timers, cancellations and the ends of
// nested calls. They come when there is work and go when there is none, so that callbacks which
// block delay others only at the bound.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace pb {

class Workers {
  public:
    explicit Workers(std::size_t most = 32);
    // Runs what is queued; a task that hangs is left behind after `patience`.
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    // [any thread] The queue has no bound of its own: whoever posts has at most one task per
    // subscription, timer, nested call or instance waiting.
    void post(std::function<void()> task);

    static constexpr std::chrono::milliseconds patience{5'000};

  private:
    struct State;
    static void run(std::shared_ptr<State> state);
    static void join_finished(State& state);
    std::shared_ptr<State> state_;
};

}  // namespace pb
