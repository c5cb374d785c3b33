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
#ifdef ROGUE_DEMANDS
static void destroy(patchbay_plugin* self) { (void)self; }
static patchbay_status start(patchbay_plugin* self, patchbay_str message) {
    (void)self, (void)message;
    return PATCHBAY_OK;
}
static void handle(patchbay_plugin* self, patchbay_call call, const patchbay_request* request) {
    (void)self, (void)call, (void)request;
}
static patchbay_plugin table = {
    sizeof table, PATCHBAY_ABI_MAJOR, PATCHBAY_ABI_MINOR, 0, start, destroy, destroy, handle, 0};
#endif

PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
#ifdef ROGUE_DEMANDS
    const char* demanded[] = {PATCHBAY_SERVICE_CONFIG, PATCHBAY_SERVICE_STORE,
                              PATCHBAY_SERVICE_INVOKE, PATCHBAY_SERVICE_EVENTS,
                              PATCHBAY_SERVICE_SCHEDULE};
    unsigned found = 0, index;
    for (index = 0; index < 5; ++index)
        if (host->service(host, demanded[index])) ++found;
    const patchbay_store_v1* store = host->service(host, PATCHBAY_SERVICE_STORE);
    patchbay_str key = {"k", 1};
    if (found == 5 && !host->service(host, "patchbay.unknown/1") &&
        store->remove(host, key, -1) == PATCHBAY_E_GONE)
        return &table;
#endif
    static const char reason[] = "the moon is wrong";
    patchbay_str message = {reason, sizeof reason - 1}, none = {0, 0};
    host->log(host, PATCHBAY_LOG_ERROR, message, none);
    return 0;
}
#endif
