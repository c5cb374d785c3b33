// SPDX-License-Identifier: Apache-2.0
#include "endpoint/gate.h"

#include <algorithm>
#include <array>

#include "base/url.h"

namespace pb::endpoint {
namespace {

constexpr std::string_view scheme = "Bearer";
constexpr std::string_view first_scopes = "mcp:read mcp:write";

constexpr std::string_view key_param = "apiKey";

// ?apiKey=, or empty. Two of them are none.
std::string key_in(std::string_view query) {
    const auto params = form_decode(query);
    if (!params) return {};
    std::string out;
    int count = 0;
    for (const auto& [key, value] : *params)
        if (key == key_param && ++count == 1) out = value;
    return count == 1 ? out : std::string();
}

bool is_key(std::string_view pair) {
    const auto name = form_decode(pair.substr(0, pair.find('=')));
    return name && name->size() == 1 && name->front().first == key_param;
}

bool is_repeated(const http::Request& request) {
    constexpr std::array<std::string_view, 3> names{"Authorization", "X-API-Key", "X-Org-ID"};
    return std::any_of(names.begin(), names.end(),
                       [&](auto name) { return request.count_header(name) > 1; });
}

void add_param(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.append(out == scheme ? " " : ", ").append(name).append("=\"");
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        if (c >= ' ' && c != '\x7f') out += c;
    }
    out += '"';
}

}  // namespace

std::string Place::base(const http::Request& request) const {
    if (!public_url.empty()) return public_url;
    return (request.secure ? "https://" : "http://") + std::string(request.header("Host"));
}

bool Place::is_ours(std::string_view resource, const Guards& guards, std::uint16_t port) const {
    const auto url = parse_url(resource, "the resource");
    if (!url || !url->query.empty()) return false;
    if (public_url.empty() && !guards.host_allowed(url->host)) return false;
    if (public_url.empty() && port != 0 && url->port != port) return false;
    const auto base = public_url.empty() ? url->origin() : public_url;
    const auto text = url->text();
    return text == base + endpoint || text == base || text == base + "/";
}

std::shared_ptr<const http::Request> without_key(std::shared_ptr<const http::Request> request) {
    std::string kept;
    bool any = false;
    for (auto rest = request->query; !rest.empty();) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        if (is_key(pair)) {
            any = true;
        } else {
            if (!kept.empty()) kept += '&';
            kept += pair;
        }
    }
    if (!any) return request;
    auto out = std::make_shared<http::Request>(*request);
    auto owned = std::make_shared<std::pair<std::string, std::shared_ptr<void>>>(std::move(kept),
                                                                                 request->buffer);
    out->query = owned->first;
    out->buffer = std::move(owned);
    return out;
}

std::variant<runtime::CallerPtr, Gate::Refusal> Gate::enter(const http::Request& request) const {
    admission::Presented presented;
    presented.authorization = request.header("Authorization");
    presented.api_key = request.header("X-API-Key");
    presented.org = request.header("X-Org-ID");
    const auto url_key = request.query.empty() ? std::string() : key_in(request.query);
    presented.url_key = url_key;
    presented.loopback = request.loopback;
    presented.forwarded = request.loopback && !Guards::is_direct(request);
    presented.repeated = is_repeated(request);
    auto answer = authenticator_.authenticate(presented);
    if (auto* caller = std::get_if<runtime::CallerPtr>(&answer)) return std::move(*caller);
    auto& refused = std::get<admission::Refused>(answer);
    if (!refused.error.empty()) tell(request, refused);
    Refusal out{refused.status, refused.description, {}};
    const bool more = refused.status == 401 || refused.error == "insufficient_scope";
    if (more || !refused.error.empty())
        out.headers.emplace_back(
            "WWW-Authenticate",
            challenge(request, refused.error, refused.error.empty() ? "" : refused.description,
                      more ? first_scopes : ""));
    if (refused.status == 503) out.headers.emplace_back("Retry-After", "1");
    return out;
}

void Gate::tell(const http::Request& request, const admission::Refused& refused) const {
    if (!trail_) return;
    const auto left_out = told_.take(request.peer);
    if (!left_out) return;
    audit::Record record;
    record.kind = "sign_in";
    record.method = "credential";
    record.address = request.peer;
    record.outcome = "denied";
    record.code = refused.status;
    record.reason = audit::with_left_out(refused.description, *left_out);
    trail_->add(std::move(record));
}

std::string Gate::challenge(const http::Request& request, std::string_view error,
                            std::string_view description, std::string_view scope) const {
    std::string out(scheme);
    add_param(out, "error", error);
    add_param(out, "error_description", description);
    add_param(out, "scope", scope);
    add_param(out, "resource_metadata",
              place_.base(request) + "/.well-known/oauth-protected-resource" + place_.endpoint);
    return out;
}

}  // namespace pb::endpoint
