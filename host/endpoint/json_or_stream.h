// SPDX-License-Identifier: Apache-2.0
// JsonOrStream: the outlet of one HTTP request that nobody can resume. One JSON answer if nothing
// comes before it, else an event stream that ends with the answer.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "endpoint/json_reply.h"
#include "http/server.h"
#include "mcp/outlet.h"

namespace pb::endpoint {

class JsonOrStream : public mcp::Outlet {
  public:
    // `streams`: the client accepts text/event-stream. `headers` go with every answer.
    JsonOrStream(std::shared_ptr<http::Exchange> exchange, bool streams, http::HeaderList headers)
        : exchange_(std::move(exchange)), streams_(streams), headers_(std::move(headers)) {}

    bool can_send() const override { return streams_; }
    mcp::Sent send(std::string_view message) override;
    void answer(int http_status, std::string_view message) override;
    void end() override;
    void lasting() override;
    void release(int) override {}
    void on_gone(std::function<void()> gone) override;
    void opened(const std::shared_ptr<mcp::Session>&) override {}

  private:
    bool open_stream();  // with mutex_

    std::shared_ptr<http::Exchange> exchange_;
    const bool streams_;
    const http::HeaderList headers_;
    std::mutex mutex_;
    bool streaming_ = false;
    bool over_ = false;
};

}  // namespace pb::endpoint
