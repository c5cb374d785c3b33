// SPDX-License-Identifier: Apache-2.0
// A pool that grows while all its threads are busy and shrinks when they are idle.
#include "base/workers.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"

namespace pb {
namespace {

constexpr std::chrono::seconds idle_time{10};

}  // namespace

// Shared with the threads, so that one which hangs past the pool's end finds it intact.
struct Workers::State {
    std::mutex mutex;
    std::condition_variable work, ended;
    std::deque<std::function<void()>> tasks;
    std::size_t most = 1;
    std::map<std::thread::id, std::thread> threads;
    std::vector<std::thread> finished;  // but for their last few steps, which need no lock
    std::size_t idle = 0;
    bool stopping = false;
};

Workers::Workers(std::size_t most) : state_(std::make_shared<State>()) {
    state_->most = most > 0 ? most : 1;
}

Workers::~Workers() {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->work.notify_all();
    if (!state_->ended.wait_for(lock, patience, [this] { return state_->threads.empty(); }))
        log::warning("callback.stuck", {{"threads", state_->threads.size()}});
    for (auto& [id, thread] : state_->threads)
        thread.detach();
    join_finished(*state_);
}

// What threads leave to their very end (OpenSSL does) has to be done before the process ends.
void Workers::join_finished(State& state) {
    for (auto& thread : state.finished)
        thread.join();
    state.finished.clear();
}

void Workers::post(std::function<void()> task) {
    std::lock_guard lock(state_->mutex);
    state_->tasks.push_back(std::move(task));
    if (state_->idle >= state_->tasks.size() || state_->threads.size() >= state_->most) {
        state_->work.notify_one();
        return;
    }
    // A system without threads to give still gets its work done, later, by those that are there.
    join_finished(*state_);
    try {
        std::thread thread(run, state_);
        const auto id = thread.get_id();
        state_->threads.emplace(id, std::move(thread));
    } catch (const std::exception& error) {
        log::error("callback.no_thread", {{"reason", error.what()}});
    }
}

void Workers::run(std::shared_ptr<State> state) {
    std::unique_lock lock(state->mutex);
    for (;;) {
        ++state->idle;
        bool woken = state->work.wait_for(lock, idle_time,
                                          [&] { return !state->tasks.empty() || state->stopping; });
        --state->idle;
        if (state->tasks.empty() && (!woken || state->stopping)) break;
        if (state->tasks.empty()) continue;
        auto task = std::move(state->tasks.front());
        state->tasks.pop_front();
        lock.unlock();
        try {
            task();
        } catch (const std::exception& error) {
            log::error("callback.threw", {{"reason", error.what()}});
        } catch (...) {
            log::error("callback.threw", {{"reason", "an unknown exception"}});
        }
        task = nullptr;
        lock.lock();
    }
    const auto self = state->threads.find(std::this_thread::get_id());
    state->finished.push_back(std::move(self->second));
    state->threads.erase(self);
    state->ended.notify_all();
}

}  // namespace pb
