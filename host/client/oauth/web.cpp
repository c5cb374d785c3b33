// SPDX-License-Identifier: Apache-2.0
#include "client/oauth/web.h"

#include <algorithm>

#include "json/scan.h"

namespace pb::client::oauth {
namespace {

constexpr std::chrono::milliseconds longest{20'000};
constexpr json::Limits limits{1U << 20U, 16, 1U << 14U};
constexpr std::size_t most_texts = 256;

bool is_json_object(std::string_view text) {
    if (!json::scan(text, limits)) return false;
    const auto start = text.find_first_not_of(" \t\r\n");
    return json::type_of(text.substr(start)) == json::Type::object;
}

Error unreachable(const outbound::Failure& failure) {
    using outbound::Fault;
    switch (failure.fault) {
        case Fault::refused:
            return {ErrorKind::denied, failure.message};
        case Fault::late:
            return {ErrorKind::deadline, failure.message};
        case Fault::cancelled:
            return {ErrorKind::cancelled, failure.message};
        default:
            return {ErrorKind::busy, failure.message};
    }
}

}  // namespace

Result<outbound::Answer> Web::send(outbound::Request request) const {
    if (stopping_ != nullptr && *stopping_)
        return Error{ErrorKind::cancelled, "the authorization was given up"};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Error{ErrorKind::deadline, "there is no time left to authorize"};
    request.time = std::min(left, longest);
    request.connect_time = std::min(request.connect_time, request.time);
    request.max_answer = limits.size;
    request.headers.emplace_back("Accept", "application/json");
    auto outcome = fetch_(std::move(request));
    if (const auto* failure = std::get_if<outbound::Failure>(&outcome))
        return unreachable(*failure);
    return std::get<outbound::Answer>(std::move(outcome));
}

Result<std::optional<std::string>> Web::document(const std::string& url) const {
    outbound::Request request;
    request.url = url;
    request.redirects = 3;
    if (!protocol_version_.empty())
        request.headers.emplace_back("MCP-Protocol-Version", protocol_version_);
    auto answer = send(std::move(request));
    if (!answer) return std::move(answer).error();
    const int status = answer->head.status;
    if (status == 429 || status >= 500)
        return Error{ErrorKind::busy, url + " answered HTTP " + std::to_string(status)};
    if (status != 200 || !is_json_object(answer->body)) return std::optional<std::string>();
    return std::optional(std::move(answer->body));
}

Result<outbound::Answer> Web::post(const std::string& url, std::string content_type,
                                   std::string body, outbound::Headers headers) const {
    outbound::Request request;
    request.method = "POST";
    request.url = url;
    request.headers = std::move(headers);
    request.headers.emplace_back("Content-Type", std::move(content_type));
    request.body = std::move(body);
    auto answer = send(std::move(request));
    if (answer && !is_json_object(answer->body)) answer->body.clear();
    return answer;
}

std::string text_member(std::string_view object, std::string_view name) {
    return json::string_value(json::member(object, name)).value_or("");
}

std::vector<std::string> texts_member(std::string_view object, std::string_view name) {
    std::vector<std::string_view> elements;
    std::vector<std::string> out;
    if (!json::elements(json::member(object, name), elements)) return out;
    for (const auto element : elements)
        if (auto text = json::string_value(element); text && out.size() < most_texts)
            out.push_back(std::move(*text));
    return out;
}

bool true_member(std::string_view object, std::string_view name) {
    return json::member(object, name) == "true";
}

std::string quote_all(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const auto& text : texts) {
        if (out.size() > 1) out += ',';
        json::append_quoted(out, text);
    }
    return out + "]";
}

}  // namespace pb::client::oauth
