// SPDX-License-Identifier: Apache-2.0
#include "oauth/client_auth.h"

#include <optional>

#include "base/base64.h"
#include "oauth/answers.h"

namespace pb::oauth {
namespace {

struct Shown {
    std::string id, secret;
    bool basic = false;
};

http::Response unknown_client(bool basic, std::string_view why) {
    auto out = error_answer(401, "invalid_client", why);
    if (basic)
        out.headers.emplace_back("WWW-Authenticate", "Basic realm=\"patchbay\", charset=\"UTF-8\"");
    return out;
}

// Both parts are encoded as in a form (RFC 6749, 2.3.1).
std::optional<std::string> form_decoded(std::string_view text) {
    const auto params = form_decode("x=" + std::string(text));
    if (!params || params->size() != 1) return std::nullopt;
    return params->front().second;
}

std::optional<Shown> read_basic(std::string_view header) {
    constexpr std::string_view scheme = "basic ";
    if (header.size() < scheme.size()) return std::nullopt;
    for (std::size_t i = 0; i + 1 < scheme.size(); ++i)
        if ((header[i] | 0x20) != scheme[i]) return std::nullopt;
    const auto text = header[scheme.size() - 1] == ' '
                          ? base64_decode(header.substr(scheme.size()), Alphabet::standard)
                          : std::nullopt;
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    const auto id = form_decoded(std::string_view(*text).substr(0, colon));
    const auto secret = form_decoded(std::string_view(*text).substr(colon + 1));
    if (!id || !secret) return std::nullopt;
    return Shown{*id, *secret, true};
}

}  // namespace

std::variant<Params, http::Response> read_form(const Visit& visit) {
    auto form = Params::of_form(visit.request);
    if (!form)
        return error_answer(400, "invalid_request",
                            "the body is application/x-www-form-urlencoded");
    if (form->repeats({"resource"}))
        return error_answer(400, "invalid_request", "a parameter comes more than once");
    return std::move(*form);
}

std::variant<access::OAuthClient, http::Response> authenticate_client(Desk& desk,
                                                                      const Visit& visit,
                                                                      const Params& form) {
    Shown shown{std::string(form.get("client_id")), std::string(form.get("client_secret"))};
    if (visit.request.has_header("Authorization")) {
        auto basic = read_basic(visit.request.header("Authorization"));
        if (!basic)
            return unknown_client(true,
                                  "the Authorization header is none of HTTP Basic with a "
                                  "client_id and its secret");
        if (!shown.secret.empty() || visit.request.count_header("Authorization") > 1 ||
            (!shown.id.empty() && shown.id != basic->id))
            return error_answer(400, "invalid_request", "show one client, in one way");
        shown = std::move(*basic);
    }
    if (shown.id.empty()) return unknown_client(shown.basic, "client_id is missing");
    // What a document says was checked before there was a code; its client has no secret.
    if (ClientBook::is_described(shown.id) && shown.secret.empty())
        return ClientBook::described(shown.id);
    auto& clients = desk.parts.access.clients;
    auto client = clients.find(shown.id);
    if (!client) return error_answer(503, "temporarily_unavailable", "try again in a minute");
    const bool open = *client && (*client)->auth_method == "none" && shown.secret.empty();
    auto right = open ? Result<bool>(true) : clients.has_secret(shown.id, shown.secret);
    if (!right) return error_answer(503, "temporarily_unavailable", "try again in a minute");
    if (!*client || !*right)
        return unknown_client(shown.basic, "the client is unknown, or its secret is wrong");
    return std::move(**client);
}

}  // namespace pb::oauth
