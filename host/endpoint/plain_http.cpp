// SPDX-License-Identifier: Apache-2.0
#include "endpoint/plain_http.h"

#include <strings.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "json/scan.h"
#include "json/utf8.h"

namespace pb::endpoint {
namespace {

constexpr std::size_t max_body = 1u << 20;
constexpr std::size_t max_answer = 8u << 20;
constexpr std::size_t max_query = 100;
constexpr std::size_t max_field = 8192;

bool is_utf8(std::string_view text) {
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    for (const auto* end = at + text.size(); at < end;) {
        const auto length = json::utf8_length(at, end);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// A name or value of a query; nothing if it is malformed.
std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    if (!is_utf8(out)) return std::nullopt;
    return out;
}

// A name that is given twice is refused: of two values somebody would look at the wrong one.
Result<std::string> query_object(std::string_view query) {
    std::string out = "{";
    std::set<std::string> names;
    while (!query.empty()) {
        const auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = decoded(pair.substr(0, equals));
        const auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
        if (!name || !value) return invalid("the query is not well-formed");
        if (!names.insert(*name).second || names.size() > max_query)
            return invalid("the query has a name twice, or too many");
        if (out.size() > 1) out += ',';
        json::append_quoted(out, *name);
        out += ':';
        json::append_quoted(out, *value);
    }
    return out + "}";
}

std::string headers_object(const http::Request& request) {
    std::string out = "{";
    for (const char* name : {"content-type", "accept", "accept-language", "user-agent"}) {
        const auto value = request.header(name);
        if (value.empty() || value.size() > max_field || !is_utf8(value)) continue;
        if (out.size() > 1) out += ',';
        out.append("\"").append(name).append("\":");
        json::append_quoted(out, value);
    }
    return out + "}";
}

void protect(http::Response& response) {
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
                                  "form-action 'none'");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
}

// The fields that pass; Content-Type apart.
void take_headers(std::string_view object, http::Response& response) {
    bool cache_control = false;
    std::vector<json::Member> members;
    json::members(object, members);
    for (const auto& [key, value] : members) {
        const auto text = json::string_value(value);
        if (!text || text->size() > max_field) continue;
        const auto is = [name = std::string(key)](const char* wanted) {
            return ::strcasecmp(name.c_str(), wanted) == 0;
        };
        if (is("content-type")) response.content_type = *text;
        if (is("cache-control")) cache_control = true;
        for (const char* name : {"Location", "Cache-Control", "WWW-Authenticate", "Retry-After"})
            if (is(name)) response.headers.emplace_back(name, *text);
    }
    if (!cache_control) response.headers.emplace_back("Cache-Control", "no-store");
}

}  // namespace

Result<std::string> to_params(const http::Request& request, std::string_view route,
                              std::string_view rest) {
    if (request.body.size() > max_body)
        return Error{ErrorKind::busy, "the body is longer than 1 MiB"};
    if (!is_utf8(request.body)) return invalid("the body must be UTF-8 text");
    auto query = query_object(request.query);
    if (!query) return query;
    std::string out = "{\"method\":" + json::quote(request.method) +
                      ",\"route\":" + json::quote(route) + ",\"path\":" + json::quote(rest) +
                      ",\"query\":" + *query + ",\"headers\":" + headers_object(request) +
                      ",\"body\":";
    json::append_quoted(out, request.body);
    return out + "}";
}

Result<http::Response> to_response(std::string_view result) {
    http::Response response;
    if (const auto status = json::member(result, "status"); !status.empty()) {
        const auto number = json::integer_value(status);
        if (!number || *number < 200 || *number > 599)
            return internal_error("the answer's status is none from 200 to 599");
        response.status = static_cast<int>(*number);
    }
    take_headers(json::member(result, "headers"), response);
    if (const auto body = json::member(result, "body"); !body.empty()) {
        auto text = json::string_value(body);
        if (!text || text->size() > max_answer)
            return internal_error("the answer's body is no text, or longer than 8 MiB");
        response.body = std::move(*text);
    }
    if (response.body.empty())
        response.content_type.clear();
    else if (response.content_type.empty())
        response.content_type = "application/json";
    protect(response);
    return response;
}

}  // namespace pb::endpoint
