// SPDX-License-Identifier: Apache-2.0
#include "base/timer.h"

#include <algorithm>

#include "base/log.h"

namespace pb {

Timer::Timer() : thread_([this] { run(); }) {}

Timer::~Timer() { stop(); }

void Timer::stop() {
    decltype(queue_) dropped;  // what it holds may want to cancel something here
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        dropped.swap(queue_);
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::uint64_t Timer::after(std::chrono::nanoseconds delay, std::function<void()> work) {
    std::uint64_t id = 0;
    bool first = false;
    {
        std::lock_guard lock(mutex_);
        if (stopping_) return 0;
        id = next_id_++;
        auto due = Clock::now() + std::chrono::duration_cast<Clock::duration>(delay);
        auto place = queue_.emplace(due, std::pair(id, std::move(work)));
        first = place == queue_.begin();
    }
    if (first) changed_.notify_all();
    return id;
}

void Timer::cancel(std::uint64_t id) {
    std::lock_guard lock(mutex_);
    auto found = std::find_if(queue_.begin(), queue_.end(),
                              [id](const auto& entry) { return entry.second.first == id; });
    if (found != queue_.end()) queue_.erase(found);
}

void Timer::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (queue_.empty()) {
            changed_.wait(lock);
            continue;
        }
        auto due = queue_.begin()->first;
        if (Clock::now() < due) {
            changed_.wait_until(lock, due);
            continue;
        }
        auto work = std::move(queue_.begin()->second.second);
        queue_.erase(queue_.begin());
        lock.unlock();
        try {
            work();
        } catch (const std::exception& fault) {
            log::error("timer.fault", {{"reason", fault.what()}});
        }
        work = nullptr;
        lock.lock();
    }
}

}  // namespace pb
