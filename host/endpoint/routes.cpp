// SPDX-License-Identifier: Apache-2.0
#include "endpoint/routes.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "audit/record.h"
#include "base/log.h"
#include "endpoint/json_reply.h"
#include "endpoint/plain_http.h"
#include "json/scan.h"

namespace pb::endpoint {
namespace {

using catalog::Route;
using catalog::Status;

constexpr std::array<std::string_view, 5> methods = {"GET", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::size_t longest_route = 128;  // as manifests may have them
constexpr std::string_view nothing_here = "there is nothing at this path for this credential";
constexpr const char* allowed_methods = "GET, POST, PUT, PATCH, DELETE";

void refuse(http::Exchange& exchange, int status, std::string_view why,
            http::HeaderList headers = {}) {
    headers.emplace_back("Cache-Control", "no-store");
    json_reply(exchange, status, "{\"error\":" + json::quote(why) + "}", std::move(headers));
}

int http_status(Status status) {
    switch (status) {
        case Status::invalid:
            return 400;
        case Status::denied:
            return 403;
        case Status::not_found:
        case Status::unsupported:
            return 404;
        case Status::deadline:
            return 504;
        case Status::busy:
        case Status::again:
        case Status::gone:
        case Status::cancelled:
            return 503;
        default:
            return 500;
    }
}

// What a page of a foreign origin must not do with this machine's credentials: a browser says where
// a request comes from in one of two fields.
bool is_foreign_change(const http::Request& request) {
    return request.method != "GET" && request.header("Sec-Fetch-Site") == "cross-site" &&
           !request.has_header("Origin");
}

access::Level level_of(Route::Access access) {
    return access == Route::Access::read    ? access::Level::read
           : access == Route::Access::write ? access::Level::write
                                            : access::Level::admin;
}

std::string_view outcome_of(int status) {
    return status < 400                     ? "ok"
           : status == 401 || status == 403 ? "denied"
           : status == 429                  ? "limited"
                                            : "error";
}

// What the one who sends it says of the trace that it belongs to.
runtime::ClientViewPtr client_of(const http::Request& request) {
    auto out = std::make_shared<runtime::ClientView>();
    const auto parent = request.header("traceparent");
    if (!audit::trace_id_of(parent).empty())
        out->trace = "{\"traceparent\":" + json::quote(parent) + "}";
    return out;
}

// Whether `path` is at or below `route`; `rest` is what comes after it.
bool below(std::string_view path, std::string_view route, std::string_view& rest) {
    if (!path.starts_with(route)) return false;
    rest = path.substr(route.size());
    return rest.empty() || rest.front() == '/';
}

// The longest route of an organisation that covers the path.
template <class Fits>
const Route* longest(const catalog::Snapshot& snapshot,
                     std::shared_ptr<const catalog::Binding>& owner, const Fits& fits) {
    const Route* best = nullptr;
    for (const auto& binding : snapshot.bindings) {
        for (const auto& route : binding->routes) {
            if (!fits(route) || (best && best->path.size() >= route.path.size())) continue;
            best = &route;
            owner = binding;
        }
    }
    return best;
}

}  // namespace

// One request from when it is known whose it is, with the call that is made of it: whatever it is
// answered with is told.
class Routes::Answer : public runtime::CallObserver {
  public:
    Answer(std::shared_ptr<http::Exchange> exchange, const admission::Admission& admission,
           runtime::CallerPtr caller, const http::Request& request)
        : exchange_(std::move(exchange)),
          admission_(admission),
          caller_(std::move(caller)),
          client_(client_of(request)),
          method_("http " + std::string(request.method)),
          path_(request.path),
          address_(request.peer),
          request_bytes_(request.body.size()) {}

    void is_for(std::shared_ptr<const catalog::Binding> binding) { binding_ = std::move(binding); }
    const runtime::CallerPtr& caller() const { return caller_; }
    const runtime::ClientViewPtr& client() const { return client_; }

    void turn_away(int status, std::string_view why, http::HeaderList headers = {}) const {
        tell(status, 0, why);
        refuse(*exchange_, status, why, std::move(headers));
    }
    void begun(runtime::CallId id) noexcept override {
        id_ = id;
        if (gone_) admission_.calls().cancel(id);
    }
    // The client went away, perhaps before the call began.
    void cancel() {
        gone_ = true;
        admission_.calls().cancel(id_);
    }
    Status notified(std::string_view, std::string_view) noexcept override { return Status::ok; }
    void completed(Status status, std::string_view body) noexcept override {
        try {
            answer(status, body);
        } catch (const std::exception& fault) {
            log::error("routes.fault", {{"reason", fault.what()}});
            refuse(*exchange_, 500, "the request failed");
        }
    }

  private:
    void answer(Status status, std::string_view body) {
        if (status == Status::ok) {
            auto response = to_response(body);
            if (!response) {
                log::warning("routes.bad_answer", {{"reason", response.error().message}});
                return turn_away(502, response.error().message);
            }
            tell(response->status, response->body.size());
            exchange_->respond(std::move(*response));
            return;
        }
        const int code = http_status(status);
        tell(code, 0);
        // What went wrong inside is nobody's business out here.
        auto why = code == 500 ? std::string()
                               : json::string_value(json::member(body, "message")).value_or("");
        if (why.empty()) why = "the request failed";
        http::HeaderList headers;
        if (code == 503) headers.emplace_back("Retry-After", "1");
        refuse(*exchange_, code, why, std::move(headers));
    }

