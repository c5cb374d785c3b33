// SPDX-License-Identifier: Apache-2.0
// Status line, header fields, and the date, which is made once a second for each thread.
#include "http/response.h"

#include <strings.h>

#include <array>
#include <charconv>
#include <ctime>

namespace pb::http {
namespace {

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Status";
    }
}

template <class Number>
void append_number(std::string& out, Number number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_date(std::string& out) {
    thread_local std::time_t last = 0;
    thread_local std::array<char, 48> line;
    thread_local std::size_t size = 0;
    const std::time_t now = std::time(nullptr);
    if (now != last) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        size =
            std::strftime(line.data(), line.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        last = now;
    }
    out.append(line.data(), size);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
    }
    out.append("\r\n");
}

bool is_framing(std::string_view name) {
    return same(name, "Content-Length") || same(name, "Transfer-Encoding") ||
           same(name, "Connection");
}

void append_further(std::string& out, const HeaderList& headers) {
    for (const auto& [name, value] : headers) {
        const bool plain = !name.empty() && name.find_first_of("\r\n:\t ") == std::string::npos;
        if (plain && !is_framing(name)) append_field(out, name, value);
    }
}

void append_connection(std::string& out, Framing framing) {
    if (!framing.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (!framing.http11) {
        out.append("Connection: keep-alive\r\n");
    }
}

}  // namespace

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool asks_to_close(const HeaderList& headers) {
    for (const auto& [name, value] : headers) {
        if (same(name, "Connection") && same(value, "close")) return true;
    }
    return false;
}

void append_head(std::string& out, const Response& response, Framing framing) {
    out.append("HTTP/1.1 ");
    append_number(out, response.status);
    out.append(" ").append(reason_phrase(response.status)).append("\r\n");
    append_date(out);
    if (has_body(response.status)) {
        if (!response.content_type.empty()) {
            append_field(out, "Content-Type", response.content_type);
        }
        out.append("Content-Length: ");
        append_number(out, response.content_type.empty() ? std::size_t{0} : response.body.size());
        out.append("\r\n");
    }
    append_connection(out, framing);
    append_further(out, response.headers);
    out.append("\r\n");
}

void append_stream_head(std::string& out, const HeaderList& headers, Framing framing) {
    out.append("HTTP/1.1 200 OK\r\n");
    append_date(out);
    out.append(
        "Content-Type: text/event-stream\r\n"
        "Cache-Control: no-cache\r\n"
        "X-Accel-Buffering: no\r\n");
    if (framing.http11) out.append("Transfer-Encoding: chunked\r\n");
    append_connection(out, framing);
    append_further(out, headers);
    out.append("\r\n");
}

Response error_response(int status, std::string_view reason) {
    // The reasons are this folder's own sentences, except for what a parser says: escape all the
    // same.
    std::string body = R"({"error":")";
    for (const char c : reason) {
        if (c == '"' || c == '\\') body.push_back('\\');
        body.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    }
    body.append("\"}");
    return {status, "application/json", std::move(body), {}};
}

}  // namespace pb::http
