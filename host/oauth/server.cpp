// SPDX-License-Identifier: Apache-2.0
#include "oauth/server.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "oauth/answers.h"
#include "oauth/desk.h"
#include "oauth/metadata.h"

namespace pb::oauth {
namespace {

enum class For { programs, people };

struct Route {
    std::string_view path, method;
    Endpoint* endpoint;
    For whom;
    Rate Options::*rate;  // for each address; null: none
};

Endpoint show_jwks;

constexpr std::array routes{
    Route{paths::authorize, "GET", authorize, For::people, nullptr},
    Route{paths::sign_in, "POST", sign_in, For::people, &Options::sign_in},
    Route{paths::consent, "POST", consent, For::people, nullptr},
    Route{paths::sign_out, "POST", sign_out, For::people, nullptr},
    Route{paths::grants, "GET", show_grants, For::people, nullptr},
    Route{paths::end_grant, "POST", end_grant, For::people, nullptr},
    Route{paths::token, "POST", token, For::programs, &Options::token},
    Route{paths::revoke, "POST", revoke, For::programs, &Options::token},
    Route{paths::registration, "POST", register_client, For::programs, &Options::registration},
    Route{paths::jwks, "GET", show_jwks, For::programs, nullptr},
};

constexpr std::string_view resource_at = "/.well-known/oauth-protected-resource",
                           server_at = "/.well-known/oauth-authorization-server",
                           openid_at = "/.well-known/openid-configuration";

const Route* route_of(std::string_view path) {
    const auto* found = std::find_if(routes.begin(), routes.end(),
                                     [&](const Route& route) { return route.path == path; });
    return found == routes.end() ? nullptr : found;
}

// What comes after a well-known path; nothing if it is another path.
std::optional<std::string_view> behind(std::string_view path, std::string_view place) {
    if (!path.starts_with(place)) return std::nullopt;
    auto rest = path.substr(place.size());
    if (!rest.empty() && rest.front() != '/') return std::nullopt;
    if (rest.ends_with('/')) rest.remove_suffix(1);
    return rest;
}

bool is_document(std::string_view path) {
    return behind(path, resource_at) || behind(path, server_at) || behind(path, openid_at) ||
           path.ends_with(openid_at);
}

http::Response document(std::string body) {
    auto out = json_answer(200, std::move(body));
    // It changes with the host's configuration alone.
    std::erase_if(out.headers, [](const auto& field) { return field.first == "Pragma"; });
    for (auto& [name, value] : out.headers)
        if (name == "Cache-Control") value = "public, max-age=300";
    return out;
}

http::Response nothing_here() {
    return error_answer(404, "not_found", "there is nothing at this path");
}

http::Response show_jwks(Desk& desk, const Visit&) {
    auto keys = desk.id_tokens.jwks();
    if (!keys) return error_answer(503, "temporarily_unavailable", "try again in a minute");
    return document(std::move(*keys));
}

// The documents are found at the root and behind the paths from which clients start.
http::Response show_document(const Desk& desk, const Visit& visit) {
    const auto& place = visit.place;
    const auto path = visit.request.path;
    const auto resource_path = std::string_view(place.resource).substr(place.origin.size());
    const auto is_ours = [&](std::string_view rest) {
        return rest.empty() || rest == resource_path || rest == desk.options.endpoint ||
               rest == place.prefix;
    };
    if (const auto rest = behind(path, resource_at))
        return is_ours(*rest) ? document(resource_metadata(place, desk.options)) : nothing_here();
    auto rest = behind(path, server_at);
    if (!rest) rest = behind(path, openid_at);
    if (!rest) rest = path.substr(0, path.size() - openid_at.size());
    if (!is_ours(*rest)) return nothing_here();
    return document(
        server_metadata(place, {desk.options.register_clients, desk.parts.fetch != nullptr}));
}

http::Response too_many(For whom, std::chrono::milliseconds wait) {
    const auto seconds = std::to_string(wait.count() / 1000 + 1);
    auto out = whom == For::programs
                   ? error_answer(429, "temporarily_unavailable",
                                  "too many requests; try again in " + seconds + " seconds")
                   : message_answer(429, "Too many attempts",
                                    "Please wait a minute, then go back and try again.");
    out.headers.emplace_back("Retry-After", seconds);
    return out;
}

http::Response wrong_method(For whom, std::string_view allowed) {
    const auto why = "use " + std::string(allowed);
    auto out = whom == For::programs ? error_answer(405, "invalid_request", why)
                                     : message_answer(405, "This does not work", why);
    out.headers.emplace_back("Allow", std::string(allowed));
    return out;
}

http::Response preflight(std::string_view method) {
    return {204,
            {},
            {},
            {{"Access-Control-Allow-Methods", std::string(method)},
             {"Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version"},
             {"Access-Control-Max-Age", "86400"}}};
}

// Before anybody has typed a password there.
http::Response in_the_clear(For whom) {
    const std::string fix =
        "set listen.tls, or listen.public_url to the https URL of what encrypts in front of this "
        "host; API keys need neither";
    if (whom == For::programs)
        return error_answer(403, "invalid_request",
                            "there is no signing in over plain http, but on localhost: " + fix);
    return message_answer(403, "Not without encryption",
                          "This server was reached over plain http, where others can read along, "
                          "so nobody signs in here. Ask whoever runs it for its https address.",
                          fix);
}

http::Response answer_route(Desk& desk, const Visit& visit, const Route& route) {
    if (visit.request.method != route.method) return wrong_method(route.whom, route.method);
    if (route.rate != nullptr)
        if (const auto wait = desk.buckets.take(std::string(route.path) + " " + visit.address,
                                                desk.options.*route.rate))
            return too_many(route.whom, *wait);
    return route.endpoint(desk, visit);
}

http::Response answer(Desk& desk, const http::Request& request) {
    const auto* route = route_of(request.path);
    if (!route && !is_document(request.path)) return nothing_here();
    const bool for_programs = !route || route->whom == For::programs;
    if (for_programs && request.method == "OPTIONS")
        return preflight(route ? route->method : "GET");
    auto place = place_of(request, desk.options);
    if (!place) return error_answer(400, "invalid_request", place.error().message);
    const Visit visit{request, std::move(*place), address_of(request)};
    // What the resource is may be told anywhere.
    if (!visit.place.is_safe() && !behind(request.path, resource_at))
        return in_the_clear(route ? route->whom : For::programs);
    if (route) return answer_route(desk, visit, *route);
    if (request.method != "GET") return wrong_method(For::programs, "GET");
    return show_document(desk, visit);
}

}  // namespace

Server::Server(Parts parts, Options options)
    : desk_(std::make_unique<Desk>(std::move(parts), std::move(options))) {}

Server::~Server() = default;

bool Server::covers(std::string_view path) { return route_of(path) || is_document(path); }

bool Server::takes_any_origin(std::string_view path) {
    const auto* route = route_of(path);
    return route ? route->whom == For::programs : is_document(path);
}

void Server::handle(const std::shared_ptr<const http::Request>& request,
                    const std::shared_ptr<http::Exchange>& exchange) {
    http::Response out;
    try {
        out = answer(*desk_, *request);
    } catch (const std::exception& fault) {
        log::error("oauth.fault", {{"reason", fault.what()}});
        out = error_answer(500, "server_error", "the request failed");
    }
    if (takes_any_origin(request->path)) {
        out.headers.emplace_back("Access-Control-Allow-Origin", "*");
        out.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate");
    }
    exchange->respond(std::move(out));
}

std::string address_of(const http::Request& request) {
    in6_addr address{};
    if (inet_pton(AF_INET6, request.peer.c_str(), &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address))
        return request.peer;
    // Who has one address of such a network has all of them.
    return {reinterpret_cast<const char*>(address.s6_addr), 8};
}

void record(Desk& desk, const Visit& visit, audit::Record what) {
    what.address = visit.request.peer;
    desk.parts.trail.add(std::move(what));
}

}  // namespace pb::oauth
