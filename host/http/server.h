// SPDX-License-Identifier: Apache-2.0
// The HTTP/1.1 server: connections, framing, limits, event streams. It knows nothing of MCP.
//
// Threads: all connections wait in one epoll set. A few workers take turns in waiting (leader and
// followers): the one that is woken reads the request, calls the handler, and puts the connection
// back. A worker that stays in a handler is replaced by another, up to a bound; an idle connection
// or an open stream holds no thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/proxies.h"

namespace pb::http {

struct Header {
    std::string_view name;
    std::string_view value;  // raw bytes, outer white space removed; never decoded
};

// One request. The views point into the request's own buffer and live as long as it does.
struct Request {
    std::string_view method;
    std::string_view path;   // as sent, up to '?'
    std::string_view query;  // after '?', or empty
    std::vector<Header> headers;
    std::string body;       // whole: read, de-chunked and within the limit before the handler runs
    std::string peer;       // "127.0.0.1"; for whom a trusted proxy asks, where it does
    bool loopback = false;  // the peer is on this machine
    bool secure = false;    // came over TLS

    // Names compare without case. Empty if absent; the first if repeated.
    std::string_view header(std::string_view name) const;
    bool has_header(std::string_view name) const;
    std::size_t count_header(std::string_view name) const;

    // May own what the views point into. The server's requests own it themselves: share, do not
    // copy.
    std::shared_ptr<void> buffer;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Response {
    int status = 200;
    std::string content_type;  // empty: no body, no Content-Type
    std::string body;
    HeaderList headers;  // further ones
};

enum class SendResult { ok, again, gone };

// The answer to one request. [any thread] for every function. Dropped without respond() or
// start_stream() it answers 500. Functions after the end answer false / gone and do nothing.
class Exchange {
  public:
    virtual ~Exchange() = default;

    // The whole answer in one write, with Content-Length; then the connection is kept or closed as
    // HTTP says. False if already answered.
    virtual bool respond(Response response) = 0;

    // Turns the answer into a stream (200, text/event-stream, no-cache, X-Accel-Buffering: no,
    // chunked). False if already answered.
    virtual bool start_stream(const HeaderList& headers = {}) = 0;

    // Appends to the stream. again: the reader is behind by more than the stream's buffer and
    // nothing was taken. A reader that takes nothing for `stream_stall` is closed (gone).
    virtual SendResult send(std::string_view bytes) = 0;

    // Ends the stream after what was sent, and `last` behind it, have left. `last` is always taken,
    // however far the reader is behind: an answer is not lost to a full buffer.
    virtual void finish(std::string_view last = {}) = 0;

    // Called at most once, on any thread but never inside respond()/send(), when the client goes
    // away before the end; at once if it already has. Replaces an earlier one; null removes it. A
    // client that half-closes (FIN after its request) counts as gone unless the answer is on its
    // way. It is kept until the exchange's end: let it hold the exchange weakly.
    virtual void on_disconnect(std::function<void()> callback) = 0;

    // The stream is between messages for long: a comment line is sent every `keep_alive_comment`.
    virtual bool streaming() const = 0;
};

// [worker] Called for each well-formed request within the limits. Answers now or later.
using Handler = std::function<void(std::shared_ptr<const Request>, std::shared_ptr<Exchange>)>;

struct ServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  // 0 = any free one
    std::string certificate;    // PEM chain; with private_key: TLS 1.2 and newer
    std::string private_key;
    Proxies proxies;  // of ours, which say whose request it is

    std::size_t workers = 0;        // waiting at once; 0 = twice the cores, at least 4
    std::size_t max_workers = 256;  // for so many handlers that last, beside those that wait
    std::size_t max_connections = 20'000;
    std::size_t max_connections_per_peer = 0;  // 0 = no own bound
    std::size_t max_header = 32u << 10;        // bytes, request line included
    std::size_t max_body = 8u << 20;
    std::size_t stream_buffer = 1u << 20;           // unsent bytes of one stream
    std::chrono::milliseconds header_time{10'000};  // from the first byte to the end of the header
    std::chrono::milliseconds body_time{60'000};    // for the whole body
    std::chrono::milliseconds idle_time{75'000};    // keep-alive
    std::chrono::milliseconds write_time{30'000};   // an answer nobody reads
    std::chrono::milliseconds stream_stall{30'000};
    std::chrono::milliseconds keep_alive_comment{15'000};
};

// Each violation is answered once, with Connection: close and a JSON body {"error": "..."}:
// 400 malformed or ambiguous framing, 408 too slow, 413 body, 414 target, 431 header,
// 417 expectation, 501 transfer coding, 503 too many connections, 505 version.
class Server {
  public:
    virtual ~Server() = default;  // stop() if nobody did

    // Binds, listens and serves. The error says why it could not (address in use, bad certificate).
    static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);

    virtual std::uint16_t port() const = 0;

    // Refuses new connections, closes idle ones and waits until running exchanges end or `grace` is
    // over. Streams are the caller's to finish first.
    virtual void drain(std::chrono::milliseconds grace) = 0;
    // Drains, closes the rest and joins the workers: each must come back from its handler.
    virtual void stop(std::chrono::milliseconds grace) = 0;

    struct Counters {
        std::uint64_t connections = 0, streams = 0, requests = 0, refused = 0, workers = 0;
    };
    virtual Counters counters() const = 0;
};

}  // namespace pb::http
