/* SPDX-License-Identifier: Apache-2.0
 *
 * The least that is a plugin, without a library: to be built for other machines and systems. */
#include <patchbay/plugin.h>

PATCHBAY_MANIFEST("{\"id\":\"least\",\"version\":\"1.0.0\",\"abi\":\"1.0\"}");

PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    (void)host;
    return 0;
}
