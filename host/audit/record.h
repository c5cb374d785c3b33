// SPDX-License-Identifier: Apache-2.0
// Record: one line of the audit trail; Sink: where it goes. Whoever does something worth recording
// knows these two alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pb::audit {

// What happened, at its end. Texts that do not apply are empty. No secret is in any of them.
struct Record {
    std::int64_t at_ms = 0;  // when it began, since 1970; 0: now
    std::string org;         // empty: the host's own affairs
    // call | sign_in | grant | admin | config; audit: of the trail itself ("audit.dropped")
    std::string kind = "call";
    // The MCP method, or what was done: "oauth.authorize", "users.add", "key.revoke"
    std::string method;

    // Who.
    std::string principal, principal_kind;  // "usr_...", "user"; as runtime::Caller has them
    std::string credential;                 // the id of the key or grant
    std::string client;                     // OAuth's client_id, or what the client calls itself
    std::string address;                    // of the peer, where there is one

    // What.
    std::string name;        // exposed name or URI, or the id of what was changed
    std::string original;    // the provider's own name for it
    std::string capability;  // "weather", "mcp:github"
    std::string upstream;    // the remote server's name, where it is one

    // How it went: ok | input_required | tool_error | error | denied | limited | cancelled |
    // deadline | busy
    std::string outcome = "ok";
    std::int64_t code = 0;  // of the error, JSON-RPC's or HTTP's
    std::string reason;     // a sentence, for what did not go well
    std::int64_t duration_us = 0, request_bytes = 0, response_bytes = 0;
    std::string trace_id;           // of the W3C trace context
    std::string arguments, result;  // JSON, redacted; only where the organisation wants them
};

// Of a W3C traceparent ("00-<trace id>-<parent id>-<flags>"); empty if it is none.
std::string trace_id_of(std::string_view traceparent);

// Where it goes where no trail is kept is Nowhere.
class Sink {
  public:
    virtual ~Sink() = default;
    // [any thread] Does not wait and never fails; what cannot be kept is counted.
    virtual void add(Record&& record) noexcept = 0;
};

class Nowhere final : public Sink {
  public:
    void add(Record&&) noexcept override {}
};

}  // namespace pb::audit
