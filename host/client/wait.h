// SPDX-License-Identifier: Apache-2.0
// What hears of requests of our own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "client/rpc.h"
#include "mcp/messages.h"

namespace pb::client {

// Of the end alone: nobody is there for what comes before it.
class EndHandler : public Handler {
  public:
    void progress(std::string_view) noexcept override {}
    void message(std::string_view) noexcept override {}
    void question(Question question) noexcept override {
        question.refuse(mcp::code::method_not_found, "nobody is there to be asked");
    }
    void done(Reply) noexcept override {}
};

// Keeps the end of a request for the thread that waits for it.
class Wait : public EndHandler {
  public:
    void done(Reply reply) noexcept override {
        std::lock_guard lock(mutex_);
        reply_ = std::move(reply);
        ended_.notify_all();
    }
    Reply wait() {
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [this] { return reply_.has_value(); });
        return std::move(*reply_);
    }

  private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<Reply> reply_;
};

}  // namespace pb::client
