// SPDX-License-Identifier: Apache-2.0
// The timer thread and what it hands to the workers.
#include "plugin/timers.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

namespace pb::plugin {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

// Keeps "in 200 years" from overflowing the clock.
constexpr nanoseconds longest = std::chrono::hours(24 * 365 * 50);

}  // namespace

class Timers::Timer {
  public:
    Timer(Clock::time_point due, nanoseconds period, std::function<void()> task)
        : period(period), task(std::move(task)), due(due) {}

    const nanoseconds period;
    const std::function<void()> task;
    Gate gate;

    // Under the board's mutex:
    Clock::time_point due;
    bool closed = false;
};

// Shared with posted tasks, which may outlive the Timers.
struct Timers::Board {
    std::mutex mutex;
    std::condition_variable changed;
    bool stopping = false;
    std::multimap<Clock::time_point, Handle> waiting;

    // With the lock held.
    void place(const Handle& timer) {
        auto placed = waiting.emplace(timer->due, timer);
        if (placed == waiting.begin()) changed.notify_one();
    }
};

Timers::Timers(Workers& workers)
    : board_(std::make_shared<Board>()),
      thread_([board = board_, &workers] { watch(board, workers); }) {}

Timers::~Timers() {
    {
        std::lock_guard lock(board_->mutex);
        board_->stopping = true;
        board_->changed.notify_all();
    }
    thread_.join();
}

Timers::Handle Timers::schedule(nanoseconds delay, nanoseconds period, std::function<void()> task) {
    delay = std::clamp(delay, nanoseconds::zero(), longest);
    period = std::clamp(period, nanoseconds::zero(), longest);
    auto timer = std::make_shared<Timer>(Clock::now() + delay, period, std::move(task));
    std::lock_guard lock(board_->mutex);
    board_->place(timer);
    return timer;
}

void Timers::close(const Handle& timer) {
    std::lock_guard lock(board_->mutex);
    timer->closed = true;
    timer->gate.close();
    auto [first, last] = board_->waiting.equal_range(timer->due);
    for (auto at = first; at != last; ++at)
        if (at->second == timer) {
            board_->waiting.erase(at);
            break;
        }
}

Gate& Timers::gate(const Handle& handle) { return handle->gate; }

void Timers::run_due(const std::shared_ptr<Board>& board, const Handle& timer) {
    if (Gate::Inside inside(timer->gate); inside) timer->task();
    // Only outside the gate: the next run must find it open.
    std::lock_guard lock(board->mutex);
    if (timer->closed || timer->period == nanoseconds::zero()) return;
    // The next beat of the rhythm that is still to come.
    auto late = std::max(Clock::now() - timer->due, nanoseconds::zero());
    timer->due += timer->period * (late / timer->period + 1);
    board->place(timer);
}

void Timers::watch(const std::shared_ptr<Board>& board, Workers& workers) {
    std::unique_lock lock(board->mutex);
    while (!board->stopping) {
        if (board->waiting.empty()) {
            board->changed.wait(lock);
            continue;
        }
        auto first = board->waiting.begin();
        if (first->first > Clock::now()) {
            board->changed.wait_until(lock, Clock::time_point(first->first));
            continue;
        }
        // Off the list while it runs: so it cannot go off twice at a time.
        Handle timer = std::move(first->second);
        board->waiting.erase(first);
        lock.unlock();
        workers.post([board, timer] { run_due(board, timer); });
        timer.reset();
        lock.lock();
    }
}

}  // namespace pb::plugin
