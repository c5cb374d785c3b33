// SPDX-License-Identifier: Apache-2.0
#include "app/front.h"

#include <nlohmann/json.hpp>

#include "base/url.h"
#include "base/version.h"
#include "config/read.h"
#include "endpoint/json_reply.h"
#include "json/scan.h"
#include "oauth/fetch.h"

namespace pb::app {
namespace {

// Whoever may come by the public URL as well.
endpoint::Guards guards_of(const config::Listen& listen) {
    auto hosts = listen.allowed_hosts;
    auto origins = listen.allowed_origins;
    if (const auto url = parse_url(listen.public_url, "listen.public_url")) {
        hosts.push_back(url->host);
        origins.push_back(url->origin());
    }
    return {std::move(hosts), std::move(origins)};
}

// People write a slash behind it, or do not.
bool is_endpoint(std::string_view path, std::string_view endpoint) {
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path == endpoint;
}

oauth::ExternalIssuer issuer_of(const config::ExternalIssuer& from) {
    oauth::ExternalIssuer out;
    out.issuer = from.issuer;
    out.jwks_uri = from.jwks_uri;
    out.audiences = from.audiences;
    out.algorithms = from.algorithms;
    out.org = from.org;
    out.org_claim = from.org_claim;
    out.orgs = from.orgs;
    out.scope_claim = from.scope_claim;
    out.scopes = from.scopes;
    out.own_scopes = from.own_scopes;
    out.default_scopes = from.default_scopes;
    out.principal_claim = from.principal_claim;
    out.clock_skew = from.clock_skew;
    return out;
}

admission::Authenticated authenticated(oauth::Issuers::Outcome outcome) {
    if (auto* holder = std::get_if<oauth::Issuers::Holder>(&outcome))
        return admission::Authenticator::external(holder->org, holder->principal, holder->scopes,
                                                  holder->client, holder->expires_ms);
    auto& refused = std::get<oauth::Issuers::Refused>(outcome);
    return admission::Refused{refused.status, refused.error, std::move(refused.description)};
}

void refuse(http::Exchange& exchange, int status, std::string_view why,
            http::HeaderList headers = {}) {
    headers.emplace_back("Cache-Control", "no-store");
    endpoint::json_reply(exchange, status, "{\"error\":" + json::quote(why) + "}",
                         std::move(headers));
}

bool administers(const runtime::Caller& caller) {
    const auto& permits = caller.permits;
    return permits.has(access::Level::admin) && !permits.actions() && !permits.sources() &&
           !permits.objects();
}

Result<std::unique_ptr<outbound::Http>> http_to(const std::vector<std::string>& private_cidrs,
                                                const std::string& ca_file) {
    auto policy = outbound::AddressPolicy::make(private_cidrs);
    if (!policy) return policy.error();
    outbound::Http::Options options;
    options.policy = std::move(*policy);
    options.ca_file = ca_file;
    options.connections = 16;
    return std::make_unique<outbound::Http>(std::move(options));
}

Result<std::string> page_of(audit::Trail& trail, const admin::TrailQuery& query) {
    audit::Filter filter;
    filter.org = query.org;
    filter.from_ms = query.from_ms;
    filter.to_ms = query.to_ms;
    filter.kind = query.kind;
    filter.method = query.method;
    filter.name = query.tool;
    filter.outcome = query.status;
    filter.principal = query.principal;
    filter.client = query.client;
    filter.credential = query.credential;
    filter.capability = query.capability;
    filter.trace_id = query.trace;
    auto page = trail.page(filter, query.cursor, query.limit == 0 ? 100 : query.limit);
    if (!page) return page.error();
    return page->json();
}

}  // namespace

Front::Front(const Parts& parts)
    : parts_(parts),
      guards_(guards_of(parts.host.listen)),
      sink_(parts.trail ? static_cast<audit::Sink&>(*parts.trail) : nowhere_),
      port_(parts.host.listen.port) {}

// What is still asked for is not waited for.
Front::~Front() {
    if (http_) http_->stop();
    if (documents_) documents_->stop();
}

Result<std::unique_ptr<Front>> Front::make(const Parts& parts) {
    std::unique_ptr<Front> out(new Front(parts));
    const auto& host = parts.host;
    auto http = http_to(host.outbound.allow_private_cidrs, host.outbound.ca_file);
    if (!http) return http.error();
    out->http_ = std::move(*http);
    // Anybody has these asked for: never where only capabilities and issuers of the operator may.
    auto documents = http_to(host.access.oauth.allow_private_cidrs, host.outbound.ca_file);
    if (!documents) return documents.error();
    out->documents_ = std::move(*documents);
    if (auto opened = out->open_issuers(); !opened) return opened.error();
    out->open_gate();
    out->open_desk();
    out->endpoint_ = std::make_unique<endpoint::StreamableHttp>(parts.server, *out->gate_);
    out->routes_ = std::make_unique<endpoint::Routes>(parts.catalog, parts.admission, *out->gate_);
    return out;
}

Result<void> Front::open_issuers() {
    const auto& configured = parts_.host.access.issuers;
    if (configured.empty()) return {};
    std::vector<oauth::ExternalIssuer> issuers;
    issuers.reserve(configured.size());
    for (const auto& each : configured)
        issuers.push_back(issuer_of(each));
    const endpoint::Place place{parts_.host.listen.public_url, parts_.host.listen.endpoint};
    oauth::Issuers::Parts parts;
    parts.fetch = [this](outbound::Request request) { return http_->fetch(std::move(request)); };
    parts.is_ours = [this, place](std::string_view audience) {
        return place.is_ours(audience, guards_, port_);
    };
    auto made = oauth::Issuers::make(std::move(issuers), std::move(parts));
    if (!made) return made.error();
    issuers_ = std::move(*made);
    return {};
}

void Front::open_gate() {
    const auto& host = parts_.host;
    const endpoint::Place place{host.listen.public_url, host.listen.endpoint};
    admission::Authenticator::Options options;
    options.anonymous_org = host.anonymous_org;
    // Whatever stands in front of the host makes everybody look like this machine.
    options.anonymous = host.access.anonymous && config::is_private(host.listen);
    options.is_ours = [this, place](std::string_view resource) {
        return place.is_ours(resource, guards_);
    };
    options.takes_url_keys = [&policies = parts_.admission.policies()](std::string_view org) {
        const auto found = policies.of(org);
        return found && found->access.keys_in_urls;
    };
    if (issuers_)
        options.external =
            [this](std::string_view token) -> std::optional<admission::Authenticated> {
            auto outcome = issuers_->check(token);
            if (!outcome) return std::nullopt;
            return authenticated(std::move(*outcome));
        };
    authenticator_ = std::make_unique<admission::Authenticator>(std::move(options), &parts_.access);
    gate_ = std::make_unique<endpoint::Gate>(*authenticator_, guards_, place, parts_.trail);
}

void Front::open_desk() {
    const auto& host = parts_.host;
    const auto is_org = [this](std::string_view org) { return parts_.catalog.of(org) != nullptr; };
    oauth::Options options;
    options.public_url = host.listen.public_url;
    options.endpoint = host.listen.endpoint;
    options.resource_name = host.server.title;
    options.register_clients = host.access.oauth.registration;
    options.sign_in = host.access.oauth.sign_in;
    options.registration = host.access.oauth.register_client;
    options.token = host.access.oauth.token;
    desk_ = std::make_unique<oauth::Server>(
        oauth::Parts{parts_.access, sink_, parts_.secrets, oauth::documents_over(*documents_),
                     parts_.choices, is_org},
        std::move(options));

    admin::Options admin;
    if (parts_.trail)
        admin.trail = [trail = parts_.trail](const admin::TrailQuery& query) {
            return page_of(*trail, query);
        };
    admin.check_org = [](std::string_view name, std::string_view config) -> Result<void> {
        auto org = config::parse_org(std::string(name), std::string(config));
        if (!org) return org.error();
        return {};
    };
    admin.has_file = parts_.has_file;
    admin.measure = [&metrics = parts_.metrics](std::string_view act, std::string_view outcome,
                                                int code, double seconds) {
        metrics.observe(act, {}, outcome, seconds);
        if (code != 0) metrics.error(act, code);
    };
    api_ = std::make_unique<admin::Api>(parts_.access, sink_, std::move(admin));
}

runtime::CallerPtr Front::enter(const http::Request& request, http::Exchange& exchange) const {
    auto entered = gate_->enter(request);
    if (auto* refusal = std::get_if<endpoint::Gate::Refusal>(&entered)) {
        refuse(exchange, refusal->status, refusal->why, std::move(refusal->headers));
        return nullptr;
    }
    auto caller = std::get<runtime::CallerPtr>(std::move(entered));
    if (const auto wait = parts_.admission.charge(*caller)) {
        tell(request, *caller, "limited", 429);
        refuse(exchange, 429, "too many requests",
               {{"Retry-After", std::to_string((wait->count() + 999) / 1000)}});
        return nullptr;
    }
    return caller;
}

void Front::tell(const http::Request& request, const runtime::Caller& caller,
                 std::string_view outcome, int code) const {
    const auto method = "http " + std::string(request.method);
    admission::Ending ending{caller, nullptr, method, request.path};
    ending.outcome = outcome;
    ending.code = code;
    ending.began = std::chrono::steady_clock::now();
    ending.request_bytes = request.body.size();
    ending.address = request.peer;
    parts_.admission.tell(ending);
}

void Front::administer(const RequestPtr& request, const ExchangePtr& exchange) {
    if (auto why = gate_->guards().refuse(*request); !why.empty())
        return refuse(*exchange, 403, why);
    if (const auto caller = enter(*request, *exchange))
        api_->handle(endpoint::without_key(request), exchange, caller);
}

void Front::show_metrics(const RequestPtr& request, const ExchangePtr& exchange) const {
    if (!parts_.host.open_metrics) {
        const auto caller = enter(*request, *exchange);
        if (!caller) return;
        // What all organisations do shows here.
        if (caller->org != parts_.host.anonymous_org) {
            tell(*request, *caller, "denied", 403);
            return refuse(*exchange, 403,
                          "this is for administrators of the organisation that runs the host");
        }
        if (!administers(*caller)) {
            tell(*request, *caller, "denied", 403);
            return refuse(*exchange, 403,
                          "this needs mcp:admin, not narrowed to capabilities, sources or objects",
                          {{"WWW-Authenticate",
                            gate_->challenge(*request, "insufficient_scope", {},
                                             access::together(caller->permits, "mcp:admin"))}});
        }
    }
    http::Response response;
    response.content_type = metrics::Metrics::content_type;
    response.body = parts_.metrics.text();
    response.headers.emplace_back("Cache-Control", "no-store");
    exchange->respond(std::move(response));
}

// What those ask who watch the host; false for anything else.
bool Front::watch(const RequestPtr& request, const ExchangePtr& exchange) const {
    const auto& path = request->path;
    const bool ready = ready_;
    if (path == "/healthz" || path == "/readyz") {
        const bool well = ready || path == "/healthz";
        http::HeaderList headers{{"Cache-Control", "no-store"}};
        if (!well) headers.emplace_back("Retry-After", "1");
        endpoint::json_reply(*exchange, well ? 200 : 503,
                             std::string("{\"status\":\"") + (ready ? "ok" : "stopping") +
                                 "\",\"version\":" + json::quote(build_info().version) + "}",
                             std::move(headers));
        return true;
    }
    if (path != "/metrics") return false;
    if (auto why = gate_->guards().refuse(*request); !why.empty())
        refuse(*exchange, 403, why);
    else
        show_metrics(request, exchange);
    return true;
}

void Front::handle(const RequestPtr& request, const ExchangePtr& exchange) {
    if (watch(request, exchange)) return;
    if (!ready_) return refuse(*exchange, 503, "the host is stopping", {{"Retry-After", "1"}});
    const auto& path = request->path;
    if (is_endpoint(path, parts_.host.listen.endpoint)) return endpoint_->handle(request, exchange);
    if (oauth::Server::covers(path)) {
        const auto& guards = gate_->guards();
        if (auto why = oauth::Server::takes_any_origin(path) ? guards.refuse_host(*request)
                                                             : guards.refuse(*request);
            !why.empty())
            return refuse(*exchange, 403, why);
        return desk_->handle(request, exchange);
    }
    if (admin::Api::covers(path)) return administer(request, exchange);
    if (endpoint::Routes::covers(path)) return routes_->handle(request, exchange);
    refuse(*exchange, 404,
           "not found; the MCP endpoint is " + std::string(parts_.host.listen.endpoint));
}

}  // namespace pb::app
