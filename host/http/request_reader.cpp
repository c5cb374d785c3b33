// SPDX-License-Identifier: Apache-2.0
// Framing: where a request ends, and every reason to refuse one.
#include "http/request_reader.h"

#include <strings.h>

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <limits>

#include "http/limits.h"

namespace pb::http {
namespace {

namespace beast = boost::beast;

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Where the header ends, if it does. `line` moves to the first line that is not complete.
struct Scan {
    std::size_t end = 0;  // 0: not yet
    const char* fault = nullptr;
};

Scan scan_lines(std::string_view text, std::size_t& line) {
    while (line < text.size()) {
        if (line > 0 && (text[line] == ' ' || text[line] == '\t')) {
            return {0, "A header line is folded; send each field on one line."};
        }
        const auto* found =
            static_cast<const char*>(std::memchr(text.data() + line, '\n', text.size() - line));
        if (found == nullptr) return {};
        const std::size_t feed = static_cast<std::size_t>(found - text.data());
        if (feed == line || text[feed - 1] != '\r') {
            return {0, "A header line ends in a bare line feed; end it with CR LF."};
        }
        const bool empty = feed - line == 1;
        line = feed + 1;
        if (empty) return {line, nullptr};
    }
    return {};
}

}  // namespace

RequestReader::RequestReader(std::size_t header_limit, std::size_t body_limit)
    : header_limit_(header_limit), body_limit_(body_limit) {
    Parser::skip(true);  // the body
    // The header is bounded here, before Beast sees it.
    Parser::header_limit(std::numeric_limits<std::uint32_t>::max());
}

RequestReader::Step RequestReader::feed(std::string_view& input) {
    if (!in_body_) {
        const Step step = feed_header(input);
        if (step != Step::complete || !in_body_) return step;
    }
    return chunks_ ? feed_chunks(input) : feed_body(input);
}

RequestReader::Step RequestReader::feed_header(std::string_view& input) {
    auto& text = request_->text;
    if (!started_) {
        // An empty line before a request is forgiven, as RFC 9112 asks.
        while (input.starts_with("\r\n"))
            input.remove_prefix(2);
        if (input.empty() || input == "\r") return Step::need_more;
        started_ = true;
    }
    // Most headers arrive whole: only their own bytes are copied then.
    const std::size_t before = text.size();
    Scan scan;
    if (before == 0) {
        scan = scan_lines(input, scanned_);
        text.assign(input.substr(0, scan.end ? scan.end : input.size()));
    } else {
        text.append(input);
        scan = scan_lines(text, scanned_);
        if (scan.end) text.resize(scan.end);
    }
    if (scan.fault) return refuse(400, scan.fault);
    if (text.size() > std::min(header_limit_, max_target)) {
        if (text.find('\n') > std::min(header_limit_, max_target + 64)) {
            return refuse(414, "The request line is too long.");
        }
        if (text.size() > header_limit_) {
            return refuse(431, "The header is too large; at most " + std::to_string(header_limit_) +
                                   " bytes are read.");
        }
    }
    if (!scan.end) {
        input = {};
        return Step::need_more;
    }
    input.remove_prefix(scan.end - before);
    return parse_header();
}

RequestReader::Step RequestReader::parse_header() {
    const auto& text = request_->text;
    request_->headers.reserve(16);
    Code code;
    Parser::put(boost::asio::const_buffer(text.data(), text.size()), code);
    if (code && code != beast::http::error::need_more) return refuse(code);
    if (!is_header_done()) return refuse(400, "The header is malformed.");
    if (auto fault = check_header()) return refuse(fault->status, std::move(fault->reason));
    return begin_body();
}

RequestReader::Step RequestReader::begin_body() {
    if (Parser::chunked()) {
        chunks_.emplace(body_limit_);
    } else {
        const std::uint64_t length = Parser::content_length().value_or(0);
        if (length > body_limit_) return refuse_body();
        left_ = static_cast<std::size_t>(length);
        // Memory follows what has arrived, not what was announced.
        request_->body.reserve(std::min(left_, read_size));
    }
    in_body_ = chunks_ || left_ > 0;
    return Step::complete;
}

RequestReader::Step RequestReader::feed_body(std::string_view& input) {
    const std::size_t size = std::min(left_, input.size());
    request_->body.append(input.substr(0, size));
    input.remove_prefix(size);
    left_ -= size;
    return left_ == 0 ? Step::complete : Step::need_more;
}

RequestReader::Step RequestReader::feed_chunks(std::string_view& input) {
    switch (chunks_->feed(input, request_->body)) {
        case ChunkedBody::Step::need_more:
            return Step::need_more;
        case ChunkedBody::Step::complete:
            return Step::complete;
        case ChunkedBody::Step::too_large:
            return refuse_body();
        case ChunkedBody::Step::malformed:
            break;
    }
    return refuse(400, "The chunked body is malformed.");
}

RequestReader::Step RequestReader::refuse_body() {
    return refuse(
        413, "The body is too large; at most " + std::to_string(body_limit_) + " bytes are read.");
}

RequestReader::Step RequestReader::refuse(int status, std::string reason) {
    refusal_ = {status, std::move(reason)};
    return Step::refused;
}

RequestReader::Step RequestReader::refuse(const Code& code) {
    using beast::http::error;
    if (too_many_) {
        return refuse(431, "There are too many header fields; at most " +
                               std::to_string(max_fields) + " are read.");
    }
    if (code == error::bad_version) {
        return refuse(505, "The HTTP version is not supported; use HTTP/1.1.");
    }
    if (code == error::bad_content_length) {
        return refuse(400,
                      "Content-Length is not one plain number, or Transfer-Encoding is also "
                      "given.");
    }
    if (code == error::bad_transfer_encoding) {
        return refuse(400, "Transfer-Encoding is repeated, or Content-Length is also given.");
    }
    return refuse(400, "The request is malformed: " + code.message() + ".");
}

std::optional<Refusal> RequestReader::check_header() {
    if (auto fault = check_framing()) return fault;
    if (hosts_ > 1 || (hosts_ == 0 && version_ == 11)) {
        return Refusal{400, "A request needs exactly one Host."};
    }
    if (auto fault = split_target()) return fault;
    if (expects_ > 0) {
        if (expects_ > 1 || !same(expect_, "100-continue")) {
            return Refusal{417, "The only expectation that is understood is 100-continue."};
        }
        expects_continue_ = version_ == 11;
    }
    return std::nullopt;
}

std::optional<Refusal> RequestReader::check_framing() const {
    if (codings_ > 0 && lengths_ > 0) {
        return Refusal{400, "Content-Length and Transfer-Encoding exclude each other."};
    }
    if (codings_ > 0 && version_ != 11) {
        return Refusal{400, "HTTP/1.0 has no Transfer-Encoding."};
    }
    if (codings_ > 1) return Refusal{400, "Transfer-Encoding is given more than once."};
    if (codings_ > 0 && !same(coding_, "chunked")) {
        return Refusal{501, "The only transfer coding that is understood is chunked."};
    }
    if (lengths_ > 1) return Refusal{400, "Content-Length is given more than once."};
    return std::nullopt;
}

// Path and query; of an absolute target (RFC 9112, 3.2.2) only what follows the authority, which
// must be the Host: a check of one must not be passed by the other.
std::optional<Refusal> RequestReader::split_target() {
    std::string_view rest = target_;
    if (rest.size() > max_target) {
        return Refusal{414, "The request's target is too long; at most " +
                                std::to_string(max_target) + " bytes are read."};
    }
    const std::size_t scheme = same(rest.substr(0, 7), "http://")    ? 7
                               : same(rest.substr(0, 8), "https://") ? 8
                                                                     : 0;
    if (scheme > 0) {
        rest.remove_prefix(scheme);
        const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
        if (!same(rest.substr(0, end), host_)) {
            return Refusal{400, "The target's authority is not the Host."};
        }
        rest.remove_prefix(end);
    } else if (!rest.starts_with('/') && !(rest == "*" && request_->method == "OPTIONS")) {
        return Refusal{400, "The request's target is not a path."};
    }
    const std::size_t mark = std::min(rest.find('?'), rest.size());
    request_->path = mark == 0 ? std::string_view("/") : rest.substr(0, mark);
    if (mark < rest.size()) request_->query = rest.substr(mark + 1);
    return std::nullopt;
}

void RequestReader::on_request_impl(beast::http::verb, Text method, Text target, int version,
                                    Code&) {
    request_->method = view(method);
    target_ = view(target);
    version_ = version;
}

void RequestReader::on_field_impl(beast::http::field id, Text name, Text value, Code& code) {
    if (request_->headers.size() >= max_fields) {
        too_many_ = true;
        code = beast::http::error::header_limit;
        return;
    }
    request_->headers.push_back({view(name), view(value)});
    switch (id) {
        case beast::http::field::host:
            ++hosts_;
            host_ = view(value);
            break;
        case beast::http::field::content_length:
            ++lengths_;
            // Beast also takes a list of equal numbers; this host takes digits.
            if (view(value).find_first_not_of("0123456789") != std::string_view::npos) {
                code = beast::http::error::bad_content_length;
            }
            break;
        case beast::http::field::transfer_encoding:
            ++codings_;
            coding_ = view(value);
            break;
        case beast::http::field::expect:
            ++expects_;
            expect_ = view(value);
            break;
        default:
            break;
    }
}

}  // namespace pb::http
