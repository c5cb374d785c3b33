// SPDX-License-Identifier: Apache-2.0
#include "endpoint/resumable_stream.h"

#include "endpoint/sse.h"

namespace pb::endpoint {
namespace {

constexpr int default_retry_ms = 1000;

// One piece, which an empty send queue takes whatever its size: nothing of a replay can be refused.
std::string joined(const mcp::EventLog::Replay& replay) {
    std::string text;
    for (const auto& [id, message] : replay.events)
        text += sse_event(message, id);
    return text;
}

}  // namespace

ResumableStream::ResumableStream(std::shared_ptr<http::Exchange> exchange, bool streams,
                                 http::HeaderList headers, RefusalHeaders refusal,
                                 mcp::SessionPtr session, StreamRegistry& registry)
    : streams_(streams),
      refusal_(std::move(refusal)),
      registry_(registry),
      headers_(std::move(headers)),
      session_(std::move(session)),
      exchange_(std::move(exchange)) {}

ResumableStream::~ResumableStream() {
    if (stream_ != 0) registry_.remove(session_->id, stream_);
}

void ResumableStream::opened(const std::shared_ptr<mcp::Session>& session) {
    std::lock_guard lock(mutex_);
    session_ = session;
    headers_.emplace_back("Mcp-Session-Id", session->id);
}

bool ResumableStream::connected() const {
    std::lock_guard lock(mutex_);
    return exchange_ && !*lost_;
}

http::Exchange* ResumableStream::reader() {
    if (*lost_) exchange_ = nullptr;
    return exchange_.get();
}

std::string ResumableStream::log_event(std::string_view message) {
    std::lock_guard lock(session_->mutex);
    return session_->events.append(stream_, message);
}

// Notices that the client left, so that nothing more is written there; the request goes on.
void ResumableStream::watch_connection() {
    lost_ = std::make_shared<std::atomic<bool>>(false);
    exchange_->on_disconnect([lost = lost_] { *lost = true; });
}

bool ResumableStream::open_stream() {
    if (stream_ != 0) return true;
    if (!streams_ || !session_ || !exchange_ || !exchange_->start_stream(headers_)) return false;
    {
        std::lock_guard lock(session_->mutex);
        stream_ = session_->events.open_stream();
    }
    registry_.add(session_->id, stream_, shared_from_this());
    watch_connection();
    // An id before anything else, so that even an early loss can be resumed (2025-11-25).
    if (session_->version.load() >= mcp::Version::v2025_11_25)
        exchange_->send(sse_priming(log_event({}), default_retry_ms));
    return true;
}

bool ResumableStream::stand_alone() {
    std::lock_guard lock(mutex_);
    stands_alone_ = true;
    return open_stream();
}

mcp::Sent ResumableStream::send(std::string_view message) {
    std::lock_guard lock(mutex_);
    if (over_ || !open_stream()) return mcp::Sent::gone;
    // Logged also when nobody is there: the client can come back for it.
    const auto event = sse_event(message, log_event(message));
    if (reader() && exchange_->send(event) == http::SendResult::again) return fall_behind();
    return mcp::Sent::ok;
}

// The reader took nothing. A call can wait and say it again; for the stream without a call there is
// nobody to do so, but its client comes back for what it missed.
mcp::Sent ResumableStream::fall_behind() {
    if (stands_alone_) {
        exchange_->on_disconnect(nullptr);
        exchange_->finish();
        exchange_ = nullptr;
        return mcp::Sent::ok;
    }
    std::lock_guard lock(session_->mutex);
    session_->events.retract(stream_);
    return mcp::Sent::again;
}

void ResumableStream::answer(int http_status, std::string_view message) {
    std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    if (stream_ != 0) {
        const auto id = log_event(message);
        {
            std::lock_guard session_lock(session_->mutex);
            session_->events.finish(stream_);
        }
        if (reader()) exchange_->finish(sse_event(message, id));
        return;
    }
    if (!exchange_) return;
    json_reply(*exchange_, http_status, std::string(message), headers_);
}

void ResumableStream::refuse(int http_status, std::string_view message,
                             const mcp::RefusalHints& hints) {
    {
        std::lock_guard lock(mutex_);
        if (!over_ && stream_ == 0)
            for (auto& header : refusal_(hints))
                headers_.push_back(std::move(header));
    }
    answer(http_status, message);
}

void ResumableStream::end() {
    std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    if (stream_ != 0) {
        {
            std::lock_guard session_lock(session_->mutex);
            session_->events.finish(stream_);
        }
        if (reader()) exchange_->finish();
        return;
    }
    if (!exchange_) return;
    json_reply(*exchange_, 202, {}, headers_);
}

void ResumableStream::lasting() {
    std::lock_guard lock(mutex_);
    if (!over_) open_stream();
}

void ResumableStream::release(int retry_ms) {
    std::lock_guard lock(mutex_);
    if (over_ || !session_ || session_->version.load() < mcp::Version::v2025_11_25) return;
    if (!open_stream() || !reader()) return;
    exchange_->on_disconnect(nullptr);
    exchange_->finish("retry: " + std::to_string(retry_ms) + "\n\n");
    exchange_ = nullptr;
}

void ResumableStream::resume(std::shared_ptr<http::Exchange> exchange,
                             std::string_view last_event_id) {
    std::lock_guard lock(mutex_);
    const auto replay = session_->replay(last_event_id);
    if (!replay) return;
    if (reader()) {
        exchange_->on_disconnect(nullptr);
        exchange_->finish();
    }
    exchange_ = std::move(exchange);
    if (!exchange_->start_stream(headers_)) return;
    watch_connection();
    exchange_->send(joined(*replay));
    if (over_) exchange_->finish();
}

void StreamRegistry::add(const std::string& session, std::uint64_t stream,
                         const std::shared_ptr<ResumableStream>& outlet) {
    std::lock_guard lock(mutex_);
    streams_[{session, stream}] = outlet;
}

void StreamRegistry::remove(const std::string& session, std::uint64_t stream) {
    std::lock_guard lock(mutex_);
    streams_.erase({session, stream});
}

std::shared_ptr<ResumableStream> StreamRegistry::find(const std::string& session,
                                                      std::uint64_t stream) const {
    std::lock_guard lock(mutex_);
    auto found = streams_.find({session, stream});
    return found == streams_.end() ? nullptr : found->second.lock();
}

void replay_finished(http::Exchange& exchange, const http::HeaderList& headers,
                     const mcp::EventLog::Replay& replay) {
    if (!exchange.start_stream(headers)) return;
    exchange.send(joined(replay));
    exchange.finish();
}

}  // namespace pb::endpoint
