/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin whose table has TABLE_SIZE bytes and lies at the very end of a page, with nothing mapped
 * behind it: whoever reads beyond struct_size dies. */
#define _DEFAULT_SOURCE
#include <patchbay/plugin.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef TABLE_MAJOR
#define TABLE_MAJOR PATCHBAY_ABI_MAJOR
#endif

PATCHBAY_MANIFEST("{\"id\":\"edge\",\"version\":\"1.0.0\",\"abi\":\"1.0\"}");

static patchbay_status start(patchbay_plugin* self, patchbay_str message) {
    (void)self;
    (void)message;
    return PATCHBAY_OK;
}

static void stop(patchbay_plugin* self) { (void)self; }

/* The page stays: that nobody reads it afterwards is not this plugin's concern. */
static void destroy(patchbay_plugin* self) { (void)self; }

static void handle(patchbay_plugin* self, patchbay_call call, const patchbay_request* request) {
    const patchbay_host* host = self->impl;
    host->complete(host, call, PATCHBAY_OK, request->params);
}

PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char* pages = mmap(0, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) return 0;

    patchbay_plugin whole;
    memset(&whole, 0, sizeof whole);
    whole.struct_size = TABLE_SIZE;
    whole.abi_major = TABLE_MAJOR;
    whole.impl = (void*)host;
    whole.start = start;
    whole.stop = stop;
    whole.destroy = destroy;
    whole.handle = handle;
    char* table = pages + page - TABLE_SIZE;
    memcpy(table, &whole, TABLE_SIZE);
    return (patchbay_plugin*)(void*)table;
}
