// SPDX-License-Identifier: Apache-2.0
// EventLog: what was sent on a session's event streams, so that a client that lost a stream can
// take it up again (legacy, Last-Event-ID). Bounded: the oldest events go first.
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::mcp {

// Not synchronized; its session's mutex guards it.
class EventLog {
  public:
    explicit EventLog(std::size_t most_events = 256, std::size_t most_bytes = 1u << 20)
        : most_events_(most_events), most_bytes_(most_bytes) {}

    std::uint64_t open_stream();
    // To a stream that is not finished. The new event's id: "<stream>-<number>".
    std::string append(std::uint64_t stream, std::string_view message);
    // Takes back the stream's newest event, which nobody has seen.
    void retract(std::uint64_t stream);
    void finish(std::uint64_t stream);

    struct Replay {
        std::uint64_t stream = 0;
        std::vector<std::pair<std::string, std::string>> events;  // id, message
        bool finished = false;
    };
    // What came after `last_event_id` on its stream; nullopt if that id was never given out.
    std::optional<Replay> replay(std::string_view last_event_id) const;

  private:
    struct Event {
        std::uint64_t stream;
        std::uint64_t number;
        std::string message;
    };
    struct Stream {
        std::uint64_t last = 0;
        bool finished = false;
    };
    std::size_t most_events_, most_bytes_, bytes_ = 0;
    std::uint64_t next_stream_ = 1;
    std::map<std::uint64_t, Stream> streams_;
    std::deque<Event> events_;
};

}  // namespace pb::mcp
