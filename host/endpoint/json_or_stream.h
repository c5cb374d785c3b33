// SPDX-License-Identifier: Apache-2.0
// JsonOrStream: the outlet of one HTTP request that nobody can resume. One JSON answer if nothing
// comes before it, else an event stream that ends with the answer.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "endpoint/json_reply.h"
#include "http/server.h"
#include "mcp/outlet.h"

namespace pb::endpoint {

// The headers that go with a refusal.
using RefusalHeaders = std::function<http::HeaderList(const mcp::RefusalHints&)>;

inline http::HeaderList no_refusal_headers(const mcp::RefusalHints&) { return {}; }

class JsonOrStream : public mcp::Outlet {
  public:
    // `streams`: the client accepts text/event-stream. `headers` go with every answer.
    JsonOrStream(std::shared_ptr<http::Exchange> exchange, bool streams, http::HeaderList headers,
                 RefusalHeaders refusal = no_refusal_headers)
        : exchange_(std::move(exchange)),
          streams_(streams),
          headers_(std::move(headers)),
          refusal_(std::move(refusal)) {}

    bool can_send() const override { return streams_; }
    mcp::Sent send(std::string_view message) override;
    void answer(int http_status, std::string_view message) override;
    void refuse(int http_status, std::string_view message, const mcp::RefusalHints& hints) override;
    void end() override;
    void lasting() override;
    void release(int) override {}
    void on_gone(std::function<void()> gone) override;
    void opened(const std::shared_ptr<mcp::Session>&) override {}

  private:
    bool open_stream();  // with mutex_

    std::shared_ptr<http::Exchange> exchange_;
    const bool streams_;
    http::HeaderList headers_;
    const RefusalHeaders refusal_;
    std::mutex mutex_;
    bool streaming_ = false;
    bool over_ = false;
};

}  // namespace pb::endpoint
