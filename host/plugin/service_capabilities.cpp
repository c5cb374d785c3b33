// SPDX-License-Identifier: Apache-2.0
// patchbay.capabilities/1: capabilities that an instance makes at run time.
#include "base/log.h"
#include "plugin/host_instance.h"
#include "plugin/plugin_log.h"
#include "plugin/services.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

patchbay_status offer(const patchbay_host* host, patchbay_str spec, patchbay_sink reason,
                      void* user) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(spec)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto parsed = parse_offer(as_view(spec));
        const std::string name = parsed ? parsed->name : "";
        auto taken =
            parsed ? instance.offers().offer(std::move(*parsed)) : Result<void>(parsed.error());
        if (taken) return PATCHBAY_OK;
        const auto& why = taken.error();
        log::warning("capability.refused", {{"org", instance.spec().org},
                                            {"plugin", instance.label()},
                                            {"reason", printable(why.message)}});
        if (reason) reason(user, as_str(name), as_str(why.message));
        return as_abi(why);
    });
}

patchbay_status withdraw(const patchbay_host* host, patchbay_str name) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(name)) return PATCHBAY_E_INVALID;
        return as_abi(HostInstance::of(host).offers().withdraw(as_view(name)));
    });
}

patchbay_status notify(const patchbay_host* host, patchbay_str name, patchbay_str method,
                       patchbay_str params) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(name) || !is_view(method) || !is_view(params)) return PATCHBAY_E_INVALID;
        const std::string_view with = params.size == 0 ? "{}" : as_view(params);
        return as_abi(HostInstance::of(host).offers().notify(as_view(name), as_view(method), with));
    });
}

}  // namespace

const patchbay_capabilities_v1& capabilities_service() {
    static const patchbay_capabilities_v1 table{sizeof(patchbay_capabilities_v1), offer, withdraw,
                                                notify};
    return table;
}

}  // namespace pb::plugin
