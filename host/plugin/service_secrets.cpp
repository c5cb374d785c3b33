// SPDX-License-Identifier: Apache-2.0
// patchbay.secrets/1: values encrypted at rest, confined to the instance's organisation and
// capability.
#include "base/log.h"
#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"
#include "store/secrets.h"

namespace pb::plugin {
namespace {

// A plugin sees only a status; what is the host's own fault must be seen by its owner.
patchbay_status failure(const HostInstance& instance, const Error& error) {
    if (error.kind == ErrorKind::internal)
        log::error("secrets.failed", {{"plugin", instance.label()}, {"reason", error.message}});
    return as_abi(error);
}

patchbay_status get(const patchbay_host* host, patchbay_str name, patchbay_sink sink, void* user,
                    int64_t* version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(name) || !sink) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto value = instance.wiring().secrets.get(instance.owner(), as_view(name));
        if (!value) return failure(instance, value.error());
        if (version) *version = value->version;
        sink(user, name, as_str(value->value));
        return PATCHBAY_OK;
    });
}

patchbay_status put(const patchbay_host* host, patchbay_str name, patchbay_str value,
                    int64_t if_version, int64_t* version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(name) || !is_view(value)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto written = instance.wiring().secrets.put(instance.owner(), as_view(name),
                                                     as_view(value), if_version);
        if (!written) return failure(instance, written.error());
        if (version) *version = *written;
        return PATCHBAY_OK;
    });
}

patchbay_status remove(const patchbay_host* host, patchbay_str name, int64_t if_version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(name)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto removed =
            instance.wiring().secrets.remove(instance.owner(), as_view(name), if_version);
        if (!removed) return failure(instance, removed.error());
        return PATCHBAY_OK;
    });
}

patchbay_status list(const patchbay_host* host, patchbay_str prefix, patchbay_str after,
                     uint32_t limit, patchbay_sink sink, void* user) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(prefix) || !is_view(after) || !sink) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto listed = instance.wiring().secrets.list(
            instance.owner(), as_view(prefix), as_view(after), limit, [&](std::string_view name) {
                sink(user, as_str(name), {nullptr, 0});
            });
        if (!listed) return failure(instance, listed.error());
        return PATCHBAY_OK;
    });
}

}  // namespace

const patchbay_secrets_v1& secrets_service() {
    static const patchbay_secrets_v1 table{sizeof(patchbay_secrets_v1), get, put, remove, list};
    return table;
}

}  // namespace pb::plugin
