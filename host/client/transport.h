// SPDX-License-Identifier: Apache-2.0
// Transport: how messages reach one server and come back. It knows bytes, streams and sessions;
// what a message means is the Rpc's business above it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/credentials.h"
#include "client/spec.h"

namespace pb::client {

using RequestId = std::uint64_t;  // never reused within a client
inline constexpr RequestId no_request = 0;

struct Outgoing {
    RequestId id = no_request;  // 0: a notification, or an answer to the server's question
    std::string_view method;    // empty: an answer
    std::string_view name;      // what the method is about; a header in the modern era
    std::string text;           // the JSON-RPC message, one line
    outbound::Headers headers;  // further ones (Mcp-Param-*)
    milliseconds time{0};       // that somebody waits for its answer; 0: any
    // [any thread] Called once the server has the message, or it is known that it never will.
    std::function<void()> arrived = nullptr;
};

// Why a request gets no answer.
struct Loss {
    enum class Why {
        unreachable,   // no connection, no process, the transport refused
        session_gone,  // the server does not know our session (any more)
        challenged,    // 401 or 403; `challenge` says what it asks for
        status,        // another HTTP status without a JSON-RPC answer; `body` is its beginning
        broken,        // the connection or stream ended before the answer
        malformed,     // what came is no answer
        late,
        busy,  // we have too much under way ourselves; nothing was sent
        cancelled,
    };
    Why why = Why::broken;
    bool executed = false;  // whether the server may have executed the request
    int status = 0;
    std::string message;  // one sentence, nothing secret
    std::string body;
    Challenge challenge;
    std::string retry_after;
};

// The upper side of a transport. [any thread]; never while the transport holds a lock.
class Inbox {
  public:
    virtual ~Inbox() = default;
    // A message came. `about`: the request on whose stream it came, 0 = on no request's own.
    // `status`: HTTP's. True if it is the answer to `about`.
    virtual bool received(std::string_view text, RequestId about, int status) = 0;
    // This request gets no answer any more.
    virtual void lost(RequestId id, Loss loss) = 0;
    // The transport ended: nobody gets an answer any more.
    virtual void closed(Loss loss) = 0;
    // The server has forgotten us: what runs may still be answered, further requests will not be.
    virtual void stale(Loss loss) = 0;
};

class Transport {
  public:
    virtual ~Transport() = default;

    // [waits] Makes it ready to send; at most until the deadline. For plain HTTP nothing happens.
    virtual Result<void> open(std::shared_ptr<Inbox> inbox, Deadline deadline) = 0;
    // [any thread] Sends, or says lost().
    virtual void send(Outgoing message) = 0;
    // [any thread] Nobody waits for this answer any more: its stream, if it has its own, is closed.
    virtual void abandon(RequestId id) = 0;
    // [any thread] From now on requests carry this version, and the session that was opened.
    virtual void agreed(const ServerInfo& info) = 0;
    // [any thread] What the server says without being asked (legacy): kept open where it can be.
    virtual void listen() = 0;
    // [any thread] The end; tells the server where the protocol has a way to.
    virtual void close() = 0;
    // True if every request has a connection of its own, whose closing says "cancelled".
    virtual bool per_request() const = 0;
};

using TransportPtr = std::shared_ptr<Transport>;

}  // namespace pb::client