    void tell(int code, std::size_t bytes, std::string_view why = {}) const {
        admission::Ending ending{*caller_, client_.get(), method_, path_};
        ending.binding = binding_.get();
        ending.outcome = outcome_of(code);
        ending.code = code < 400 ? 0 : code;
        ending.reason = why;
        // Nobody had to be anybody for it.
        ending.sampled = code >= 400 && caller_->credential.empty();
        ending.began = began_;
        ending.request_bytes = request_bytes_;
        ending.response_bytes = bytes;
        ending.address = address_;
        admission_.tell(ending);
    }

    const std::shared_ptr<http::Exchange> exchange_;
    const admission::Admission& admission_;
    const runtime::CallerPtr caller_;
    const runtime::ClientViewPtr client_;
    std::shared_ptr<const catalog::Binding> binding_;  // null: it came to none
    const std::string method_, path_, address_;
    const std::size_t request_bytes_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::atomic<runtime::CallId> id_{catalog::no_call};
    std::atomic<bool> gone_{false};
};

bool Routes::covers(std::string_view path) {
    return path.starts_with("/api/") || path.starts_with("/oauth/") || path.starts_with("/hooks/");
}

std::optional<Routes::Found> Routes::find_public(std::string_view path) const {
    // Every place at which the route may end and the organisation begin, the longest route first.
    for (auto slash = path.rfind('/', longest_route); slash != 0 && slash != path.npos;
         slash = path.rfind('/', slash - 1)) {
        const auto after = path.substr(slash + 1);
        const auto org = after.substr(0, after.find('/'));
        Found found;
        found.snapshot = catalog_.of(org);
        if (org.empty() || !found.snapshot) continue;
        found.route = longest(*found.snapshot, found.binding, [&](const Route& route) {
            return route.access == Route::Access::open && route.path == path.substr(0, slash);
        });
        found.rest = after.substr(org.size());
        if (found.route) return found;
    }
    return std::nullopt;
}

std::optional<Routes::Found> Routes::find_own(const std::string& org, std::string_view path) const {
    Found found;
    found.snapshot = catalog_.of(org);
    if (!found.snapshot) return std::nullopt;
    found.route = longest(*found.snapshot, found.binding, [&](const Route& route) {
        std::string_view rest;
        return route.access != Route::Access::open && below(path, route.path, rest);
    });
    if (!found.route) return std::nullopt;
    below(path, found.route->path, found.rest);
    return found;
}

void Routes::handle(const std::shared_ptr<const http::Request>& sent,
                    const std::shared_ptr<http::Exchange>& exchange) {
    const auto request = without_key(sent);
    if (auto why = gate_.guards().refuse(*request); !why.empty())
        return refuse(*exchange, 403, why);
    if (is_foreign_change(*request))
        return refuse(*exchange, 403, "requests from other sites are not allowed");
    if (std::find(methods.begin(), methods.end(), request->method) == methods.end())
        return refuse(*exchange, 405, "use GET, POST, PUT, PATCH or DELETE",
                      {{"Allow", allowed_methods}});
    auto found = find_public(request->path);
    runtime::CallerPtr caller;
    if (found)
        caller = std::make_shared<runtime::Caller>(
            runtime::Caller{found->snapshot->org, "anonymous", "anonymous", {}});
    if (!found || !admission_.may_answer(*caller, *found->binding)) {
        found.reset();
        auto entered = gate_.enter(*sent);
        if (auto* refusal = std::get_if<Gate::Refusal>(&entered))
            return refuse(*exchange, refusal->status, refusal->why, std::move(refusal->headers));
        caller = std::get<runtime::CallerPtr>(std::move(entered));
    }
    const auto answer = std::make_shared<Answer>(exchange, admission_, caller, *request);
    if (const auto wait = admission_.charge(*caller))
        return answer->turn_away(429, "too many requests",
                                 {{"Retry-After", std::to_string((wait->count() + 999) / 1000)}});
    if (!found) {
        found = find_own(caller->org, request->path);
        if (!found) return answer->turn_away(404, nothing_here);
        answer->is_for(found->binding);
        const auto level = level_of(found->route->access);
        if (!admission_.may_use(*caller, *found->binding, level)) {
            const auto scope = admission_.scope_to_use(*caller, *found->binding, level);
            if (scope.empty()) return answer->turn_away(404, nothing_here);
            return answer->turn_away(
                403, "the credential lacks the scope that this path needs",
                {{"WWW-Authenticate", gate_.challenge(*request, "insufficient_scope", {}, scope)}});
        }
    }
    answer->is_for(found->binding);
    call(*found, *request, exchange, answer);
}

void Routes::call(const Found& found, const http::Request& request,
                  const std::shared_ptr<http::Exchange>& exchange,
                  const std::shared_ptr<Answer>& answer) {
    const auto params = to_params(request, found.route->path, found.rest);
    if (!params) {
        const bool large = params.error().kind == ErrorKind::busy;
        return answer->turn_away(large ? 413 : 400, params.error().message);
    }
    runtime::CallSpec spec;
    spec.provider = found.binding->provider;
    spec.method = "patchbay/http/request";
    spec.params = *params;
    spec.caller = answer->caller();
    spec.client = answer->client();
    spec.observer = answer;
    // Before it begins: a provider that answers on this thread may last.
    exchange->on_disconnect([waiting = std::weak_ptr(answer)] {
        if (const auto call = waiting.lock()) call->cancel();
    });
    admission_.calls().start(spec);
}

}  // namespace pb::endpoint
