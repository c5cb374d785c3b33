// SPDX-License-Identifier: Apache-2.0
// patchbay.store/1: the key-value store, confined to the instance's organisation and capability.
#include "base/log.h"
#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

// A plugin sees only a status; what is the host's own fault must be seen by its owner.
patchbay_status failure(const HostInstance& instance, const Error& error) {
    if (error.kind == ErrorKind::internal)
        log::error("store.failed", {{"plugin", instance.label()}, {"reason", error.message}});
    return as_abi(error);
}

patchbay_status get(const patchbay_host* host, patchbay_str key, patchbay_sink sink, void* user,
                    int64_t* version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(key) || !sink) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto value = instance.wiring().store.get(instance.owner(), as_view(key));
        if (!value) return failure(instance, value.error());
        if (version) *version = value->version;
        sink(user, key, as_str(value->value));
        return PATCHBAY_OK;
    });
}

patchbay_status put(const patchbay_host* host, patchbay_str key, patchbay_str value,
                    int64_t if_version, int64_t* version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(key) || !is_view(value)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto written =
            instance.wiring().store.put(instance.owner(), as_view(key), as_view(value), if_version);
        if (!written) return failure(instance, written.error());
        if (version) *version = *written;
        return PATCHBAY_OK;
    });
}

patchbay_status remove(const patchbay_host* host, patchbay_str key, int64_t if_version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(key)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto removed = instance.wiring().store.remove(instance.owner(), as_view(key), if_version);
        if (!removed) return failure(instance, removed.error());
        return PATCHBAY_OK;
    });
}

patchbay_status list(const patchbay_host* host, patchbay_str prefix, patchbay_str after,
                     uint32_t limit, patchbay_sink sink, void* user) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(prefix) || !is_view(after) || !sink) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto listed =
            instance.wiring().store.list(instance.owner(), as_view(prefix), as_view(after), limit,
                                         [&](std::string_view key, std::string_view value) {
                                             sink(user, as_str(key), as_str(value));
                                         });
        if (!listed) return failure(instance, listed.error());
        return PATCHBAY_OK;
    });
}

}  // namespace

const patchbay_store_v1& store_service() {
    static const patchbay_store_v1 table{sizeof(patchbay_store_v1), get, put, remove, list};
    return table;
}

}  // namespace pb::plugin
