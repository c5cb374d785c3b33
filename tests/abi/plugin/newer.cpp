// SPDX-License-Identifier: Apache-2.0
// A plugin built with the header of a later minor version (the build derives it): its table has a
// member that this host does not know, and it knows host functions and services that this host does
// not have.
#include <patchbay/plugin.hpp>

static_assert(PATCHBAY_ABI_MINOR == 2, "to be built with the later header");
static_assert(sizeof(patchbay_plugin) > offsetof(patchbay_plugin, configure) + sizeof(void*));

PATCHBAY_PLUGIN_MANIFEST(
    "{\"id\":\"newer\",\"version\":\"1.0.0\",\"abi\":\"1.2\","
    "\"later\":{\"member\":[1,2]}}",
    plugin) {
    plugin.tool("look").handle([host = plugin.host()] {
        return patchbay::structured(
            {{"minor", host->abi_minor},
             {"knows_later", PATCHBAY_HAS(host, patchbay_host, later)},
             {"has_store", host->service(host, PATCHBAY_SERVICE_STORE) != nullptr},
             {"has_dreams", host->service(host, "patchbay.dreams/1") != nullptr},
             {"has_next_store", host->service(host, "patchbay.store/2") != nullptr}});
    });
}
