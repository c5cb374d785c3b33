// SPDX-License-Identifier: Apache-2.0
#include "outbound/headers.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <new>

namespace pb::outbound {
namespace {

// Made by us or by curl alone: another's would contradict the message that they frame.
constexpr std::string_view reserved_names[] = {"host",
                                               "content-length",
                                               "transfer-encoding",
                                               "connection",
                                               "keep-alive",
                                               "upgrade",
                                               "expect",
                                               "te",
                                               "trailer",
                                               "proxy-connection",
                                               "http2-settings"};

bool is_token(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) !=
                   std::string_view::npos;
    });
}

bool is_value(std::string_view value) {
    return std::none_of(value.begin(), value.end(),
                        [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool reserved(std::string_view name) {
    return std::any_of(std::begin(reserved_names), std::end(reserved_names),
                       [&](std::string_view one) { return equal_names(one, name); });
}

}  // namespace

bool equal_names(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

std::string_view find_header(const Headers& headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (equal_names(key, name)) return value;
    }
    return {};
}

void append(List& list, const std::string& line) {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
}

Result<List> header_lines(const Headers& headers, bool with_body) {
    List list;
    bool content_type = false, accept = false;
    for (const auto& [name, value] : headers) {
        if (!is_token(name)) return invalid("A header's name is not one that HTTP allows.");
        if (!is_value(value)) {
            return invalid("The value of the header " + name +
                           " holds a line end or another control character.");
        }
        if (reserved(name)) {
            return invalid("The header " + name +
                           " is part of the message's framing and cannot "
                           "be set.");
        }
        const bool type = equal_names(name, "content-type");
        if (type && !with_body) continue;
        content_type = content_type || type;
        accept = accept || equal_names(name, "accept");
        const std::string_view text = trimmed(value);
        // To curl "Name:" means without it, and "Name;" means that it is empty.
        append(list, text.empty() ? name + ";" : name + ": " + std::string(text));
    }
    append(list, "Expect:");
    if (!content_type) append(list, "Content-Type:");
    if (!accept) append(list, "Accept:");
    return list;
}

HeadReader::State HeadReader::line(std::string_view line) {
    size_ += line.size();
    if (size_ > max_size) return State::too_large;
    if (complete_) return State::more;  // the trailers of a chunked body are not used
    while (line.ends_with('\n') || line.ends_with('\r'))
        line.remove_suffix(1);
    if (line.starts_with("HTTP/")) return status_line(line);
    if (line.empty()) {
        if (head_.status == 101) return State::bad;
        complete_ = head_.status >= 200;
        return complete_ ? State::complete : State::more;
    }
    if (line.front() == ' ' || line.front() == '\t') {  // a folded line
        if (head_.headers.empty()) return State::bad;
        head_.headers.back().second.append(" ").append(trimmed(line));
        return State::more;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return State::bad;
    const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    if (equal_names(name, "content-length") && !fits_length(value)) return State::bad;
    head_.headers.emplace_back(name, value);
    return State::more;
}

// A length that curl would not understand as others do: it reads up to the connection's end then.
bool HeadReader::fits_length(std::string_view value) const {
    const std::string_view before = head_.header("content-length");
    return !value.empty() && value.size() <= 18 &&
           value.find_first_not_of("0123456789") == std::string_view::npos &&
           (before.empty() || before == value);
}

HeadReader::State HeadReader::status_line(std::string_view line) {
    head_ = {};
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return State::bad;
    const std::string_view code = line.substr(space + 1, 3);
    std::from_chars(code.data(), code.data() + code.size(), head_.status);
    return head_.status >= 100 ? State::more : State::bad;
}

}  // namespace pb::outbound
