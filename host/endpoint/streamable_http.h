// SPDX-License-Identifier: Apache-2.0
// The Streamable HTTP transport: one path, POST for both eras, GET and DELETE for legacy sessions.
// It turns exchanges into messages and back, and knows no method.
#pragma once

#include <memory>
#include <string>

#include "endpoint/gate.h"
#include "endpoint/resumable_stream.h"
#include "http/server.h"
#include "json/scan.h"
#include "mcp/server.h"

namespace pb::endpoint {

class StreamableHttp {
  public:
    // Both outlive it.
    StreamableHttp(mcp::Server& server, const Gate& gate) : server_(server), gate_(gate) {}

    // [worker] One request to the MCP endpoint's path.
    void handle(const std::shared_ptr<const http::Request>& request,
                const std::shared_ptr<http::Exchange>& exchange);

  private:
    using RequestPtr = std::shared_ptr<const http::Request>;
    using ExchangePtr = std::shared_ptr<http::Exchange>;

    // One that is no message, of somebody who is known.
    void turn_away(http::Exchange& exchange, const http::Request& request,
                   const runtime::Caller& caller, int status, int code, std::string why,
                   http::HeaderList headers = {}) const;
    // What goes with a refusal to this request.
    RefusalHeaders refusal(const RequestPtr& request) const;
    void post(const RequestPtr& request, const ExchangePtr& exchange,
              const runtime::CallerPtr& caller);
    void get(const RequestPtr& request, const ExchangePtr& exchange,
             const runtime::CallerPtr& caller);
    void remove(const RequestPtr& request, const ExchangePtr& exchange,
                const runtime::CallerPtr& caller);
    // The session that Mcp-Session-Id names, if it is this caller's; answers 400 or 404 if there is
    // none and `required`.
    mcp::SessionPtr session(const http::Request& request, const runtime::Caller& caller) const;

    mcp::Server& server_;
    const Gate& gate_;
    StreamRegistry streams_;
};

}  // namespace pb::endpoint
