// SPDX-License-Identifier: Apache-2.0
// What all connections share: the epoll set, the listening socket, the coarse clock, and the pool
// of connection objects with its bounds. Lock order: a connection's mutex, then the pool's.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/connection.h"
#include "http/server.h"
#include "http/transport_tls.h"

namespace pb::http {

class Reactor {
  public:
    Reactor(ServerOptions options, Handler handler, TlsContext tls);
    ~Reactor() = default;
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    // Begins to watch the listening socket, which the caller owns.
    Result<void> open(int listener);

    const ServerOptions& options() const { return options_; }
    const Handler& handler() const { return handler_; }

    // Milliseconds, as of the last tick.
    std::int64_t now() const { return now_.load(std::memory_order_relaxed); }
    void set_now();

    // [worker] Waits for the next event. Null: a worker's end was asked for, and this is the one.
    // The listener's events are handled inside.
    Connection* wait();
    void end_workers(std::size_t count);

    // One event of these kinds, then silence until the next arm().
    bool add(int descriptor, Connection* connection, std::uint32_t events);
    void arm(int descriptor, Connection* connection, std::uint32_t events);
    void remove(int descriptor);

    // [a connection that closes]
    void released(Connection& connection, const Peer& peer);
    void streams(int change) { streams_.fetch_add(change, std::memory_order_relaxed); }
    void count_refused() { refused_.fetch_add(1, std::memory_order_relaxed); }

    // [ticker] The connections whose deadline is over; listening again after an exhaustion.
    void collect_expired(std::vector<Connection*>& into);
    void listen_again();

    // [stopping thread]
    void refuse_new();
    bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
    void each(const std::function<void(Connection&)>& visit);
    std::size_t open_connections() const;

    void fill(Server::Counters& counters) const;

  private:
    enum class Accepted { one, none, exhausted };

    void accept_some();
    void watch_listener();
    Accepted accept_one();
    void admit(Descriptor descriptor, Peer peer);
    std::shared_ptr<Connection> take_free();

    const ServerOptions options_;
    const Handler handler_;
    const TlsContext tls_;
    Descriptor epoll_;
    Descriptor ends_;  // a semaphore: how many workers shall end
    int listener_ = -1;
    std::atomic<std::int64_t> now_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<bool> exhausted_{false};
    std::atomic<std::int64_t> streams_{0};
    std::atomic<std::uint64_t> refused_{0};

    mutable std::mutex pool_mutex_;
    std::vector<std::shared_ptr<Connection>> all_;  // never shrinks: events point at these
    std::deque<Connection*> free_;
    std::size_t open_ = 0;
    std::unordered_map<std::string, std::size_t> per_peer_;
};

}  // namespace pb::http
