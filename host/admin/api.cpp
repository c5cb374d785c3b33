// SPDX-License-Identifier: Apache-2.0
// The way of every request: found in the table, permitted, read, done, recorded, answered.
#include "admin/api.h"

#include <Poco/String.h>

#include <algorithm>
#include <chrono>

#include "admin/resources.h"
#include "base/log.h"
#include "base/url.h"
#include "json/parse.h"

namespace pb::admin {
namespace {

constexpr std::size_t largest_body = 256U << 10U, largest_query = 8U << 10U;
constexpr std::size_t longest_subject = 128;
constexpr json::Limits body_limits{.size = largest_body, .depth = 32, .values = 10'000};
constexpr std::string_view root = "/api/";

enum class Need {
    administers,
    nothing,  // the function itself looks at what the caller may
};

struct Route {
    std::string_view resource;
    bool one;  // with an id behind the resource
    std::string_view method;
    Need need;
    std::string_view act;  // as the trail calls it
    Reply (*run)(const Ask& ask);
    bool changes() const { return method != "GET"; }
};

constexpr Route routes[] = {
    {"users", false, "GET", Need::administers, "users.list", list_users},
    {"users", false, "POST", Need::administers, "users.add", add_user},
    {"users", true, "GET", Need::nothing, "users.look", get_user},
    {"users", true, "PATCH", Need::nothing, "users.change", change_user},
    {"users", true, "DELETE", Need::administers, "users.remove", remove_user},
    {"keys", false, "GET", Need::nothing, "keys.list", list_keys},
    {"keys", false, "POST", Need::administers, "keys.create", make_key},
    {"keys", true, "DELETE", Need::nothing, "keys.revoke", revoke_key},
    {"orgs", false, "GET", Need::administers, "orgs.list", list_orgs},
    {"orgs", false, "POST", Need::administers, "orgs.add", add_org},
    {"orgs", true, "GET", Need::administers, "orgs.look", get_org},
    {"orgs", true, "PATCH", Need::administers, "orgs.change", configure_org},
    {"orgs", true, "DELETE", Need::administers, "orgs.remove", remove_org},
    {"clients", false, "GET", Need::administers, "clients.list", list_clients},
    {"clients", false, "POST", Need::administers, "clients.add", add_client},
    {"clients", true, "DELETE", Need::administers, "clients.remove", remove_client},
    {"grants", false, "GET", Need::nothing, "grants.list", list_grants},
    {"grants", true, "DELETE", Need::nothing, "grants.revoke", revoke_grant},
    {"audit", false, "GET", Need::administers, "audit.read", read_trail},
};

struct Place {
    std::string_view resource, id;
    bool one = false;
};

// Nothing if there is no such resource.
std::optional<Place> place_of(std::string_view path) {
    if (!path.starts_with(root)) return std::nullopt;
    path.remove_prefix(root.size());
    const auto slash = std::min(path.find('/'), path.size());
    Place out{path.substr(0, slash), path.substr(std::min(slash + 1, path.size())),
              slash < path.size()};
    const bool known = std::any_of(std::begin(routes), std::end(routes), [&](const Route& route) {
        return route.resource == out.resource;
    });
    return known ? std::optional(out) : std::nullopt;
}

// The route of a request; where there is none, why.
const Route* find_route(const std::optional<Place>& place, std::string_view method,
                        Reply& refused) {
    refused = refuse(404, "there is nothing at this path");
    if (!place || (place->one && place->id.empty())) return nullptr;
    std::string allowed;
    for (const auto& route : routes) {
        if (route.resource != place->resource || route.one != place->one) continue;
        if (route.method == method) return &route;
        allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    }
    if (!allowed.empty()) refused = refuse(405, "use " + allowed, {{"Allow", allowed}});
    return nullptr;
}

bool is_json(const http::Request& request) {
    const auto type = request.header("Content-Type");
    return Poco::icompare(Poco::trim(std::string(type.substr(0, type.find(';')))),
                          "application/json") == 0;
}

std::optional<Reply> read_body(const http::Request& request, Json& out) {
    out = Json::object();
    const bool takes = request.method == "POST" || request.method == "PATCH";
    if (!takes)
        return request.body.empty() ? std::nullopt
                                    : std::optional(refuse(400, "this takes no body"));
    if (request.body.size() > largest_body) return refuse(413, "the body is larger than 256 KiB");
    if (!is_json(request))
        return refuse(415, "the body is JSON, with Content-Type: application/json");
    auto read = json::parse_unique(request.body, body_limits);
    if (!read) return refuse(400, "the body is " + read.error().message);
    if (!read->is_object()) return refuse(400, "the body is a JSON object");
    out = std::move(*read);
    return std::nullopt;
}

std::optional<Reply> read_query(const http::Request& request, Json& out) {
    out = Json::object();
    if (request.query.size() > largest_query) return refuse(400, "the query is larger than 8 KiB");
    const auto params = form_decode(request.query);
    if (!params) return refuse(400, "the query is not well-formed");
    for (const auto& [name, value] : *params)
        if (!out.emplace(name, value).second) return refuse(400, "the query has a name twice");
    return std::nullopt;
}

constexpr std::string_view no_act = "api.none";

std::string outcome_of(int status) {
    if (status < 400) return "ok";
    return status == 403 ? "denied" : "error";
}

audit::Record record_of(const http::Request& request, const runtime::Caller& caller) {
    audit::Record out;
    out.at_ms = access::now_ms();
    out.kind = "admin";
    out.org = caller.org;
    out.principal = caller.principal;
    out.principal_kind = caller.principal_kind;
    out.credential = caller.credential;
    out.client = caller.client;
    out.address = request.peer;
    out.trace_id = audit::trace_id_of(request.header("traceparent"));
    out.request_bytes = static_cast<std::int64_t>(request.body.size());
    return out;
}

void send(http::Exchange& exchange, Reply reply) {
    http::Response response;
    response.status = reply.status;
    response.content_type = "application/json";
    response.body = std::move(reply.body);
    response.headers = std::move(reply.headers);
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    exchange.respond(std::move(response));
}

// What is done by one request, from the table's route on.
Reply run(const Route& route, const Ask& ask) {
    if (route.need == Need::administers && !ask.administers()) return refuse_scope();
    // Only lists have parameters.
    if (route.changes() || route.one)
        if (auto none = Members(ask.query, "parameter").check(); !none) return refuse(none.error());
    try {
        return route.run(ask);
    } catch (const std::exception& fault) {
        log::error("admin.fault", {{"reason", fault.what()}});
        return refuse(500, "the request failed");
    }
}

}  // namespace

bool Api::covers(std::string_view path) { return place_of(path).has_value(); }

std::vector<std::string> Api::acts() {
    std::vector<std::string> out{std::string(no_act)};
    for (const auto& route : routes)
        out.emplace_back(route.act);
    return out;
}

struct Api::Told {
    audit::Record record;
    const Reply& reply;
    std::chrono::steady_clock::time_point begun;
};

void Api::tell(Told&& told) const {
    auto& [record, reply, begun] = told;
    const auto took = std::chrono::steady_clock::now() - begun;
    record.outcome = outcome_of(reply.status);
    record.code = reply.status < 400 ? 0 : reply.status;
    record.reason = reply.reason;
    if (!reply.done.is_null()) record.arguments = json::dump(reply.done);
    record.response_bytes = static_cast<std::int64_t>(reply.body.size());
    record.duration_us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    if (options_.measure)
        options_.measure(record.method, record.outcome, static_cast<int>(record.code),
                         std::chrono::duration<double>(took).count());
    sink_.add(std::move(record));
}

void Api::handle(const std::shared_ptr<const http::Request>& request,
                 const std::shared_ptr<http::Exchange>& exchange,
                 const runtime::CallerPtr& caller) {
    const auto begun = std::chrono::steady_clock::now();
    const auto place = place_of(request->path);
    auto record = record_of(*request, *caller);
    Reply reply;
    const auto* route = find_route(place, request->method, reply);
    if (!route) {
        record.method = no_act;
        record.name = request->path.substr(0, longest_subject);
    } else {
        Json query, body;
        auto wrong = read_query(*request, query);
        if (!wrong) wrong = read_body(*request, body);
        const Ask ask{access_, options_, *caller, std::string(place->id), query, body};
        std::unique_lock one_change(changing_, std::defer_lock);
        if (route->changes()) one_change.lock();
        reply = wrong ? std::move(*wrong) : run(*route, ask);
        record.method = route->act;
        record.name = (reply.subject.empty() ? ask.id : reply.subject).substr(0, longest_subject);
    }
    tell({std::move(record), reply, begun});
    send(*exchange, std::move(reply));
}

}  // namespace pb::admin
