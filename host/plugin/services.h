// SPDX-License-Identifier: Apache-2.0
// The host services: function tables that plugins ask for by id. One file implements each (the
// store's file the secrets too).
#pragma once

#include "patchbay/plugin.h"

namespace pb::plugin {

const patchbay_config_v1& config_service();
const patchbay_store_v1& store_service();
const patchbay_invoke_v1& invoke_service();
const patchbay_events_v1& events_service();
const patchbay_schedule_v1& schedule_service();
const patchbay_capabilities_v1& capabilities_service();
const patchbay_secrets_v1& secrets_service();

// The table with the id, or null.
const void* find_service(const char* id);

}  // namespace pb::plugin
