// SPDX-License-Identifier: Apache-2.0
#include "admission/admission.h"

#include "admission/links.h"

namespace pb::admission {

std::string limited_body(std::chrono::milliseconds wait) {
    const auto seconds = std::to_string((wait.count() + 999) / 1000);
    return "{\"code\":" + std::to_string(rate_limited) +
           ",\"message\":\"too many requests; try again in " + seconds +
           " s\",\"data\":{\"retry_after_seconds\":" + seconds + "}}";
}

Limiter::Wait Admission::charge(const runtime::Caller& caller) const {
    return limiter_.request(caller, policies_.of(caller.org));
}

Limiter::Wait Admission::charge_nested(const runtime::Caller& caller) const {
    return limiter_.nested(caller, policies_.of(caller.org));
}

// A client that comes again with answers counts again: nothing keeps it from sending them twice.
Limiter::Wait Admission::limit(const Target& target, const Admitted& admitted) const {
    if (admitted.counted) return std::nullopt;
    const auto org = policies_.of(admitted.caller->org);
    if (admitted.nested)
        if (auto wait = limiter_.nested(*admitted.caller, org)) return wait;
    return target.tool ? limiter_.tool(org, target.exposed) : std::nullopt;
}

bool Admission::may_use(const runtime::Caller& caller, const catalog::Binding& binding,
                        access::Level level) const {
    // Administration over HTTP is of everything: who is narrowed to a part has none.
    if (level == access::Level::admin && caller.permits.is_narrowed()) return false;
    return Views::permits(caller, policies_.of(caller.org), binding, level);
}

bool Admission::may_answer(const runtime::Caller& nobody, const catalog::Binding& binding) const {
    return !Views::forbids_all(nobody, policies_.of(nobody.org), binding);
}

std::string Admission::scope_to_use(const runtime::Caller& caller, const catalog::Binding& binding,
                                    access::Level level) const {
    const auto org = policies_.of(caller.org);
    if (!org || !org->access.challenges) return {};
    auto scopes = Views::scopes_for(caller, org, binding, level);
    if (level != access::Level::admin || scopes.empty()) return scopes;
    // What is narrowed would not do; what else the credential may do it goes on to.
    std::string whole;
    for (const auto each : access::levels) {
        if (each != level && !caller.permits.has(each)) continue;
        whole.append(whole.empty() ? "" : " ").append(access::scope_of(each));
    }
    return whole;
}

catalog::CallId Admission::call(const Target& target, const Admitted& admitted,
                                std::shared_ptr<runtime::CallObserver> observer) const {
    const auto told = recorder_.watch(target, admitted, std::move(observer));
    if (const auto wait = limit(target, admitted)) {
        told->completed(runtime::Status::busy, limited_body(*wait));
        return catalog::no_call;
    }
    if (target.tool && !admitted.resumed) {
        if (auto failure = check_arguments(*target.tool, admitted.params); !failure.empty()) {
            told->completed(runtime::Status::ok, failure);
            return catalog::no_call;
        }
    }
    const auto params = localize(admitted.method, admitted.params, target.local_name);
    runtime::CallSpec spec;
    spec.provider = target.binding->provider;
    spec.method = admitted.method;
    spec.params = params;
    spec.caller = admitted.caller;
    spec.client = admitted.client;
    spec.timeout = admitted.timeout.count() > 0 ? admitted.timeout : target.binding->call_time;
    spec.parent = admitted.parent;
    spec.observer = watch_result(target, admitted.method, told);
    return calls_.start(spec);
}

}  // namespace pb::admission
