/* SPDX-License-Identifier: Apache-2.0
 *
 * Example: the plugin ABI by hand, in C11. Two tools, each with one text argument. A plugin in C++
 * would use <patchbay/plugin.hpp> and be a tenth as long; this one shows what that does.
 */
#include <patchbay/plugin.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"

/* Found by the host in the file, before any of this runs. */
PATCHBAY_MANIFEST(
    "{\"id\":\"text_tools\",\"version\":\"1.0.0\",\"abi\":\"1.0\","
    "\"title\":\"Text tools\",\"description\":\"Counts and shortens text\"}");

#define INPUT(description)                                                \
    "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"," \
    "\"description\":\"" description                                      \
    "\"}},\"required\":[\"text\"],\"additionalProperties\":false}"

static const char tool_list[] =
    "{\"tools\":["
    "{\"name\":\"slugify\",\"description\":\"Makes a name for URLs and files: lower-case letters, "
    "digits and hyphens\",\"inputSchema\":" INPUT("The text to name")
    ",\"annotations\":{\"readOnlyHint\":true}},"
    "{\"name\":\"word_count\",\"description\":\"Counts the words, lines and characters of a "
    "text\",\"inputSchema\":" INPUT("The text to count")
    ",\"outputSchema\":{\"type\":\"object\",\"properties\":{\"words\":{\"type\":\"integer\"},"
    "\"lines\":{\"type\":\"integer\"},\"characters\":{\"type\":\"integer\"}},"
    "\"required\":[\"words\",\"lines\",\"characters\"]},"
    "\"annotations\":{\"readOnlyHint\":true}}"
    "]}";

/* The instance is the table that the host knows it by, and what it needs itself. */
typedef struct {
    patchbay_plugin table;
    const patchbay_host* host;
} instance;

static patchbay_str view(const char* text) {
    const patchbay_str out = {text, strlen(text)};
    return out;
}

static bool equals(patchbay_str text, const char* other) {
    return text.size == strlen(other) && memcmp(text.data, other, (size_t)text.size) == 0;
}

static void fail(instance* self, patchbay_call call, patchbay_status status, const char* message) {
    char body[160];
    snprintf(body, sizeof body, "{\"message\":\"%s\"}", message);
    self->host->complete(self->host, call, status, view(body));
}

/* A failure that the model can read and act on is a result, not an error. */
static void refuse(instance* self, patchbay_call call, const char* message) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}],\"isError\":true}", message);
    self->host->complete(self->host, call, PATCHBAY_OK, view(body));
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void word_count(instance* self, patchbay_call call, const char* text, size_t size) {
    unsigned long long words = 0, lines = size > 0, characters = 0;
    bool inside = false;
    for (size_t i = 0; i < size; ++i) {
        if (!is_space(text[i]) && !inside) ++words;
        inside = !is_space(text[i]);
        if (text[i] == '\n' && i + 1 < size) ++lines;
        /* Every byte of UTF-8 that does not continue a character begins one. */
        if (((unsigned char)text[i] & 0xC0) != 0x80) ++characters;
    }
    char counts[128];
    char body[384];
    snprintf(counts, sizeof counts, "\"words\":%llu,\"lines\":%llu,\"characters\":%llu", words,
             lines, characters);
    snprintf(body, sizeof body,
             "{\"content\":[{\"type\":\"text\",\"text\":\"%llu words, %llu lines, %llu "
             "characters\"}],\"structuredContent\":{%s}}",
             words, lines, characters, counts);
    self->host->complete(self->host, call, PATCHBAY_OK, view(body));
}

static void slugify(instance* self, patchbay_call call, const char* text, size_t size) {
    static const char before[] = "{\"content\":[{\"type\":\"text\",\"text\":\"";
    static const char after[] = "\"}]}";
    char* body = malloc(sizeof before + size + sizeof after);
    if (body == NULL) {
        fail(self, call, PATCHBAY_E_INTERNAL, "Out of memory");
        return;
    }
    memcpy(body, before, sizeof before - 1);
    char* const begin = body + sizeof before - 1;
    char* out = begin;
    for (size_t i = 0; i < size; ++i) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            *out++ = c;
        } else if (out != begin && out[-1] != '-') {
            *out++ = '-';
        }
    }
    if (out != begin && out[-1] == '-') --out;
    if (out == begin) {
        refuse(self, call, "The text has no letter or digit to make a name of");
    } else {
        memcpy(out, after, sizeof after);
        self->host->complete(self->host, call, PATCHBAY_OK, view(body));
    }
    free(body);
}

static void call_tool(instance* self, patchbay_call call, patchbay_str params) {
    patchbay_str name, arguments, argument;
    void (*tool)(instance*, patchbay_call, const char*, size_t) = NULL;
    if (json_member(params, "name", &name)) {
        if (equals(name, "\"word_count\"")) tool = word_count;
        if (equals(name, "\"slugify\"")) tool = slugify;
    }
    if (tool == NULL) {
        fail(self, call, PATCHBAY_E_NOT_FOUND, "Unknown tool; there are word_count and slugify");
        return;
    }
    size_t size = 0;
    char* text = NULL;
    if (json_member(params, "arguments", &arguments) && json_member(arguments, "text", &argument)) {
        text = json_string(argument, &size);
    }
    if (text == NULL) {
        refuse(self, call, "The argument text must be a string");
        return;
    }
    tool(self, call, text, size);
    free(text);
}

static void handle(patchbay_plugin* plugin, patchbay_call call, const patchbay_request* request) {
    instance* self = plugin->impl;
    if (equals(request->method, "tools/call")) {
        call_tool(self, call, request->params);
    } else if (equals(request->method, "tools/list")) {
        self->host->complete(self->host, call, PATCHBAY_OK, view(tool_list));
    } else if (equals(request->method, "server/discover")) {
        self->host->complete(self->host, call, PATCHBAY_OK,
                             view("{\"capabilities\":{\"tools\":{}}}"));
    } else {
        fail(self, call, PATCHBAY_E_UNSUPPORTED, "Unknown method");
    }
}

static patchbay_status start(patchbay_plugin* plugin, patchbay_str config) {
    (void)plugin;
    (void)config;
    return PATCHBAY_OK;
}

static void stop(patchbay_plugin* plugin) { (void)plugin; }

static void destroy(patchbay_plugin* plugin) { free(plugin->impl); }

PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    if (host->abi_major != PATCHBAY_ABI_MAJOR) return NULL;
    instance* self = calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->host = host;
    self->table.struct_size = sizeof self->table;
    self->table.abi_major = PATCHBAY_ABI_MAJOR;
    self->table.abi_minor = PATCHBAY_ABI_MINOR;
    self->table.impl = self;
    self->table.start = start;
    self->table.stop = stop;
    self->table.destroy = destroy;
    self->table.handle = handle;
    /* cancel stays NULL: no call takes long enough. */
    return &self->table;
}
