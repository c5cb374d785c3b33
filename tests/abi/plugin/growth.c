/* SPDX-License-Identifier: Apache-2.0
 *
 * What came with 1.1, from plain C: a plugin that offers virtual capabilities, takes over its
 * configuration, and says what it was told. Reads JSON by looking for texts, which is enough for
 * what the tests send. */
#include <patchbay/plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PATCHBAY_MANIFEST(
    "{\"id\":\"growth\",\"version\":\"1.0.0\",\"abi\":\"1.1\",\"capabilities\":[{\"name\":"
    "\"growth\","
    "\"takes\":[\"mcpServers\"],\"routes\":[{\"path\":\"/api/growth\",\"access\":\"admin\"},"
    "{\"path\":\"/oauth/callback\",\"access\":\"public\"}]}]}");

struct growth {
    patchbay_plugin table;
    const patchbay_host* host;
    pthread_mutex_t mutex; /* calls come while it is configured */
    char told[4096];       /* the last start object, as a JSON string's content */
    int starts, configures;
    patchbay_call waiting; /* for what its scope has */
};

static patchbay_str str(const char* text) {
    patchbay_str out = {text, strlen(text)};
    return out;
}

static int holds(patchbay_str text, const char* part) {
    const size_t size = strlen(part);
    for (uint64_t at = 0; at + size <= text.size; ++at)
        if (memcmp(text.data + at, part, size) == 0) return 1;
    return 0;
}

static struct growth* of(patchbay_plugin* self) { return self->impl; }

static void remember(struct growth* me, patchbay_str start, int* count) {
    size_t to = 0;
    pthread_mutex_lock(&me->mutex);
    for (uint64_t at = 0; at < start.size && to + 2 < sizeof me->told; ++at) {
        if (start.data[at] == '"' || start.data[at] == '\\') me->told[to++] = '\\';
        me->told[to++] = start.data[at];
    }
    me->told[to] = 0;
    ++*count;
    pthread_mutex_unlock(&me->mutex);
}

static const patchbay_capabilities_v1* capabilities(struct growth* me) {
    const patchbay_capabilities_v1* table =
        me->host->service(me->host, PATCHBAY_SERVICE_CAPABILITIES);
    return table && PATCHBAY_HAS(table, patchbay_capabilities_v1, notify) ? table : NULL;
}

static patchbay_status start(patchbay_plugin* self, patchbay_str message) {
    struct growth* me = of(self);
    remember(me, message, &me->starts);
    const patchbay_capabilities_v1* table = capabilities(me);
    if (!table) return PATCHBAY_E_UNSUPPORTED;
    return table->offer(me->host, str("{\"name\":\"mcp:one\",\"namespace\":\"one\"}"), NULL, NULL);
}

static patchbay_status configure(patchbay_plugin* self, patchbay_str message) {
    struct growth* me = of(self);
    if (holds(message, "\"refuse\"")) return PATCHBAY_E_INVALID;
    remember(me, message, &me->configures);
    return PATCHBAY_OK;
}

static void stop(patchbay_plugin* self) { (void)self; }
static void destroy(patchbay_plugin* self) {
    pthread_mutex_destroy(&of(self)->mutex);
    free(of(self));
}

static void answer_text(struct growth* me, patchbay_call call, const char* text) {
    char body[8192];
    snprintf(body, sizeof body, "{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}", text);
    me->host->complete(me->host, call, PATCHBAY_OK, str(body));
}

static void keep_reason(void* user, patchbay_str key, patchbay_str value) {
    (void)key;
    snprintf(user, 512, "%.*s", (int)value.size, value.data);
}

/* Keeps a secret, reads it back, and leaves a note on the call's record. */
static void keep_secret(struct growth* me, patchbay_call call) {
    const patchbay_secrets_v1* table = me->host->service(me->host, PATCHBAY_SERVICE_SECRETS);
    char value[512] = "";
    const int written = table->put(me->host, str("token"), str("hidden"), -1, NULL);
    const int got = table->get(me->host, str("token"), keep_reason, value, NULL);
    const int noted =
        me->host->notify(me->host, call, str("patchbay/record"), str("{\"acts_as\":\"service\"}"));
    char text[1024];
    snprintf(text, sizeof text, "%d %d %s %d", written, got, value, noted);
    answer_text(me, call, text);
}

