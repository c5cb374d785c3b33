// SPDX-License-Identifier: Apache-2.0
// Server-sent events: bytes of text/event-stream, in whatever pieces they come, to events.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pb::outbound {

struct Event {
    std::string type;  // "message" unless the stream says otherwise
    std::string data;
    std::string id;  // the stream's last event id, this event's included
};

class EventStream {
  public:
    // An event or a line larger than this ends it.
    explicit EventStream(std::size_t max_event = 16U << 20U) : max_(max_event) {}

    // Calls `each` for every event that is complete; as in the standard, one without data is none
    // (but its id counts). False if a bound was passed: nothing after it is understood.
    bool feed(std::string_view bytes, const std::function<void(const Event&)>& each);

    const std::string& last_id() const { return last_id_; }
    // What the server asked for with `retry:`.
    std::optional<std::chrono::milliseconds> retry() const { return retry_; }

  private:
    void line(std::string_view line, const std::function<void(const Event&)>& each);
    void dispatch(const std::function<void(const Event&)>& each);
    bool overrun();

    std::size_t max_;
    std::string partial_;  // a line that has not ended
    bool begun_ = false;   // the byte order mark has been looked for
    bool after_cr_ = false;
    bool overrun_ = false;
    std::string type_, data_;
    std::string id_;  // becomes the last one when its event is complete
    std::string last_id_;
    bool has_data_ = false;
    std::optional<std::chrono::milliseconds> retry_;
};

}  // namespace pb::outbound
