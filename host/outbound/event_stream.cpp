// SPDX-License-Identifier: Apache-2.0
// Lines of an event stream to events.
#include "outbound/event_stream.h"

#include <algorithm>
#include <charconv>

namespace pb::outbound {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::chrono::milliseconds longest_retry{24 * 60 * 60 * 1000};

std::optional<std::chrono::milliseconds> parse_retry(std::string_view digits) {
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return {};
    }
    std::int64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec != std::errc()) return longest_retry;
    return std::min(std::chrono::milliseconds(number), longest_retry);
}

}  // namespace

bool EventStream::feed(std::string_view bytes, const std::function<void(const Event&)>& each) {
    while (!bytes.empty() && !overrun_) {
        if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
        after_cr_ = false;
        const std::size_t end = bytes.find_first_of("\r\n");
        const std::string_view piece = bytes.substr(0, end);
        if (partial_.size() + piece.size() > max_) return overrun();
        if (end == std::string_view::npos) {
            partial_.append(piece);
            break;
        }
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        if (partial_.empty()) {
            line(piece, each);
        } else {
            partial_.append(piece);
            line(partial_, each);
            partial_.clear();
        }
        if (data_.size() > max_) return overrun();
    }
    return !overrun_;
}

bool EventStream::overrun() {
    overrun_ = true;
    partial_ = data_ = {};
    return false;
}

void EventStream::line(std::string_view line, const std::function<void(const Event&)>& each) {
    if (!begun_ && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    begun_ = true;
    if (line.empty()) return dispatch(each);
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value;
    if (colon != std::string_view::npos) value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
        if (has_data_) data_ += '\n';
        data_.append(value);
        has_data_ = true;
    } else if (field == "event") {
        type_ = value;
    } else if (field == "id") {
        if (value.find('\0') == std::string_view::npos) id_ = value;
    } else if (field == "retry") {
        if (const auto time = parse_retry(value)) retry_ = time;
    }
}

void EventStream::dispatch(const std::function<void(const Event&)>& each) {
    last_id_ = id_;
    if (has_data_) {
        each({type_.empty() ? "message" : std::move(type_), std::move(data_), last_id_});
    }
    type_.clear();
    data_.clear();
    has_data_ = false;
}

}  // namespace pb::outbound
