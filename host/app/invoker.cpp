// SPDX-License-Identifier: Apache-2.0
#include "app/invoker.h"

#include <algorithm>
#include <array>

#include "admission/authenticate.h"
#include "base/log.h"
#include "json/scan.h"

namespace pb::app {
namespace {

using catalog::Status;
using Done = std::function<void(Status, std::string_view)>;

class Forward : public runtime::CallObserver {
  public:
    explicit Forward(Done done) : done_(std::move(done)) {}
    void completed(Status status, std::string_view body) noexcept override { done_(status, body); }
    Status notified(std::string_view, std::string_view) noexcept override { return Status::ok; }

  private:
    Done done_;
};

template <class Entries>
std::string listed(std::string_view name, const Entries& entries,
                   const std::vector<std::string>& left_out) {
    std::string out = "{\"" + std::string(name) + "\":[";
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (i) out += ',';
        out += entries[i].definition;
    }
    out += ']';
    for (std::size_t i = 0; i < left_out.size(); ++i)
        out += (i ? "," : ",\"_meta\":{\"patchbay/left_out\":[") + json::quote(left_out[i]);
    return out + (left_out.empty() ? "}" : "]}}");
}

bool is_list(std::string_view method) {
    constexpr std::array<std::string_view, 4> lists = {"tools/list", "resources/list",
                                                       "resources/templates/list", "prompts/list"};
    return std::find(lists.begin(), lists.end(), method) != lists.end();
}

std::string list(const Scopes::View& view, std::string_view method) {
    const auto& [snapshot, left_out] = view;
    if (method == "tools/list") return listed("tools", snapshot->tools, left_out);
    if (method == "resources/list") return listed("resources", snapshot->resources, left_out);
    if (method == "resources/templates/list")
        return listed("resourceTemplates", snapshot->templates, left_out);
    return listed("prompts", snapshot->prompts, left_out);
}

// The name or URI that is asked for; empty if there is none.
std::string name_of(const catalog::Invocation& what) {
    const bool read = what.method == "resources/read";
    return json::string_value(json::member(what.params, read ? "uri" : "name")).value_or("");
}

bool is_invocation(const catalog::Invocation& what) {
    if (is_list(what.method)) return true;
    const bool one = what.method == "tools/call" || what.method == "prompts/get" ||
                     what.method == "resources/read";
    return one && !name_of(what).empty();
}

std::string message_body(std::string_view text) {
    return "{\"message\":" + json::quote(text) + "}";
}

// What is not there may be what could not be reached.
std::string not_found_body(const Error& error, const std::vector<std::string>& left_out) {
    std::string why;
    for (const auto& each : left_out)
        why += (why.empty() ? " (" : "; ") + each;
    return message_body(error.message + why + (why.empty() ? "" : ")"));
}

// How calls end whose scope cannot be opened: only what may be otherwise later is "busy".
Status status_of(const Error& error) {
    if (error.kind == ErrorKind::invalid) return Status::invalid;
    return error.kind == ErrorKind::unsupported ? Status::unsupported : Status::busy;
}

}  // namespace

catalog::Status Invoker::invoke(const catalog::Invocation& what, Done done) noexcept {
    try {
        if (!json::scan(what.params).ok() || json::type_of(what.params) != json::Type::object)
            return Status::invalid;
        Authority authority;
        if (auto may = authority_of(what, authority); may != Status::ok) return may;
        if (!what.scope.empty()) return invoke_in_scope(what, authority, std::move(done));
        return invoke_in({admission_.whole(*authority.caller), {}}, what, authority,
                         std::move(done));
    } catch (const std::exception& fault) {
        log::error("invoke.fault", {{"reason", fault.what()}});
        return Status::internal;
    }
}

Status Invoker::authority_of(const catalog::Invocation& what, Authority& out) const {
    auto client = std::make_shared<runtime::ClientView>();
    if (what.parent == catalog::no_call) {
        out.caller = admission::Authenticator::service(what.self.org, what.self.capability);
    } else {
        auto origin = admission_.calls().origin(what.parent);
        if (!origin.caller) return Status::gone;
        if (origin.depth >= admission_.calls().options().max_depth) return Status::busy;
        out.caller = std::move(origin.caller);
        *client = *origin.client;
        client->progress = false;  // progress of a nested call belongs to nobody's token
        client->log_level.clear();
    }
    out.client = std::move(client);
    return Status::ok;
}

