// SPDX-License-Identifier: Apache-2.0
// patchbay.schedule/1: timers that end with the instance.
#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

constexpr std::int64_t shortest_period_ns = 1'000'000;

patchbay_status schedule(const patchbay_host* host, int64_t delay_ns, int64_t period_ns,
                         patchbay_timer_fn fn, void* user, uint64_t* id) noexcept {
    return guarded([&]() -> patchbay_status {
        bool rhythm = period_ns == 0 || period_ns >= shortest_period_ns;
        if (delay_ns < 0 || !rhythm || !fn || !id) return PATCHBAY_E_INVALID;
        auto& instance = HostInstance::of(host);
        return as_abi(instance.callbacks().schedule(
            std::chrono::nanoseconds(delay_ns), std::chrono::nanoseconds(period_ns),
            [&instance, fn, user] { instance.contain("timer", [&] { fn(user); }); }, id));
    });
}

patchbay_status cancel(const patchbay_host* host, uint64_t id) noexcept {
    return guarded([&] { return as_abi(HostInstance::of(host).callbacks().cancel(id)); });
}

}  // namespace

const patchbay_schedule_v1& schedule_service() {
    static const patchbay_schedule_v1 table{sizeof(patchbay_schedule_v1), schedule, cancel};
    return table;
}

}  // namespace pb::plugin