static void list_in_scope_done(void* user, patchbay_status status, patchbay_str body) {
    (void)status;
    struct growth* me = user;
    const int found = holds(body, "\"hub__ping\"");
    answer_text(me, me->waiting, found ? "hub__ping is there" : "hub__ping is not there");
}

/* Lists the tools among servers of this call alone. */
static void list_in_scope(struct growth* me, patchbay_call call) {
    const patchbay_invoke_v1* table = me->host->service(me->host, PATCHBAY_SERVICE_INVOKE);
    me->waiting = call;
    table->invoke_in(me->host, call, str("[{\"mcpServers\":{\"hub\":{}}}]"), str("tools/list"),
                     str("{}"), 0, list_in_scope_done, me);
}

static void call_own(struct growth* me, patchbay_call call, patchbay_str params) {
    char text[8192];
    const patchbay_capabilities_v1* table = capabilities(me);
    if (holds(params, "\"offer\"")) {
        char reason[512] = "offered";
        table->offer(me->host, str("{\"name\":\"mcp:two\",\"namespace\":\"two\"}"), keep_reason,
                     reason);
        answer_text(me, call, reason);
    } else if (holds(params, "\"clash\"")) {
        char reason[512] = "offered";
        table->offer(me->host, str("{\"name\":\"mcp:three\",\"namespace\":\"one\"}"), keep_reason,
                     reason);
        answer_text(me, call, reason);
    } else if (holds(params, "\"keep\"")) {
        keep_secret(me, call);
    } else if (holds(params, "\"scoped\"")) {
        list_in_scope(me, call);
    } else if (holds(params, "\"withdraw\"")) {
        snprintf(text, sizeof text, "%d", table->withdraw(me->host, str("mcp:two")));
        answer_text(me, call, text);
    } else {
        pthread_mutex_lock(&me->mutex);
        snprintf(text, sizeof text, "%d starts, %d configures, %s", me->starts, me->configures,
                 me->told);
        pthread_mutex_unlock(&me->mutex);
        answer_text(me, call, text);
    }
}

#define TOOL(name) "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"}}"
static const char ping[] = "{\"tools\":[" TOOL("ping") "]}";
static const char own_tools[] = "{\"tools\":[" TOOL("offer") "," TOOL("clash") "," TOOL(
    "withdraw") "," TOOL("keep") "," TOOL("scoped") "," TOOL("state") "]}";

static void handle(patchbay_plugin* self, patchbay_call call, const patchbay_request* request) {
    struct growth* me = of(self);
    const int one = holds(request->context, "\"capability\":\"mcp:one\"");
    const int two = holds(request->context, "\"capability\":\"mcp:two\"") ||
                    holds(request->context, "\"capability\":\"scope1:hub\"");
    if (holds(request->method, "tools/list"))
        me->host->complete(me->host, call, PATCHBAY_OK, str(one || two ? ping : own_tools));
    else if (holds(request->method, "patchbay/http/request"))
        me->host->complete(
            me->host, call, PATCHBAY_OK,
            str("{\"headers\":{\"content-type\":\"text/plain\"},\"body\":\"grown\"}"));
    else if (holds(request->method, "patchbay/scope/open"))
        me->host->complete(
            me->host, call, PATCHBAY_OK,
            str("{\"capabilities\":[{\"name\":\"scope1:hub\",\"namespace\":\"hub\"}]}"));
    else if (!holds(request->method, "tools/call"))
        me->host->complete(me->host, call, PATCHBAY_E_UNSUPPORTED, str(""));
    else if (one || two)
        answer_text(me, call, one ? "pong of one" : "pong of two");
    else
        call_own(me, call, request->params);
}

PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    struct growth* me = calloc(1, sizeof *me);
    if (!me) return NULL;
    pthread_mutex_init(&me->mutex, NULL);
    me->host = host;
    me->table.struct_size = sizeof me->table;
    me->table.abi_major = PATCHBAY_ABI_MAJOR;
    me->table.abi_minor = PATCHBAY_ABI_MINOR;
    me->table.impl = me;
    me->table.start = start;
    me->table.stop = stop;
    me->table.destroy = destroy;
    me->table.handle = handle;
    me->table.configure = configure;
    return &me->table;
}
