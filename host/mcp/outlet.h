// SPDX-License-Identifier: Apache-2.0
// Outlet: where everything goes that belongs to one request: its notifications, the server's
// questions, its one answer. The transports implement it; the protocol knows no sockets.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace pb::mcp {

struct Session;

enum class Sent { ok, again, gone };

// What a transport with headers says besides a refusal.
struct RefusalHints {
    std::string_view scope;  // that the credential would need
    int retry_after = 0;     // seconds; 0: nothing
};

// [any thread] for every function.
class Outlet {
  public:
    virtual ~Outlet() = default;
    // False if this client takes one answer and nothing before it.
    virtual bool can_send() const = 0;
    // A message before the answer. again: the reader is behind, nothing was taken.
    virtual Sent send(std::string_view message) = 0;
    // The answer, once; a later one is ignored. http_status counts only if nothing was sent before.
    virtual void answer(int http_status, std::string_view message) = 0;
    // The answer, where it says that something has to be otherwise next time.
    virtual void refuse(int http_status, std::string_view message, const RefusalHints&) {
        answer(http_status, message);
    }
    // The end without an answer (the client cancelled).
    virtual void end() = 0;
    // The call lasts: let the connection show life.
    virtual void lasting() = 0;
    // The call will take long: where the client can resume, let it come back for the rest.
    virtual void release(int retry_ms) = 0;
    // `gone` is called once if the client leaves before the end (where leaving means cancelling).
    virtual void on_gone(std::function<void()> gone) = 0;
    // Somebody is there to read now.
    virtual bool connected() const { return true; }
    // A session was opened by this request; it is named with the answer.
    virtual void opened(const std::shared_ptr<Session>& session) = 0;
};

// One request's HTTP headers, where there are any.
class HeaderView {
  public:
    virtual ~HeaderView() = default;
    // How often a header occurs (names without case) and the first value, raw.
    virtual int find(std::string_view name, std::string_view& value) const = 0;
};

}  // namespace pb::mcp
