// SPDX-License-Identifier: Apache-2.0
// Starting, watching and ending workers.
#include "http/workers.h"

#include <algorithm>
#include <exception>
#include <system_error>

#include "base/log.h"
#include "http/limits.h"

namespace pb::http {
namespace {

std::size_t base_workers(const ServerOptions& options) {
    if (options.workers > 0) return options.workers;
    return std::max<std::size_t>(4, std::size_t{2} * std::thread::hardware_concurrency());
}

}  // namespace

Workers::Workers(Reactor& reactor)
    : reactor_(reactor),
      base_(base_workers(reactor.options())),
      most_(base_ + reactor.options().max_workers) {
    start(base_);
}

Workers::~Workers() { stop(); }

void Workers::start(std::size_t count) {
    std::lock_guard lock(mutex_);
    for (; count > 0; --count) {
        Worker& worker = workers_.emplace_back();
        try {
            worker.thread = std::thread([this, &worker] { run(worker); });
        } catch (const std::system_error& error) {
            workers_.pop_back();
            log::warning("http.no_thread", {{"reason", error.what()}});
            return;
        }
        live_.fetch_add(1, std::memory_order_relaxed);
    }
}

void Workers::run(Worker& worker) {
    while (Connection* const connection = reactor_.wait()) {
        try {
            connection->ready(worker);
        } catch (const std::exception& error) {
            log::error("http.connection_failed", {{"reason", error.what()}});
            connection->abort();
        }
    }
    worker.ended.store(true, std::memory_order_release);
}

void Workers::tick() {
    join_ended();
    const std::int64_t now = reactor_.now();
    std::size_t stuck = 0;
    for (Worker& worker : workers_) {
        const std::int64_t since = worker.since.load(std::memory_order_acquire);
        if (since == 0 || now - since < 2 * tick_length.count()) continue;
        ++stuck;
        // If it is in another exchange by now, the connection does not take this one's number.
        worker.connection.load(std::memory_order_relaxed)
            ->detach(worker.exchange.load(std::memory_order_relaxed));
    }
    const std::size_t live = workers_.size();
    const std::size_t free = live - stuck;
    if (free < base_ && live < most_) {
        // None is left: many calls wait, so the number grows by as many again.
        const std::size_t wanted = free == 0 ? std::max(base_, live) : base_ - free;
        start(std::min(wanted, most_ - live));
    }
    ticks_with_surplus_ = free > base_ ? ticks_with_surplus_ + 1 : 0;
    if (ticks_with_surplus_ >= ticks_before_retiring) {
        ticks_with_surplus_ = 0;
        reactor_.end_workers(free - base_);
    }
}

void Workers::join_ended() {
    for (auto worker = workers_.begin(); worker != workers_.end();) {
        if (!worker->ended.load(std::memory_order_acquire)) {
            ++worker;
            continue;
        }
        worker->thread.join();
        std::lock_guard lock(mutex_);
        past_requests_ += worker->requests.load(std::memory_order_relaxed);
        worker = workers_.erase(worker);
        live_.fetch_sub(1, std::memory_order_relaxed);
    }
}

void Workers::stop() {
    if (workers_.empty()) return;
    reactor_.end_workers(workers_.size());
    for (Worker& worker : workers_)
        worker.thread.join();
    std::lock_guard lock(mutex_);
    for (const Worker& worker : workers_) {
        past_requests_ += worker.requests.load(std::memory_order_relaxed);
    }
    workers_.clear();
    live_.store(0, std::memory_order_relaxed);
}

std::uint64_t Workers::requests() const {
    std::lock_guard lock(mutex_);
    std::uint64_t total = past_requests_;
    for (const Worker& worker : workers_)
        total += worker.requests.load(std::memory_order_relaxed);
    return total;
}

}  // namespace pb::http
