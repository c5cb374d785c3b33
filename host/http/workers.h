// SPDX-License-Identifier: Apache-2.0
// The threads that take turns in waiting for events. As many as `base` are kept out of handlers
// that last: stuck ones are replaced, up to a bound, and the surplus ends when they come back.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <thread>

#include "http/reactor.h"

namespace pb::http {

// What the ticker sees of one worker. On a cache line of its own: written for each request.
struct alignas(64) Worker {
    std::atomic<std::int64_t> since{0};  // inside a handler since then; 0 = not
    std::atomic<Connection*> connection{nullptr};
    std::atomic<std::uint64_t> exchange{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<bool> ended{false};
    std::thread thread;

    void enter(Connection* in, std::uint64_t id, std::int64_t now) {
        connection.store(in, std::memory_order_relaxed);
        exchange.store(id, std::memory_order_relaxed);
        since.store(now, std::memory_order_release);
    }
    void leave() { since.store(0, std::memory_order_relaxed); }
    void count_request() {
        requests.store(requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
};

class Workers {
  public:
    explicit Workers(Reactor& reactor);
    ~Workers();

    void tick();  // [ticker]
    void stop();  // [stopping thread, after the ticker's end] Ends and joins all.

    std::uint64_t count() const { return live_.load(std::memory_order_relaxed); }
    std::uint64_t requests() const;

  private:
    void start(std::size_t count);
    void run(Worker& worker);
    void join_ended();

    Reactor& reactor_;
    std::size_t base_;
    std::size_t most_;
    int ticks_with_surplus_ = 0;
    mutable std::mutex mutex_;  // the list; never taken for a request
    std::list<Worker> workers_;
    std::uint64_t past_requests_ = 0;
    std::atomic<std::size_t> live_{0};
};

}  // namespace pb::http
