// SPDX-License-Identifier: Apache-2.0
#include "oauth/fetch.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace pb::oauth {
namespace {

constexpr std::size_t largest_document = 64U << 10U;
constexpr std::chrono::milliseconds connect_within{3000}, all_within{6000};
constexpr std::chrono::seconds usually{300}, at_most{24L * 3600};

std::string in_lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

bool is_json(std::string_view content_type) {
    auto type = in_lower_case(content_type.substr(0, content_type.find(';')));
    while (type.ends_with(' '))
        type.pop_back();
    return type == "application/json" ||
           (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace

std::chrono::seconds fresh_for(std::string_view cache_control) {
    const auto text = in_lower_case(cache_control);
    if (text.find("no-store") != std::string::npos || text.find("no-cache") != std::string::npos)
        return std::chrono::seconds(0);
    constexpr std::string_view name = "max-age=";
    const auto at = text.find(name);
    if (at == std::string::npos) return usually;
    const auto* from = text.data() + at + name.size();
    std::int64_t seconds = 0;
    const auto [rest, fault] = std::from_chars(from, text.data() + text.size(), seconds);
    // So long that it is no number we know is long enough.
    if (fault == std::errc::result_out_of_range) return at_most;
    if (fault != std::errc() || seconds < 0) return std::chrono::seconds(0);
    return std::min(std::chrono::seconds(seconds), at_most);
}

FetchDocument documents_over(outbound::Http& http) {
    return [&http](const std::string& url) -> Result<Document> {
        outbound::Request request;
        request.url = url;
        request.headers = {{"Accept", "application/json"}};
        request.max_answer = largest_document;
        request.connect_time = connect_within;
        request.time = all_within;
        // Why is not for everybody: it would tell what there is on the networks around here. And
        // everybody can bring this about, so that it must not fill the log either.
        const auto unread = [&](const std::string& reason) {
            log::debug("oauth.document_unread", {{"client", url}, {"reason", reason}});
            return invalid(
                "the document at the client_id cannot be read: it is application/json, at a "
                "public address");
        };
        auto got = http.fetch(std::move(request));
        if (const auto* failure = std::get_if<outbound::Failure>(&got))
            return unread(failure->message);
        auto& answer = std::get<outbound::Answer>(got);
        if (answer.head.status != 200)
            return unread("HTTP status " + std::to_string(answer.head.status));
        if (!is_json(answer.head.header("Content-Type")))
            return unread("it is not application/json");
        return Document{std::move(answer.body), fresh_for(answer.head.header("Cache-Control"))};
    };
}

}  // namespace pb::oauth
