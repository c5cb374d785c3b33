// SPDX-License-Identifier: Apache-2.0
// Chunk by chunk (RFC 9112, 7.1).
#include "http/chunked.h"

#include <algorithm>
#include <charconv>

#include "http/limits.h"

namespace pb::http {
namespace {

constexpr std::size_t max_digits = 15;  // of a size, leading zeros included

bool printable(std::string_view line) {
    return std::none_of(line.begin(), line.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && byte != '\t') || byte == 0x7f;
    });
}

struct Line {
    std::string_view text;
    bool whole = false;
    bool bad = false;
};

// The line in front of `input`, without its end, which must be CR LF.
Line next_line(std::string_view input) {
    const std::size_t feed = input.find('\n');
    if (feed == std::string_view::npos) return {{}, false, input.size() > max_chunk_header};
    if (feed == 0 || input[feed - 1] != '\r' || feed > max_chunk_header) return {{}, true, true};
    const auto text = input.substr(0, feed - 1);
    return {text, true, !printable(text)};
}

}  // namespace

ChunkedBody::Step ChunkedBody::feed(std::string_view& input, std::string& body) {
    while (!input.empty()) {
        if (at_ == At::data) {
            take_data(input, body);
            continue;
        }
        const Line line = next_line(input);
        if (line.bad) return Step::malformed;
        if (!line.whole) return Step::need_more;
        input.remove_prefix(line.text.size() + 2);
        if (at_ == At::data_end) {
            if (!line.text.empty()) return Step::malformed;
            at_ = At::size;
        } else if (at_ == At::size) {
            const Step step = take_size(line.text);
            if (step != Step::need_more) return step;
        } else {
            if (line.text.empty()) return Step::complete;
            trailers_ += line.text.size();
            if (trailers_ > max_chunk_header || line.text.find(':') == std::string_view::npos) {
                return Step::malformed;
            }
        }
    }
    return Step::need_more;
}

ChunkedBody::Step ChunkedBody::take_size(std::string_view line) {
    const char* const end = line.data() + line.size();
    const auto [after, error] = std::from_chars(line.data(), end, left_in_chunk_, 16);
    const auto digits = static_cast<std::size_t>(after - line.data());
    if (error != std::errc() || digits > max_digits) return Step::malformed;
    std::string_view extension = line.substr(digits);
    extension.remove_prefix(std::min(extension.find_first_not_of(" \t"), extension.size()));
    if (!extension.empty() && extension.front() != ';') return Step::malformed;
    if (left_in_chunk_ > left_in_body_) return Step::too_large;
    left_in_body_ -= left_in_chunk_;
    at_ = left_in_chunk_ > 0 ? At::data : At::trailer;
    return Step::need_more;
}

void ChunkedBody::take_data(std::string_view& input, std::string& body) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(left_in_chunk_, input.size()));
    body.append(input.substr(0, size));
    input.remove_prefix(size);
    left_in_chunk_ -= size;
    if (left_in_chunk_ == 0) at_ = At::data_end;
}

}  // namespace pb::http
