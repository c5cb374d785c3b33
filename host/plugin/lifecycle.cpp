// SPDX-License-Identifier: Apache-2.0
// Retiring instances on threads that a supervisor gives up on when they hang.
#include "plugin/lifecycle.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/log.h"

namespace pb::plugin {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

// Shared with the threads, so that one which hangs past the lifecycle's end finds it intact.
struct Lifecycle::State : std::enable_shared_from_this<Lifecycle::State> {
    struct Job {
        std::string label;
        std::function<void()> work;
    };
    struct Running {
        std::string label;
        Clock::time_point give_up;
        bool abandoned = false;
    };
    using Place = std::list<Running>::iterator;

    std::mutex mutex;
    std::condition_variable changed;  // for drain() and the supervisor
    std::chrono::milliseconds patience{};
    std::size_t most_threads = 1;
    std::deque<Job> waiting;
    std::list<Running> running;
    std::size_t threads = 0;    // that take jobs; an abandoned one no longer counts
    std::size_t abandoned = 0;  // of running
    std::size_t adopted = 0;    // that have not gone
    bool supervised = false;

    // All with the lock held.
    bool done() const { return waiting.empty() && running.size() == abandoned; }
    bool all_gone() const { return done() && adopted <= abandoned; }
    void add_thread();
    void add_supervisor();

    void run();
    void supervise();
    // Earliest time at which somebody will have hung; nothing if nobody can.
    std::optional<Clock::time_point> next_give_up() const;
    void abandon_overdue();
};

void Lifecycle::State::add_thread() {
    if (waiting.empty() || threads >= most_threads) return;
    // Without a thread to spare the job waits for the next occasion.
    try {
        std::thread([self = shared_from_this()] { self->run(); }).detach();
        ++threads;
    } catch (const std::exception& error) {
        log::error("plugin.no_thread", {{"reason", error.what()}});
    }
}

void Lifecycle::State::add_supervisor() {
    if (supervised) return;
    try {
        std::thread([self = shared_from_this()] { self->supervise(); }).detach();
        supervised = true;
    } catch (const std::exception& error) {
        log::error("plugin.no_thread", {{"reason", error.what()}});
    }
}

void Lifecycle::State::run() {
    std::unique_lock lock(mutex);
    while (!waiting.empty()) {
        Job job = std::move(waiting.front());
        waiting.pop_front();
        Place place = running.insert(running.end(), {job.label, Clock::now() + patience});
        add_supervisor();
        changed.notify_all();
        lock.unlock();
        try {
            job.work();
        } catch (const std::exception& error) {
            log::error("plugin.stop_threw", {{"plugin", job.label}, {"reason", error.what()}});
        } catch (...) {
            log::error("plugin.stop_threw", {{"plugin", job.label}});
        }
        job.work = nullptr;
        lock.lock();
        bool late = place->abandoned;
        running.erase(place);
        if (late) {
            --abandoned;
            log::warning("plugin.stopped_late", {{"plugin", job.label}});
            changed.notify_all();
            return;
        }
        changed.notify_all();
    }
    --threads;
    changed.notify_all();
}

std::optional<Clock::time_point> Lifecycle::State::next_give_up() const {
    std::optional<Clock::time_point> next;
    for (const Running& each : running)
        if (!each.abandoned && (!next || each.give_up < *next)) next = each.give_up;
    return next;
}

void Lifecycle::State::abandon_overdue() {
    for (Running& each : running) {
        if (each.abandoned || each.give_up > Clock::now()) continue;
        each.abandoned = true;
        ++abandoned;
        --threads;
        log::error("plugin.stop_hangs", {{"plugin", each.label},
                                         {"waited_ms", patience.count()},
                                         {"consequence", "left behind"}});
        add_thread();
        changed.notify_all();
    }
}

void Lifecycle::State::supervise() {
    std::unique_lock lock(mutex);
    while (auto next = next_give_up()) {
        changed.wait_until(lock, *next);
        abandon_overdue();
    }
    supervised = false;
}

Lifecycle::Lifecycle(std::chrono::milliseconds patience, std::size_t most_threads)
    : state_(std::make_shared<State>()) {
    state_->patience = patience;
    state_->most_threads = std::max<std::size_t>(most_threads, 1);
}

Lifecycle::~Lifecycle() { finish(2 * state_->patience); }

std::shared_ptr<void> Lifecycle::adopt() {
    {
        std::lock_guard lock(state_->mutex);
        ++state_->adopted;
    }
    return {nullptr, [state = state_](void*) {
                std::lock_guard lock(state->mutex);
                --state->adopted;
                state->changed.notify_all();
            }};
}

void Lifecycle::retire(std::string label, std::function<void()> stop_and_destroy) {
    std::lock_guard lock(state_->mutex);
    state_->waiting.push_back({std::move(label), std::move(stop_and_destroy)});
    state_->add_thread();
}

bool Lifecycle::drain(std::chrono::milliseconds timeout) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, timeout, [this] { return state_->done(); });
}

bool Lifecycle::finish(std::chrono::milliseconds timeout) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, timeout, [this] { return state_->all_gone(); });
}

std::size_t Lifecycle::left_behind() const {
    std::lock_guard lock(state_->mutex);
    return state_->abandoned;
}

}  // namespace pb::plugin
