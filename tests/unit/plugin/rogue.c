/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins whose manifest is fine and which do harm as soon as they are loaded. */
#include <patchbay/plugin.h>
#include <signal.h>
#include <unistd.h>

PATCHBAY_MANIFEST("{\"id\":\"rogue\",\"version\":\"1.0.0\",\"abi\":\"1.0\"}");

#if defined(ROGUE_EXITS)
__attribute__((constructor)) static void misbehave(void) { _exit(0); }
#elif defined(ROGUE_HANGS)
__attribute__((constructor)) static void misbehave(void) {
    for (;;)
        pause();
}
#elif defined(ROGUE_CRASHES)
__attribute__((constructor)) static void misbehave(void) { raise(SIGSEGV); }
#endif

#ifndef ROGUE_NO_ENTRY
PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    static const char reason[] = "the moon is wrong";
    patchbay_str message = {reason, sizeof reason - 1}, none = {0, 0};
    host->log(host, PATCHBAY_LOG_ERROR, message, none);
    return 0;
}
#endif
