/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that works: it answers every method with its version. Variants by definitions. */
#include <patchbay/plugin.h>
#include <stdlib.h>
#include <string.h>

#ifndef PLUGIN_ID
#define PLUGIN_ID "plain"
#endif
#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION "1.0.0"
#endif
#ifndef PLUGIN_ABI
#define PLUGIN_ABI "1.0"
#endif
#ifndef PLUGIN_TABLE_MAJOR
#define PLUGIN_TABLE_MAJOR PATCHBAY_ABI_MAJOR
#endif
#ifdef PLUGIN_ISOLATED
#define PLUGIN_MORE ",\"isolation\":\"process\""
#else
#define PLUGIN_MORE ""
#endif

PATCHBAY_MANIFEST("{\"id\":\"" PLUGIN_ID "\",\"version\":\"" PLUGIN_VERSION
                  "\",\"abi\":\"" PLUGIN_ABI "\"" PLUGIN_MORE "}");

/* A table of a later minor version has more at its end. */
struct table {
    patchbay_plugin plugin;
    void (*later)(patchbay_plugin* self);
};

static const patchbay_host* host_of(patchbay_plugin* self) { return self->impl; }

static patchbay_status start(patchbay_plugin* self, patchbay_str message) {
    (void)self;
    (void)message;
    return PATCHBAY_OK;
}

static void stop(patchbay_plugin* self) { (void)self; }

static void destroy(patchbay_plugin* self) { free(self); }

static void handle(patchbay_plugin* self, patchbay_call call, const patchbay_request* request) {
    (void)request;
    static const char answer[] = "{\"version\":\"" PLUGIN_VERSION "\"}";
    patchbay_str body = {answer, sizeof answer - 1};
    host_of(self)->complete(host_of(self), call, PATCHBAY_OK, body);
}

PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    /* Where a leak checker finds it: of a table that it refuses the host calls nothing more. */
    static _Atomic(struct table*) last;
    struct table* made = calloc(1, sizeof *made);
    if (!made) return NULL;
    last = made;
    made->plugin.struct_size = sizeof(patchbay_plugin);
#ifdef PLUGIN_NEWER
    made->plugin.struct_size = sizeof(struct table);
    made->plugin.abi_minor = 9;
#endif
#ifdef PLUGIN_OLDER
    made->plugin.struct_size = offsetof(patchbay_plugin, cancel);
    /* Beyond its struct_size: whoever reads it crashes. */
    memset(&made->plugin.cancel, 0x5a, sizeof made->plugin.cancel);
#endif
    made->plugin.abi_major = PLUGIN_TABLE_MAJOR;
    made->plugin.impl = (void*)host;
    made->plugin.start = start;
    made->plugin.stop = stop;
    made->plugin.destroy = destroy;
    made->plugin.handle = handle;
    return &made->plugin;
}
