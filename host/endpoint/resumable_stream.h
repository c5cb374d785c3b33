// SPDX-License-Identifier: Apache-2.0
// ResumableStream: the outlet of a legacy session. Its stream outlives the connection: what is sent
// goes into the session's event log first, so that a client that lost the connection comes back for
// the rest with Last-Event-ID. A lost connection does not cancel a legacy request.
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "endpoint/json_or_stream.h"
#include "http/server.h"
#include "mcp/outlet.h"
#include "mcp/session.h"

namespace pb::endpoint {

class StreamRegistry;

class ResumableStream : public mcp::Outlet, public std::enable_shared_from_this<ResumableStream> {
  public:
    // session: null until initialize opens one.
    ResumableStream(std::shared_ptr<http::Exchange> exchange, bool streams,
                    http::HeaderList headers, RefusalHeaders refusal, mcp::SessionPtr session,
                    StreamRegistry& registry);
    ~ResumableStream() override;

    // Makes it the session's standalone stream (GET): open from the start, without an end of its
    // own.
    bool stand_alone();
    // Another connection takes up the stream behind `last_event_id`.
    void resume(std::shared_ptr<http::Exchange> exchange, std::string_view last_event_id);

    bool can_send() const override { return streams_; }
    mcp::Sent send(std::string_view message) override;
    void answer(int http_status, std::string_view message) override;
    void refuse(int http_status, std::string_view message, const mcp::RefusalHints& hints) override;
    void end() override;
    void lasting() override;
    void release(int retry_ms) override;
    void on_gone(std::function<void()>) override {}
    bool connected() const override;
    void opened(const std::shared_ptr<mcp::Session>& session) override;

  private:
    bool open_stream();  // with mutex_, as the next three
    void watch_connection();
    http::Exchange* reader();  // null while nobody is connected
    mcp::Sent fall_behind();
    std::string log_event(std::string_view message);

    const bool streams_;
    const RefusalHeaders refusal_;
    StreamRegistry& registry_;
    mutable std::mutex mutex_;
    http::HeaderList headers_;
    mcp::SessionPtr session_;
    std::shared_ptr<http::Exchange> exchange_;
    // Set when the client left exchange_, which may be said while mutex_ is held.
    std::shared_ptr<std::atomic<bool>> lost_ = std::make_shared<std::atomic<bool>>(false);
    std::uint64_t stream_ = 0;  // in the session's event log; 0 = not streaming
    bool stands_alone_ = false;
    bool over_ = false;
};

// Where a stream is found again by its session and number.
class StreamRegistry {
  public:
    void add(const std::string& session, std::uint64_t stream,
             const std::shared_ptr<ResumableStream>& outlet);
    void remove(const std::string& session, std::uint64_t stream);
    std::shared_ptr<ResumableStream> find(const std::string& session, std::uint64_t stream) const;

  private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::uint64_t>, std::weak_ptr<ResumableStream>> streams_;
};

// What an exchange that resumes a finished stream gets: the rest, and the end.
void replay_finished(http::Exchange& exchange, const http::HeaderList& headers,
                     const mcp::EventLog::Replay& replay);

}  // namespace pb::endpoint
