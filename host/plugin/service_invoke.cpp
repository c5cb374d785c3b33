// SPDX-License-Identifier: Apache-2.0
// patchbay.invoke/1: calls of what the organisation's catalog exposes.
#include <algorithm>
#include <array>

#include "json/scan.h"
#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

constexpr std::array<std::string_view, 6> methods = {
    "tools/call", "tools/list", "resources/read", "resources/list", "prompts/get", "prompts/list"};

bool is_request(std::string_view method, std::string_view params) {
    return std::find(methods.begin(), methods.end(), method) != methods.end() &&
           json::scan(params).ok() && json::type_of(params) == json::Type::object;
}

patchbay_status invoke_in(const patchbay_host* host, patchbay_call parent, patchbay_str scope,
                          patchbay_str method, patchbay_str params, int64_t timeout_ns,
                          patchbay_invoke_done done, void* user) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(scope) || !is_view(method) || !is_view(params) || !done || timeout_ns < 0)
            return PATCHBAY_E_INVALID;
        std::string_view what = as_view(method);
        std::string_view with = params.size == 0 ? "{}" : as_view(params);
        if (!is_request(what, with)) return PATCHBAY_E_INVALID;
        const LentThread lent;
        auto& instance = HostInstance::of(host);
        if (parent != PATCHBAY_NO_CALL && !instance.owns(parent)) return PATCHBAY_E_GONE;
        auto pending = instance.callbacks().invokes();
        bool closed = false;
        auto id = pending->add(done, user, &closed);
        if (!id) return closed ? PATCHBAY_E_GONE : PATCHBAY_E_BUSY;
        // The end may come after the instance's: then it finds nothing to call any more.
        auto end = [pending, id = *id](catalog::Status status, std::string_view body) {
            pending->finish(id, status, body);
        };
        auto begun = instance.wiring().invoker.invoke(
            {.self = {instance.spec().org, instance.spec().capability},
             .parent = parent,
             .method = what,
             .params = with,
             .timeout_ns = timeout_ns,
             .scope = as_view(scope)},
            std::move(end));
        if (begun == catalog::Status::ok) return PATCHBAY_OK;
        // A stop in between has ended it already, and then it counts as begun.
        return pending->withdraw(*id) ? as_abi(begun) : PATCHBAY_OK;
    });
}

patchbay_status invoke(const patchbay_host* host, patchbay_call parent, patchbay_str method,
                       patchbay_str params, int64_t timeout_ns, patchbay_invoke_done done,
                       void* user) noexcept {
    return invoke_in(host, parent, {nullptr, 0}, method, params, timeout_ns, done, user);
}

}  // namespace

const patchbay_invoke_v1& invoke_service() {
    static const patchbay_invoke_v1 table{sizeof(patchbay_invoke_v1), invoke, invoke_in};
    return table;
}

}  // namespace pb::plugin
