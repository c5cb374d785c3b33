// SPDX-License-Identifier: Apache-2.0
// patchbay.events/1: events between the capabilities of the instance's organisation.
#include "json/scan.h"
#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

patchbay_status publish(const patchbay_host* host, patchbay_str topic, patchbay_str data) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(topic) || !is_view(data)) return PATCHBAY_E_INVALID;
        if (!json::scan(as_view(data), {.size = EventBus::max_data}).ok())
            return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        return as_abi(
            instance.wiring().events.publish(instance.spec().org, as_view(topic), as_view(data)));
    });
}

patchbay_status subscribe(const patchbay_host* host, patchbay_str prefix, patchbay_event_fn fn,
                          void* user, uint64_t* id) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(prefix) || prefix.size > EventBus::max_topic || !fn || !id)
            return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        auto receiver = [&instance, fn, user](std::string_view topic, std::string_view data) {
            instance.contain("event", [&] { fn(user, as_str(topic), as_str(data)); });
        };
        return as_abi(
            instance.callbacks().subscribe(instance.spec().org, as_view(prefix), receiver, id));
    });
}

patchbay_status unsubscribe(const patchbay_host* host, uint64_t id) noexcept {
    return guarded([&] { return as_abi(HostInstance::of(host).callbacks().unsubscribe(id)); });
}

}  // namespace

const patchbay_events_v1& events_service() {
    static const patchbay_events_v1 table{sizeof(patchbay_events_v1), publish, subscribe,
                                          unsubscribe};
    return table;
}

}  // namespace pb::plugin
