// SPDX-License-Identifier: Apache-2.0
// Request: one client request on its way: what it says, who says it, and where the answer goes.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "admission/admission.h"
#include "mcp/messages.h"
#include "mcp/outlet.h"
#include "mcp/session.h"
#include "mcp/versions.h"

namespace pb::mcp {

struct Request {
    std::shared_ptr<const void> owner;  // keeps the text that the views point into
    Message message;
    Version version = newest;
    runtime::CallerPtr caller;
    runtime::ClientViewPtr client;
    SessionPtr session;               // legacy, and everything on stdio; else null
    std::string_view progress_token;  // JSON, or empty
    std::shared_ptr<Outlet> outlet;
    const HeaderView* headers = nullptr;  // only during dispatch; null on stdio
    bool registered = false;              // its session knows it as running
    // Its end is told here, unless it went on to a provider: then by admission.
    const admission::Admission* admission = nullptr;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    std::size_t bytes = 0;
    bool passed_on = false;
    bool malformed = false;
    std::shared_ptr<const catalog::Binding> binding;  // what it is for, once that is found
    std::string original;                             // the provider's own name of that

    bool modern() const { return is_modern(version); }
    void answer(std::string_view result) const;
    void fail(const RpcError& error) const;
    // With a tool's result that says that it failed; `reason` is for the record.
    void answer_failure(std::string_view result, std::string_view reason) const;
    // Nobody wants the answer any more, as the transport knows already.
    void cancelled() const;
    // Without an answer: the client wants no more.
    void end() const;

  private:
    struct End {
        std::string_view outcome = "ok";
        std::int64_t code = 0;
        std::string_view reason = {};
    };
    void tell(std::size_t bytes_out, const End& end) const;
};

using RequestPtr = std::shared_ptr<Request>;

// From now on its session, if there is one, can cancel the request. False, and the request is
// answered: another one with this id is still running, or the session was closed.
bool begin(Request& request, const std::shared_ptr<Cancellable>& what);

// Reads `_meta` of a modern request. Missing or wrong members are -32602.
bool read_modern_meta(Request& request, RpcError& error);
// The client of a legacy request, as its session knows it.
void read_legacy_meta(Request& request);

}  // namespace pb::mcp
