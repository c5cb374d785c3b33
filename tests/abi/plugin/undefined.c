/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that was linked carelessly: a function that it calls is nowhere. */
#include <patchbay/plugin.h>

PATCHBAY_MANIFEST("{\"id\":\"undefined\",\"version\":\"1.0.0\",\"abi\":\"1.0\"}");

extern patchbay_plugin* nowhere_to_be_found(const patchbay_host* host);

PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    return nowhere_to_be_found(host);
}