// Where the scope has to be opened first, which takes its time, the rest is another thread's.
Status Invoker::invoke_in_scope(const catalog::Invocation& what, const Authority& authority,
                                Done done) {
    if (!scopes_) return Status::unsupported;
    if (!is_invocation(what)) return Status::invalid;
    const auto servers = Scopes::merged(what.scope);
    if (!servers) {
        done(Status::invalid, message_body(servers.error().message));
        return Status::ok;
    }
    const auto& caller = *authority.caller;
    if (servers->empty())
        return invoke_in({admission_.whole(caller), {}}, what, authority, std::move(done));
    if (const auto view = scopes_->at_hand(caller.org, *servers))
        return invoke_in(*view, what, authority, std::move(done));
    auto then = [this, self = what.self, parent = what.parent, method = std::string(what.method),
                 params = std::string(what.params), timeout = what.timeout_ns, org = caller.org,
                 done = std::move(done)](const Result<Scopes::ViewPtr>& view) {
        if (!view) {
            const auto& error = view.error();
            log::warning("scope.not_opened", {{"org", org}, {"reason", error.message}});
            return done(status_of(error),
                        message_body("the scope's servers cannot be opened: " + error.message));
        }
        const catalog::Invocation later{.self = self,
                                        .parent = parent,
                                        .method = method,
                                        .params = params,
                                        .timeout_ns = timeout};
        // Anew: the calling call may have ended meanwhile.
        Authority now;
        auto begun = authority_of(later, now);
        if (begun == Status::ok) begun = invoke_in(**view, later, now, done);
        if (begun != Status::ok) done(begun, message_body("the calling call has ended"));
    };
    scopes_->when_open(caller.org, *servers, std::move(then));
    return Status::ok;
}

Status Invoker::invoke_in(const Scopes::View& view, const catalog::Invocation& what,
                          const Authority& authority, Done done) const {
    if (!is_invocation(what)) return Status::invalid;
    const auto& caller = *authority.caller;
    if (is_list(what.method)) {
        settle(what, authority, done, [&]() -> Answer {
            return {Status::ok, list({admission_.visible_in(view.snapshot, caller), view.left_out},
                                     what.method)};
        });
        return Status::ok;
    }
    auto target = admission_.find_in(view.snapshot, caller, what.method, name_of(what));
    if (!target) {
        settle(what, authority, done, [&]() -> Answer {
            return {Status::not_found, not_found_body(target.error(), view.left_out)};
        });
        return Status::ok;
    }
    admission::Admitted admitted;
    admitted.method = what.method;
    admitted.params = what.params;
    admitted.caller = authority.caller;
    admitted.client = authority.client;
    admitted.parent = what.parent;
    admitted.nested = true;
    admitted.timeout = std::chrono::nanoseconds(std::max<std::int64_t>(0, what.timeout_ns));
    admission_.call(*target, admitted, std::make_shared<Forward>(std::move(done)));
    return Status::ok;
}

// What no provider answers is counted and recorded here, as a client's would be.
void Invoker::settle(const catalog::Invocation& what, const Authority& authority, const Done& done,
                     const std::function<Answer()>& make) const {
    constexpr int invalid_params = -32602;
    const auto name = name_of(what);
    admission::Ending ending{*authority.caller, authority.client.get(), what.method, name};
    ending.began = std::chrono::steady_clock::now();
    ending.request_bytes = what.params.size();
    const auto wait = admission_.charge_nested(*authority.caller);
    const auto [status, body] =
        wait ? Answer{Status::busy, admission::limited_body(*wait)} : make();
    const auto reason = status == Status::ok
                            ? std::string()
                            : json::string_value(json::member(body, "message")).value_or("");
    if (status != Status::ok) {
        ending.outcome = wait ? "limited" : "error";
        ending.code = wait ? admission::rate_limited : invalid_params;
        ending.reason = reason;
    }
    ending.response_bytes = body.size();
    admission_.tell(ending);
    done(status, body);
}

}  // namespace pb::app
