// SPDX-License-Identifier: Apache-2.0
#include "mcp/event_log.h"

#include <algorithm>
#include <charconv>

namespace pb::mcp {
namespace {

constexpr std::size_t most_streams = 1024;

std::string event_id(std::uint64_t stream, std::uint64_t number) {
    return std::to_string(stream) + "-" + std::to_string(number);
}

bool read_number(std::string_view text, std::uint64_t& value) {
    auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    return fault == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::uint64_t EventLog::open_stream() {
    // Open streams stay, whatever their number: it is that of the requests that run.
    if (streams_.size() >= most_streams) {
        const auto oldest = std::find_if(streams_.begin(), streams_.end(),
                                         [](const auto& entry) { return entry.second.finished; });
        if (oldest != streams_.end()) streams_.erase(oldest);
    }
    const auto stream = next_stream_++;
    streams_.emplace(stream, Stream{});
    return stream;
}

std::string EventLog::append(std::uint64_t stream, std::string_view message) {
    auto& state = streams_.at(stream);
    const auto number = ++state.last;
    events_.push_back({stream, number, std::string(message)});
    bytes_ += message.size();
    while (events_.size() > most_events_ || (bytes_ > most_bytes_ && events_.size() > 1)) {
        bytes_ -= events_.front().message.size();
        events_.pop_front();
    }
    return event_id(stream, number);
}

void EventLog::retract(std::uint64_t stream) {
    const auto newest = std::find_if(events_.rbegin(), events_.rend(),
                                     [&](const auto& event) { return event.stream == stream; });
    if (newest == events_.rend()) return;
    bytes_ -= newest->message.size();
    events_.erase(std::prev(newest.base()));
    --streams_.at(stream).last;
}

void EventLog::finish(std::uint64_t stream) {
    if (auto found = streams_.find(stream); found != streams_.end()) found->second.finished = true;
}

std::optional<EventLog::Replay> EventLog::replay(std::string_view last_event_id) const {
    const auto dash = last_event_id.find('-');
    std::uint64_t stream = 0, number = 0;
    if (dash == std::string_view::npos || !read_number(last_event_id.substr(0, dash), stream) ||
        !read_number(last_event_id.substr(dash + 1), number))
        return std::nullopt;
    auto found = streams_.find(stream);
    if (found == streams_.end() || number > found->second.last) return std::nullopt;
    Replay out;
    out.stream = stream;
    out.finished = found->second.finished;
    for (const auto& event : events_)
        if (event.stream == stream && event.number > number && !event.message.empty())
            out.events.emplace_back(event_id(stream, event.number), event.message);
    return out;
}

}  // namespace pb::mcp
