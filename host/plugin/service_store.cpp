// SPDX-License-Identifier: Apache-2.0
// patchbay.store/1 and patchbay.secrets/1: values under keys, confined to the instance's
// organisation and capability; plain, or encrypted at rest.
#include "base/log.h"
#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"
#include "store/secrets.h"

namespace pb::plugin {
namespace {

struct Plain {
    static constexpr std::string_view failed = "store.failed";
    static store::Store& of(const HostInstance& instance) { return instance.wiring().store; }
};

struct Secret {
    static constexpr std::string_view failed = "secrets.failed";
    static store::Secrets& of(const HostInstance& instance) { return instance.wiring().secrets; }
};

// A plugin sees only a status; what is the host's own fault must be seen by its owner.
template <class Kind>
patchbay_status failure(const HostInstance& instance, const Error& error) {
    if (error.kind == ErrorKind::internal)
        log::error(Kind::failed, {{"plugin", instance.label()}, {"reason", error.message}});
    return as_abi(error);
}

template <class Kind>
patchbay_status get(const patchbay_host* host, patchbay_str key, patchbay_sink sink, void* user,
                    int64_t* version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(key) || !sink) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto value = Kind::of(instance).get(instance.owner(), as_view(key));
        if (!value) return failure<Kind>(instance, value.error());
        if (version) *version = value->version;
        sink(user, key, as_str(value->value));
        return PATCHBAY_OK;
    });
}

template <class Kind>
patchbay_status put(const patchbay_host* host, patchbay_str key, patchbay_str value,
                    int64_t if_version, int64_t* version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(key) || !is_view(value)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto written =
            Kind::of(instance).put(instance.owner(), as_view(key), as_view(value), if_version);
        if (!written) return failure<Kind>(instance, written.error());
        if (version) *version = *written;
        return PATCHBAY_OK;
    });
}

template <class Kind>
patchbay_status remove(const patchbay_host* host, patchbay_str key, int64_t if_version) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(key)) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto removed = Kind::of(instance).remove(instance.owner(), as_view(key), if_version);
        if (!removed) return failure<Kind>(instance, removed.error());
        return PATCHBAY_OK;
    });
}

template <class Kind>
patchbay_status list(const patchbay_host* host, patchbay_str prefix, patchbay_str after,
                     uint32_t limit, patchbay_sink sink, void* user) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(prefix) || !is_view(after) || !sink) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        // Of secrets the names alone are listed.
        const auto each = [&](std::string_view key, std::string_view value = {}) {
            sink(user, as_str(key), as_str(value));
        };
        auto listed =
            Kind::of(instance).list(instance.owner(), as_view(prefix), as_view(after), limit, each);
        if (!listed) return failure<Kind>(instance, listed.error());
        return PATCHBAY_OK;
    });
}

// Other capabilities have those of the organisation's secrets that its file gives them.
patchbay_status get_own(const patchbay_host* host, patchbay_str name, patchbay_sink sink,
                        void* user) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(name) || !sink || !store::is_secret_name(as_view(name)))
            return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        if (!instance.takes_servers()) return PATCHBAY_E_DENIED;
        auto value =
            Secret::of(instance).get(store::own_secrets(instance.spec().org), as_view(name));
        if (!value) return failure<Secret>(instance, value.error());
        sink(user, name, as_str(value->value));
        return PATCHBAY_OK;
    });
}

}  // namespace

const patchbay_store_v1& store_service() {
    static const patchbay_store_v1 table{sizeof table, get<Plain>, put<Plain>, remove<Plain>,
                                         list<Plain>};
    return table;
}

const patchbay_secrets_v1& secrets_service() {
    static const patchbay_secrets_v1 table{sizeof table,   get<Secret>,  put<Secret>,
                                           remove<Secret>, list<Secret>, get_own};
    return table;
}

}  // namespace pb::plugin
