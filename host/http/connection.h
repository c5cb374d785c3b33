// SPDX-License-Identifier: Apache-2.0
// One client's connection: the states it passes through, from accept to close.
//
//   reading ──► handling ──► reading | flushing ──► reading | draining ──► closed
//                  └─► streaming ──► flushing
//
// Everything is under one mutex. An event of the epoll set is only a hint that something may be
// possible: each state looks for itself, so a late event of an earlier life does no harm. While a
// worker is inside the handler it owns the connection (`owner_`) and nobody arms it; the ticker
// takes it away from a worker that stays long. Objects are reused and live as long as the reactor.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "http/request_reader.h"
#include "http/response.h"
#include "http/server.h"
#include "http/transport.h"

namespace pb::http {

class Reactor;
struct Worker;

// Assigning an empty string would keep the memory.
inline void discard(std::string& text) { std::string().swap(text); }

struct Peer {
    std::string text;
    bool loopback = false;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Callback = std::function<void()>;

    explicit Connection(Reactor& reactor) : reactor_(reactor) {}
    ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // [accepting worker] Begins a life. With `refused` it is answered at once and drained.
    void open(Descriptor descriptor, std::unique_ptr<Transport> transport, Peer peer, bool secure,
              const Refusal* refused);

    // [worker] Something may be possible.
    void ready(Worker& worker);

    // [ticker] The worker stays inside the handler of this exchange: wait for the client without
    // it.
    void detach(std::uint64_t exchange);
    // [ticker] When to call expire(), on the reactor's clock; 0 = never.
    std::int64_t deadline() const { return deadline_.load(std::memory_order_relaxed); }
    void expire(std::int64_t now);

    // [stopping thread]
    void close_if_idle();
    bool in_exchange();
    void abort();

    // [any thread] What an Exchange does; `exchange` says which one, so that an old one does
    // nothing.
    bool respond(std::uint64_t exchange, Response response);
    bool start_stream(std::uint64_t exchange, const HeaderList& headers);
    SendResult send(std::uint64_t exchange, std::string_view bytes);
    void finish(std::uint64_t exchange, std::string_view last = {});
    void on_disconnect(std::uint64_t exchange, Callback callback);
    bool streaming(std::uint64_t exchange);
    void abandon(std::uint64_t exchange);  // nobody holds it any more

  private:
    enum class Phase { closed, reading, handling, streaming, flushing, draining };
    enum class Input { wait, complete, refused, closed };
    enum class Timing { idle, header, body };
    using Lock = std::unique_lock<std::mutex>;

    // Reading (connection.cpp). All with the mutex held.
    void serve(Lock& lock, Worker& worker);
    Input read_request();
    Input take_input(std::string_view data);
    std::string_view receive(Transfer& transfer);
    bool dispatch(Lock& lock, Worker& worker);
    void watch_time();
    void arm();
    bool hung_up() const;
    Callback end_exchange();
    Callback disconnect();
    void close();
    static void tell(const Callback& callback);

    // Writing (stream.cpp).
    void put(std::string_view bytes, bool more = false);
    void put_body(std::string body);
    void put_chunk(std::string_view bytes);
    void flush();
    std::size_t write(std::string_view bytes, bool more);
    void settle();
    void next();
    void break_off();
    void set_deadline(std::chrono::milliseconds from_now);
    std::size_t unsent() const { return pending_.size() - sent_; }

    // Refusing (refusal.cpp).
    void refuse(const Refusal& refusal);
    void begin_drain();
    void drain();

    Reactor& reactor_;
    std::mutex mutex_;
    std::atomic<std::int64_t> deadline_{0};
    Descriptor descriptor_;
    Phase phase_ = Phase::closed;
    Timing timing_ = Timing::idle;
    bool secure_ = false;
    bool http11_ = true;
    bool keep_alive_ = true;
    bool head_only_ = false;    // the answer to HEAD
    bool chunked_ = false;      // the stream
    bool close_after_ = false;  // when what is pending has left
    bool broken_ = false;       // a write failed: only closing is left
    bool hungry_ = false;       // input_ alone does not get further
    bool read_waits_ = false;   // to read, TLS must first write
    bool write_waits_ = false;  // to write, TLS must first read
    Peer peer_;
    std::unique_ptr<Transport> transport_;
    std::optional<RequestReader> reader_;
    std::string input_;  // read, not used yet
    std::size_t taken_ = 0;
    std::string pending_;  // to write
    std::size_t sent_ = 0;
    std::size_t drained_ = 0;
    std::uint64_t exchange_ = 0;  // the current one, or the next number after it
    std::uint64_t owner_ = 0;     // the exchange whose handler a worker is in
    std::uint64_t lost_ = 0;      // ended by the client without anybody having been told
    Callback on_disconnect_;
};

// The Exchange of one request on a connection.
std::shared_ptr<Exchange> make_exchange(std::shared_ptr<Connection> connection, std::uint64_t id);

}  // namespace pb::http
