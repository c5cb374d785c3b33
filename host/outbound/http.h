// SPDX-License-Identifier: Apache-2.0
// HTTP as a client: many transfers on one thread (libcurl's multi interface), pooled and bounded
// connections, every address looked at before it is connected to. It knows nothing of MCP.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "outbound/address_policy.h"
#include "outbound/resolver.h"

namespace pb::outbound {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first value of a header, names compared without case; empty if absent.
std::string_view find_header(const Headers& headers, std::string_view name);

struct Request {
    std::string method = "GET";
    std::string url;  // http or https, absolute; user information and fragments are refused
    // No line ends or other control characters in them, and none that frame a message (Host,
    // Content-Length, Transfer-Encoding, Connection, Expect, Upgrade, ...), or the request is
    // refused. Accept and Content-Type are sent if they are here, and not otherwise.
    Headers headers;
    std::string body;
    std::size_t max_answer =
        16U << 20U;  // bytes of the body; 0: no bound, the receiver has its own
    std::chrono::milliseconds connect_time{10'000};  // resolving, a free connection, TLS
    std::chrono::milliseconds silence{0};  // the longest time without a byte of the answer; 0: any
    std::chrono::milliseconds time{60'000};  // for all of it; 0: any
    // Followed within the same origin only, and as the same request: 307 and 308 always, 301 to 303
    // where nothing is sent. All others are answers (3xx), as are those beyond this number.
    int redirects = 0;
};

struct Head {
    int status = 0;
    Headers headers;  // names as they came, values without outer white space

    std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

enum class Fault {
    refused,      // by us: a malformed request, an address that is not allowed
    unresolved,   // the name has no address
    unreachable,  // nobody accepted the connection
    tls,          // the handshake or the certificate
    late,         // over its time
    busy,         // none of our own connections was free for it, in its time
    too_large,    // the answer is over max_answer, or the receiver said stop
    broken,       // the connection ended early or was not HTTP
    cancelled,
};

struct Failure {
    Fault fault = Fault::broken;
    // Whether any byte of the request may have reached the server: what was not sent was not
    // executed. A kept connection that ends without an answer: GET, HEAD and OPTIONS are asked
    // again on another, anything else never is, and fails with this set.
    bool sent = false;
    std::string message;  // one sentence that names host and port and nothing secret
};

// Hears of one transfer. All on the thread of Http, in this order; must not block or throw.
class Receiver {
  public:
    virtual ~Receiver() = default;
    virtual void head(const Head& head) = 0;
    // Body bytes as they come. False ends the transfer (Fault::too_large).
    virtual bool data(std::string_view bytes) = 0;
    // Exactly once, last; nothing if the answer is complete.
    virtual void end(const std::optional<Failure>& failure) = 0;
};

// A whole answer.
struct Answer {
    Head head;
    std::string body;
};

// As many connections as leave most of the process's descriptors to others.
std::size_t connections_by_descriptors();

class Loop;

class Http {
  public:
    struct Options {
        AddressPolicy policy;
        ResolverPtr resolver = system_resolver();
        // In all; further requests wait for one. Not for each host: who asks one too much must not
        // starve others who ask it.
        std::size_t connections = connections_by_descriptors();
        std::chrono::seconds resolved{30};  // how long a name's checked addresses are used again
        std::string ca_file;                // PEM; empty: the system's
        std::string user_agent = "patchbay";
    };
    using Ticket = std::uint64_t;

    explicit Http(Options options);
    // Ends every transfer (cancelled) and joins the thread. Not from a receiver. A name server that
    // hangs is waited for, at most Workers::patience.
    ~Http();
    Http(const Http&) = delete;
    Http& operator=(const Http&) = delete;

    // [any thread] Begins a transfer. A name is resolved (beside the loop, nobody waits for a slow
    // name server but this request), every address is held against the policy - one that is
    // forbidden refuses the request - and the connection goes to a checked one and nowhere else.
    Ticket start(Request request, std::shared_ptr<Receiver> receiver);
    // [any thread] end(cancelled) follows unless it has ended; the connection is closed.
    void cancel(Ticket ticket);

    // [any thread but a receiver's] Ends every transfer (cancelled). One that is started later ends
    // likewise, on the thread that starts it.
    void stop();

    // [any thread but a receiver's] Waits for the whole answer, at most request.time.
    std::variant<Answer, Failure> fetch(Request request);

  private:
    std::unique_ptr<Loop> loop_;
};

}  // namespace pb::outbound
