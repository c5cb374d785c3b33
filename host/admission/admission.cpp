// SPDX-License-Identifier: Apache-2.0
#include "admission/admission.h"

#include "admission/links.h"

namespace pb::admission {

catalog::CallId Admission::call(const Target& target, const Admitted& admitted,
                                std::shared_ptr<runtime::CallObserver> observer) const {
    if (target.tool && !admitted.resumed) {
        if (auto failure = check_arguments(*target.tool, admitted.params); !failure.empty()) {
            observer->completed(runtime::Status::ok, failure);
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
    spec.observer = watch_result(target, admitted.method, std::move(observer));
    return calls_.start(spec);
}

}  // namespace pb::admission
