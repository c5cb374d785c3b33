// SPDX-License-Identifier: Apache-2.0
// Finding a service by its id.
#include "plugin/services.h"

#include <string_view>

namespace pb::plugin {

const void* find_service(const char* id) {
    if (!id) return nullptr;
    const struct {
        std::string_view id;
        const void* table;
    } all[] = {
        {PATCHBAY_SERVICE_CONFIG, &config_service()},
        {PATCHBAY_SERVICE_STORE, &store_service()},
        {PATCHBAY_SERVICE_INVOKE, &invoke_service()},
        {PATCHBAY_SERVICE_EVENTS, &events_service()},
        {PATCHBAY_SERVICE_SCHEDULE, &schedule_service()},
        {PATCHBAY_SERVICE_CAPABILITIES, &capabilities_service()},
        {PATCHBAY_SERVICE_SECRETS, &secrets_service()},
    };
    for (const auto& each : all)
        if (each.id == id) return each.table;
    return nullptr;
}

}  // namespace pb::plugin
