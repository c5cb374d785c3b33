// SPDX-License-Identifier: Apache-2.0
#include "endpoint/json_or_stream.h"

#include "endpoint/sse.h"

namespace pb::endpoint {

bool JsonOrStream::open_stream() {
    if (!streaming_) streaming_ = exchange_->start_stream(headers_);
    return streaming_;
}

mcp::Sent JsonOrStream::send(std::string_view message) {
    std::lock_guard lock(mutex_);
    if (over_ || !streams_ || !open_stream()) return mcp::Sent::gone;
    switch (exchange_->send(sse_event(message))) {
        case http::SendResult::ok:
            return mcp::Sent::ok;
        case http::SendResult::again:
            return mcp::Sent::again;
        default:
            return mcp::Sent::gone;
    }
}

void JsonOrStream::answer(int http_status, std::string_view message) {
    std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    if (streaming_) return exchange_->finish(sse_event(message));
    json_reply(*exchange_, http_status, std::string(message), headers_);
}

void JsonOrStream::refuse(int http_status, std::string_view message,
                          const mcp::RefusalHints& hints) {
    {
        std::lock_guard lock(mutex_);
        if (!over_ && !streaming_)
            for (auto& header : refusal_(hints))
                headers_.push_back(std::move(header));
    }
    answer(http_status, message);
}

void JsonOrStream::end() {
    std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    if (streaming_) return exchange_->finish();
    json_reply(*exchange_, 202, {}, headers_);
}

void JsonOrStream::lasting() {
    std::lock_guard lock(mutex_);
    if (!over_ && streams_) open_stream();
}

void JsonOrStream::on_gone(std::function<void()> gone) {
    exchange_->on_disconnect(std::move(gone));
}

}  // namespace pb::endpoint
