// SPDX-License-Identifier: Apache-2.0
// What a plugin may call: thin, checked, and never throwing.
#include "plugin/host_table.h"

#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

using catalog::Status;

const void* service(const patchbay_host*, const char* id) noexcept { return find_service(id); }

void write_log(const patchbay_host* host, int32_t level, patchbay_str message,
               patchbay_str fields) noexcept {
    guarded([&] {
        if (is_view(message) && is_view(fields))
            HostInstance::of(host).log(level, as_view(message), as_view(fields));
        return PATCHBAY_OK;
    });
}

patchbay_status complete(const patchbay_host* host, patchbay_call call, patchbay_status status,
                         patchbay_str body) noexcept {
    if (call == PATCHBAY_NO_CALL) return PATCHBAY_E_INVALID;
    const LentThread lent;
    auto& instance = HostInstance::of(host);
    if (!instance.owns(call)) return PATCHBAY_E_GONE;
    auto& sink = instance.wiring().calls;
    bool known = status >= PATCHBAY_E_INTERNAL && status <= PATCHBAY_INPUT_REQUIRED;
    if (!known || !is_view(body)) {
        // The call must not stay open because its answer was wrong.
        sink.complete(call, Status::internal,
                      R"({"message":"the plugin completed the call with an invalid answer"})");
        return PATCHBAY_E_INVALID;
    }
    return as_abi(sink.complete(call, static_cast<Status>(status), as_view(body)));
}

patchbay_status notify(const patchbay_host* host, patchbay_call call, patchbay_str method,
                       patchbay_str params) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(method) || !is_view(params)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        std::string_view what = as_view(method);
        std::string_view with = params.size == 0 ? "{}" : as_view(params);
        if (call == PATCHBAY_NO_CALL) return as_abi(instance.announce(what, with));
        if (!instance.owns(call)) return PATCHBAY_E_GONE;
        return as_abi(instance.wiring().calls.notify(call, what, with));
    });
}

patchbay_status wait(const patchbay_host* host, patchbay_call call, int64_t timeout_ns) noexcept {
    return guarded([&]() -> patchbay_status {
        if (timeout_ns < 0) timeout_ns = 0;
        auto& instance = HostInstance::of(host);
        if (call == PATCHBAY_NO_CALL)
            return as_abi(instance.sleep(std::chrono::nanoseconds(timeout_ns)));
        if (!instance.owns(call)) return PATCHBAY_E_GONE;
        return as_abi(instance.wiring().calls.wait(call, timeout_ns));
    });
}

}  // namespace

patchbay_host host_table(HostInstance& instance) {
    return {sizeof(patchbay_host),
            PATCHBAY_ABI_MAJOR,
            PATCHBAY_ABI_MINOR,
            &instance,
            service,
            write_log,
            complete,
            notify,
            wait};
}

}  // namespace pb::plugin
