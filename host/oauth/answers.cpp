// SPDX-License-Identifier: Apache-2.0
#include "oauth/answers.h"

#include "json/scan.h"

namespace pb::oauth {
namespace {

// What error_description may hold (RFC 6749, 4.1.2.1).
std::string plain_description(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\'';
        else
            out += c >= 0x20 && c < 0x7f ? c : '?';
    }
    return out;
}

}  // namespace

http::Response json_answer(int status, std::string body) {
    return {status,
            "application/json",
            std::move(body),
            {{"Cache-Control", "no-store"},
             {"Pragma", "no-cache"},
             {"X-Content-Type-Options", "nosniff"}}};
}

http::Response error_answer(int status, std::string_view code, std::string_view description) {
    return json_answer(status, "{\"error\":" + json::quote(code) + ",\"error_description\":" +
                                   json::quote(plain_description(description)) + "}");
}

http::Response page_answer(int status, const pages::Page& page) {
    return pages::page_response(status, page, {});
}

http::Response message_answer(int status, std::string title, std::string text, std::string detail) {
    return page_answer(status,
                       pages::message({std::move(title), std::move(text), std::move(detail)}));
}

http::Response redirect_answer(int status, std::string url) {
    return {status,
            {},
            {},
            {{"Location", std::move(url)},
             {"Cache-Control", "no-store"},
             {"Referrer-Policy", "no-referrer"}}};
}

http::Response return_answer(const Return& to, const Place& place, FormParams params) {
    if (!to.state.empty()) params.emplace_back("state", to.state);
    params.emplace_back("iss", place.issuer());
    auto url = with_params(to.redirect_uri, params);
    if (!to.after_form) return redirect_answer(302, std::move(url));
    return page_answer(200, pages::onward({std::move(url), to.client_name}));
}

http::Response return_error(const Return& to, const Place& place, std::string_view code,
                            std::string_view description) {
    return return_answer(
        to, place,
        {{"error", std::string(code)}, {"error_description", plain_description(description)}});
}

}  // namespace pb::oauth
