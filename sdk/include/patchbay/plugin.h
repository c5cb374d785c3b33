/* SPDX-License-Identifier: Apache-2.0
 *
 * Patchbay plugin ABI, version 1.1. What came after 1.0 says so.
 *
 * A Patchbay plugin is an MCP server behind one C function. The host calls
 * handle(method, params) with JSON text and the plugin answers with JSON text through complete().
 * The methods are those of the Model Context Protocol (tools/list, tools/call, resources/read,
 * ...), so a new protocol feature needs no new ABI. This header is plain C11 with no dependencies;
 * any compiler, standard library or language that can produce a shared library with one exported C
 * function can be a plugin. <patchbay/plugin.hpp> is the C++ SDK over it.
 *
 * RULES (the host's tests hold both sides to them)
 *
 *  1. Memory.     Every patchbay_str is a view, valid only until the function it was passed to
 *                 returns. The receiver copies what it keeps. Nobody frees the other's memory.
 *  2. Growth.     Every table and struct starts with struct_size and only ever grows at its end.
 *                 Read a member only if struct_size covers it (PATCHBAY_HAS). A break would be
 *                 a new entry point, patchbay_plugin_v2; a host goes on loading v1.
 *  3. Threads.    Lifecycle functions (start, configure, stop, destroy) of one instance never
 *                 overlap. handle() and cancel() run on host threads, concurrently, unless the
 *                 manifest says "threading":"serial". Host functions may be called from any thread.
 *  4. Completion. Every handle() is completed exactly once, then or later, on any thread. A later
 *                 attempt answers PATCHBAY_E_GONE and does nothing. Call ids are never reused.
 *  5. Faults.     No exception may leave a plugin function and none leaves a host function.
 *                 A tool that fails answers PATCHBAY_OK with a result that has "isError": true;
 *                 an error status is for faults of protocol or plugin.
 *  6. Lifetime.   An instance may use the host table from patchbay_plugin_v1() until destroy()
 *                 returns. The library itself is never unloaded.
 *
 * Each function below says where it may be called:  [any] any thread, any time in rule 6;
 * [lifecycle] by the host, one at a time; [worker] by the host, concurrently (rule 3).
 */
#ifndef PATCHBAY_PLUGIN_H
#define PATCHBAY_PLUGIN_H /* C, whatever includes it: NOLINTBEGIN(modernize-*,bugprone-macro-*) */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATCHBAY_ABI_MAJOR 1
#define PATCHBAY_ABI_MINOR 1

/* The one symbol that a plugin exports. */
#define PATCHBAY_ENTRY_NAME "patchbay_plugin_v1"

#if defined(_WIN32)
#define PATCHBAY_EXPORT __declspec(dllexport)
#else
#define PATCHBAY_EXPORT __attribute__((visibility("default")))
#endif

/* True if the struct behind `ptr` is large enough to hold `member` (rule 2). */
#define PATCHBAY_HAS(ptr, type, member) \
    ((ptr)->struct_size >= offsetof(type, member) + sizeof(((type*)0)->member))

/* A view of UTF-8 text; not NUL-terminated. data may be NULL when size is 0. */
typedef struct patchbay_str {
    const char* data;
    uint64_t size; /* bytes */
} patchbay_str;

/* A running call: an id, never a pointer, so that a stale one is harmless (PATCHBAY_E_GONE). */
typedef uint64_t patchbay_call;

/* In place of a call: "on behalf of the plugin instance itself". */
#define PATCHBAY_NO_CALL ((patchbay_call)0)

/* What functions return and how calls end. Negative values are errors. */
typedef int32_t patchbay_status;
enum {
    PATCHBAY_OK = 0,             /* done; a call's body is its MCP result object */
    PATCHBAY_INPUT_REQUIRED = 1, /* only in complete(): the body asks the user, see below */
    PATCHBAY_E_INVALID = -1,     /* bad arguments or parameters              (JSON-RPC -32602) */
    PATCHBAY_E_NOT_FOUND = -2,   /* no such tool, resource, prompt, key, ... (JSON-RPC -32602) */
    PATCHBAY_E_UNSUPPORTED = -3, /* method or feature not implemented        (JSON-RPC -32601) */
    PATCHBAY_E_DENIED = -4,      /* the caller may not */
    PATCHBAY_E_CANCELLED = -5,   /* the call was cancelled */
    PATCHBAY_E_DEADLINE = -6,    /* the call's time is over */
    PATCHBAY_E_AGAIN = -7,       /* a bounded queue is full: wait() a little, try again */
    PATCHBAY_E_BUSY = -8,        /* overloaded: the caller may retry later */
    PATCHBAY_E_GONE = -9,        /* the call has ended, or the instance is stopping */
    PATCHBAY_E_INTERNAL = -10    /* anything else                            (JSON-RPC -32603) */
};

/* Severity for log(); the names are those of RFC 5424 that MCP uses. */
enum {
    PATCHBAY_LOG_DEBUG = 0,
    PATCHBAY_LOG_INFO = 1,
    PATCHBAY_LOG_NOTICE = 2,
    PATCHBAY_LOG_WARNING = 3,
    PATCHBAY_LOG_ERROR = 4,
    PATCHBAY_LOG_CRITICAL = 5
};

/* One request to the plugin. Everything in it is valid until handle() returns.
 *
 * method   an MCP request method. The host sends:
 *          server/discover           -> {"capabilities":{...},"instructions"?}: what is served;
 *                                       methods of absent capabilities are never sent.
 *                                       PATCHBAY_E_UNSUPPORTED means "tools only".
 *          tools/list, resources/list, resources/templates/list, prompts/list
 *                                    -> the 2026-07-28 result; "nextCursor" is followed. (1.1)
 *                                       "_meta": {"patchbay/withheld": [names]} of tools: callers
 *                                       do not see them, and a call of one comes here all the same,
 *                                       to be answered with the reason.
 *          tools/call, resources/read, prompts/get, completion/complete
 *          resources/subscribe, resources/unsubscribe -> {}; sent for each subscriber of a URI who
 *                                       may do something else than those before (an error refuses
 *                                       that one), and after the last one's leaving, if
 *                                       capabilities.resources.subscribe.
 *          patchbay/http/request     (1.1) a plain HTTP request to one of the manifest's routes:
 *                                       {"method": GET | POST | PUT | PATCH | DELETE,
 *                                        "route": the declared path,
 *                                        "path": what comes after it (and after the organisation),
 *                                                as sent; empty or beginning with "/",
 *                                        "query": {name: value, decoded},
 *                                        "headers": {content-type, accept, accept-language and
 *                                                    user-agent, as far as they were sent},
 *                                        "body": text}
 *                                    -> {"status"?: 200, "body"?: text,
 *                                        "headers"?: {content-type (default application/json),
 *                                                     location, cache-control (default no-store),
 *                                                     www-authenticate, retry-after}}
 *                                       An error status becomes a response too. Whatever is
 *                                       answered, browsers are told neither to guess its type nor
 *                                       to run or frame it.
 *          patchbay/scope/open       (1.1) {"mcpServers": {name: definition}} of one call alone
 *                                       (invoke_in), to a capability that takes mcpServers. These
 *                                       are a caller's words; nothing in them is resolved.
 *                                    -> {"capabilities": [specs as for offer()]}: private virtual
 *                                       capabilities, under names that are offered nowhere else
 *                                       ("scope7:github"). Their lists are asked for at once; where
 *                                       they cannot be told, answer with an error, which says why:
 *                                       callers get to read it, and the host asks again some
 *                                       seconds later.
 *          patchbay/scope/close      (1.1) {"capabilities": [names]}: nobody uses these of one open
 *                                       any more
 *                                    -> {}
 *          patchbay/access/choices   (1.1) {}: what callers can be narrowed to at this moment, to a
 *                                       capability whose manifest says "access": {"sources": true}
 *                                       or "objects"; the organisation's whole, not one caller's
 *                                    -> {"sources"?: [{"id","title"?,"description"?}],
 *                                        "objects"?: likewise}, within the manifest's bounds. A
 *                                       person waits for the page: what is not answered within
 *                                       two seconds, or not soundly, is left out there.
 *          Anything unknown is completed with PATCHBAY_E_UNSUPPORTED.
 * params   the request's params, a JSON object, as the client sent it but with the plugin's own
 *          names and URIs (the host's namespace removed). After PATCHBAY_INPUT_REQUIRED it has the
 *          client's "inputResponses" and the plugin's own "requestState".
 *          Where a member name is given twice, the last counts: it is what the host has looked at.
 *          (Arguments with such names are refused where the tool's inputSchema asks for anything.)
 * context  a JSON object:
 *            org               id of the organisation that the call belongs to
 *            capability        (1.1) which capability it is for: the instance's own, or a virtual
 *                              one that it offers (service patchbay.capabilities/1)
 *            principal         {"id","kind"}: kind is "anonymous" | "user" | "key" | "service"
 *            scopes            ["mcp:read", ...]
 *            sources, objects  ids from source:/object: scopes; absent = not narrowed. What they
 *                              leave out is left out of lists and searches; who asks for it by
 *                              name is told "Not permitted by current access scope".
 *            client            {"name","version"} as the client says of itself; may be absent
 *            clientCapabilities what the client can be asked: {"elicitation":{"form":{}},...}
 *            protocolVersion   of the client; plugins rarely need it
 *            logLevel          the least severe level that the client wants; absent = none
 *            progress          true if somebody listens to progress
 *            trace             {"traceparent","tracestate","baggage"}; may be absent
 *            depth             0 for a client's call, +1 for each nested invoke
 *          Unknown members are to be ignored.
 */
typedef struct patchbay_request {
    uint32_t struct_size;
    uint32_t flags; /* 0 in 1.0 */
    patchbay_str method;
    patchbay_str params;
    patchbay_str context;
    int64_t deadline_ns; /* nanoseconds from now until the host gives up; 0 = no deadline */
} patchbay_request;

/* What the host offers. One table per plugin instance; pass it back as the first argument. */
typedef struct patchbay_host patchbay_host;
struct patchbay_host {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    void* impl; /* the host's */

    /* [any] A table of further functions by id ("patchbay.store/1", ...; see below), or NULL where
     * this host has none. The table lives as long as the instance. */
    const void* (*service)(const patchbay_host* host, const char* id);

    /* [any] Writes one line to the host's log. `fields` is a JSON object with further members of
     * the event, or empty. Never put secrets in either. The last ERROR line logged inside a start()
     * that fails is shown as the reason. */
    void (*log)(const patchbay_host* host, int32_t level, patchbay_str message,
                patchbay_str fields);

    /* [any] Ends a call.
     *   PATCHBAY_OK              body: the result object of the method
     *   PATCHBAY_INPUT_REQUIRED  body: {"inputRequests":{key:{"method","params"}},"requestState"?};
     *                            only for tools/call, resources/read and prompts/get. Requests are
     *                            elicitation/create, sampling/createMessage and roots/list.
     *                            The call is handled again, as a new call, when the answers are
     *                            there; the host seals requestState, so its content can be
     *                            trusted.
     *                            https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
     *   an error                 body: {"message","code"?,"data"?} or empty. Of a tool it becomes a
     *                            result with isError, but for PATCHBAY_E_INVALID, _NOT_FOUND and
     *                            _UNSUPPORTED, and for one with a code. Codes that JSON-RPC or MCP
     *                            reserve for themselves are replaced by what the status means.
     * PATCHBAY_E_GONE if the call has already ended; PATCHBAY_E_INVALID if body is not a JSON
     * object (the call then ends with an internal error). */
    patchbay_status (*complete)(const patchbay_host* host, patchbay_call call,
                                patchbay_status status, patchbay_str body);

    /* [any] Sends a notification; params is a JSON object.
     * With a call:
     *   notifications/progress  {"progress","total"?,"message"?}; the host adds the token. progress
     *                           must increase. May be coalesced; dropped if nobody listens.
     *   notifications/message   {"level","data","logger"?}; dropped below the client's level.
     *   patchbay/stream/release {"retry_ms"?}: this call will take long; where the client can
     *                           resume (2025-11-25 streams) let it poll instead of holding a
     *                           connection. Elsewhere nothing happens.
     *   patchbay/record         (1.1) a small object (at most 4096 bytes) for the host's own record
     *                           of the call, such as {"acts_as":"service"}; a later one replaces
     *                           it. No secrets. Clients do not see it.
     * With PATCHBAY_NO_CALL:
     *   notifications/tools/list_changed, .../prompts/list_changed, .../resources/list_changed
     *                           the host asks for the lists again.
     *   notifications/resources/updated {"uri"}
     * PATCHBAY_E_AGAIN: the reader is behind and nothing was sent; wait() and send again.
     * PATCHBAY_E_GONE: the call has ended. PATCHBAY_E_UNSUPPORTED: no such notification. */
    patchbay_status (*notify)(const patchbay_host* host, patchbay_call call, patchbay_str method,
                              patchbay_str params);

    /* [any] Sleeps until `timeout_ns` have passed (PATCHBAY_OK) or the call is cancelled, over its
     * deadline, or ended (PATCHBAY_E_CANCELLED, PATCHBAY_E_DEADLINE, PATCHBAY_E_GONE).
     * 0 only asks. */
    patchbay_status (*wait)(const patchbay_host* host, patchbay_call call, int64_t timeout_ns);
};

/* What the plugin offers: one table per instance, allocated and owned by the plugin. */
typedef struct patchbay_plugin patchbay_plugin;
struct patchbay_plugin {
    uint32_t struct_size;
    uint16_t abi_major; /* PATCHBAY_ABI_MAJOR of the header that the plugin was built with */
    uint16_t abi_minor;
    void* impl; /* the plugin's */

    /* [lifecycle] Called once, before any handle(). `start` is a JSON object:
     *   {"org","capability","namespace","config":{...},"recorded"?,"host":{...}}
     * which of the manifest's capabilities this instance is, for which organisation, with its
     * configuration (valid under the capability's config_schema, references resolved; and with what
     * the capability takes of the organisation's file, see "takes" in the manifest).
     * recorded is true where the organisation has no file but was made at run time, by people who
     * need not be the operator of this machine.
     * host (1.1) is about the host:
     *   version     of Patchbay
     *   public_url  at which people and clients reach it, without a slash at its end; may be absent
     *   operator_org  the operator's own organisation: whoever administers it may do what the
     *               operator may
     *   outbound    {"allow_stdio": whether servers may be programs of this machine,
     *                "allow_private_cidrs": ranges of special addresses that may be reached}:
     *               what a capability that connects to others has to keep to
     * An error status means that this instance cannot serve; destroy() follows and stop() does not.
     */
    patchbay_status (*start)(patchbay_plugin* self, patchbay_str start);

    /* [lifecycle] No handle() comes after this. Complete what is still running, end own threads. */
    void (*stop)(patchbay_plugin* self);

    /* [lifecycle] Frees the instance and this table. The last call into it. */
    void (*destroy)(patchbay_plugin* self);

    /* [worker] One request; answer it through host->complete(), now or later. */
    void (*handle)(patchbay_plugin* self, patchbay_call call, const patchbay_request* request);

    /* [worker] Optional (may be NULL): the call was cancelled or its time is over. It must still be
     * completed; PATCHBAY_E_CANCELLED will do. May overlap handle() of the same call. */
    void (*cancel)(patchbay_plugin* self, patchbay_call call);

    /* 1.1. [lifecycle] Optional (may be NULL): the configuration is another one now. `start` is
     * what start() would get; only its "config" differs from before. May overlap handle().
     * PATCHBAY_OK: the instance goes on serving with it; the lists of its own capability are asked
     * for again. An error status (log why; PATCHBAY_E_UNSUPPORTED needs no reason): the instance
     * goes on with what it had until the host has started another one, as it does where there is no
     * configure(). */
    patchbay_status (*configure)(patchbay_plugin* self, patchbay_str start);
};

/* The entry point: makes one instance. Called for each organisation and capability that uses the
 * plugin, and again when the configuration (unless configure() takes it over) or the file changes:
 * the new instance is started before the old one is stopped, so that nobody is turned away. What
 * only one of two can have, like a port or the lock of a file, must therefore not be asked for in
 * start(), or be waited for elsewhere. Does nothing but allocate: threads and files belong in
 * start(). Returns NULL to refuse (log why). `host` stays valid until destroy() returns. */
typedef patchbay_plugin* (*patchbay_entry_fn)(const patchbay_host* host);

/* --------------------------------------------------------------------------------------------------
 * The manifest: read from the file before any of its code runs.
 *
 * PATCHBAY_MANIFEST("{\"id\":...}") at file scope embeds it; exactly one per plugin. Members:
 *   id            required; [a-z0-9]([a-z0-9_.-]*[a-z0-9])?, unique among a host's plugins
 *   version       required; a semantic version
 *   abi           required; "1.0": the ABI that it was built for
 *   threading     "concurrent" (default) or "serial": one handle() at a time
 *   isolation     "any" (default) or "process": must not run inside the host
 *   title, description, homepage, license   for people
 *   capabilities  what organisations can enable; default one, named like the plugin:
 *                 [{"name", "title"?, "description"?, "config_schema"?,
 *                   "lists"?: {"scope": "public" | "private", "ttl_ms": n},
 *                   "takes"?: ["mcpServers"],
 *                   "access"?: {"sources": true | [{"id", "title"?, "description"?}, ...],
 *                               "objects": likewise},
 *                   "routes"?: [{"path": "/api/notes", "access": "read"}, ...]}]
 *                 name is a namespace: [a-z0-9]([a-z0-9_-]*[a-z0-9])?, without "__".
 *                 lists: whether what is listed depends on the caller, and how long a client may
 *                 keep it; default public, 300000.
 *                 takes (1.1): members of the organisation's file that are handed over inside
 *                 "config" under the same name, after config_schema was looked at. mcpServers: its
 *                 remote MCP servers by name; the references of each are resolved on their own, and
 *                 one that cannot be is {"unresolved": "<why>"}.
 *                 access (1.1): what callers can be narrowed to, besides the capability itself: a
 *                 person who gives a client access chooses among the sources and the types of
 *                 objects named here, or, where it says true, among those that the capability
 *                 answers to patchbay/access/choices then. At most 250 of each. id: 1 to 200
 *                 visible ASCII characters, without " and a backslash, so that "source:<id>" is a
 *                 scope; title: at most 200 bytes, description: 1000. Calls say in their context
 *                 what their caller was left with; the capability itself keeps to it.
 *                 routes (1.1): paths of the host at which this capability answers plain HTTP, with
 *                 all below them: below /api/ or /hooks/, and /oauth/callback and /oauth/client or
 *                 below, in segments of [a-z0-9_-]. access: "read", "write" or "admin" (the caller
 *                 needs that scope, and its organisation is the one meant), or "public" (no
 *                 credentials; the segment after the path names the organisation:
 *                 /oauth/callback/<org>/...). Two capabilities of an organisation cannot have the
 *                 same path. Each request is a call of patchbay/http/request, see there.
 */
#define PATCHBAY_MANIFEST_MAGIC "\x93PATCHBAY/plugin" /* 16 bytes, without the NUL */
#define PATCHBAY_MANIFEST_MAGIC_SIZE 16
#define PATCHBAY_MANIFEST_MAX_SIZE 65536 /* bytes of JSON */

#if defined(__has_attribute) && defined(__ELF__)
#if __has_attribute(retain)
#define PATCHBAY_RETAIN __attribute__((used, retain))
#endif
#endif
#ifndef PATCHBAY_RETAIN
#define PATCHBAY_RETAIN __attribute__((used))
#endif

/* In the file: the magic, the size of the JSON as 8 hexadecimal digits, the JSON. Digits, so that
 * the capsule is the same for every byte order and object format. */
#define PATCHBAY_MANIFEST(json)                                         \
    PATCHBAY_RETAIN static const struct {                               \
        char magic[PATCHBAY_MANIFEST_MAGIC_SIZE];                       \
        char size[8];                                                   \
        char text[sizeof(json)];                                        \
    } patchbay_manifest_ = {PATCHBAY_CHARS16_(PATCHBAY_MANIFEST_MAGIC), \
                            PATCHBAY_HEX8_(sizeof(json) - 1), json}

#define PATCHBAY_CHARS16_(s)                                                                    \
    {                                                                                           \
        s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], s[12], s[13], \
            s[14], s[15]                                                                        \
    }
#define PATCHBAY_HEXDIGIT_(n, shift)                                    \
    (char)((((n) >> (shift)) & 15) < 10 ? '0' + (((n) >> (shift)) & 15) \
                                        : 'a' + (((n) >> (shift)) & 15) - 10)
#define PATCHBAY_HEX8_(n)                                                                   \
    {                                                                                       \
        PATCHBAY_HEXDIGIT_(n, 28), PATCHBAY_HEXDIGIT_(n, 24), PATCHBAY_HEXDIGIT_(n, 20),    \
            PATCHBAY_HEXDIGIT_(n, 16), PATCHBAY_HEXDIGIT_(n, 12), PATCHBAY_HEXDIGIT_(n, 8), \
            PATCHBAY_HEXDIGIT_(n, 4), PATCHBAY_HEXDIGIT_(n, 0)                              \
    }

/* --------------------------------------------------------------------------------------------------
 * Host services: tables by id, each starting with struct_size (rule 2). All functions are [any]
 * unless they say otherwise. Everything is confined to the instance's organisation and capability.
 */

/* Receives a result during the call that it was passed to. */
typedef void (*patchbay_sink)(void* user, patchbay_str key, patchbay_str value);

/* The instance's configuration as start() got it, or configure() since, ${env:...} and
 * ${secret:...} references resolved. */
#define PATCHBAY_SERVICE_CONFIG "patchbay.config/1"
typedef struct patchbay_config_v1 {
    uint32_t struct_size;
    /* The value at an RFC 6901 JSON pointer ("" = the whole) as JSON text, to sink(user, pointer,
     * value). PATCHBAY_E_NOT_FOUND where there is none. */
    patchbay_status (*get)(const patchbay_host* host, patchbay_str pointer, patchbay_sink sink,
                           void* user);
} patchbay_config_v1;

/* A durable key-value store. Keys: 1 to 512 bytes of UTF-8. Values: up to 16 MiB of any bytes.
 * Every value has a version that grows with each write; 0 stands for "absent". */
#define PATCHBAY_SERVICE_STORE "patchbay.store/1"
typedef struct patchbay_store_v1 {
    uint32_t struct_size;
    /* sink(user, key, value) once, *version (may be NULL) its version; or PATCHBAY_E_NOT_FOUND. */
    patchbay_status (*get)(const patchbay_host* host, patchbay_str key, patchbay_sink sink,
                           void* user, int64_t* version);
    /* Writes durably. if_version: -1 = whatever is there; otherwise the version that must be there
     * now (0 = none), else PATCHBAY_E_BUSY and nothing is written. *version (may be NULL): the new.
     */
    patchbay_status (*put)(const patchbay_host* host, patchbay_str key, patchbay_str value,
                           int64_t if_version, int64_t* version);
    /* PATCHBAY_E_NOT_FOUND if there was nothing to remove. if_version as in put. */
    patchbay_status (*remove)(const patchbay_host* host, patchbay_str key, int64_t if_version);
    /* sink(user, key, value) for each key that starts with prefix, in byte order, beginning after
     * `after` (empty = the first), at most `limit` (1 to 1000). */
    patchbay_status (*list)(const patchbay_host* host, patchbay_str prefix, patchbay_str after,
                            uint32_t limit, patchbay_sink sink, void* user);
} patchbay_store_v1;

/* 1.1. Values that are encrypted at rest, and never in a log: tokens, passwords, keys. Names are
 * like the store's keys; values have up to 64 KiB. Apart from the store: neither sees the other's.
 */
#define PATCHBAY_SERVICE_SECRETS "patchbay.secrets/1"
typedef struct patchbay_secrets_v1 {
    uint32_t struct_size;
    /* As in the store. PATCHBAY_E_INTERNAL also where the host has no longer the key for it. */
    patchbay_status (*get)(const patchbay_host* host, patchbay_str name, patchbay_sink sink,
                           void* user, int64_t* version);
    patchbay_status (*put)(const patchbay_host* host, patchbay_str name, patchbay_str value,
                           int64_t if_version, int64_t* version);
    patchbay_status (*remove)(const patchbay_host* host, patchbay_str name, int64_t if_version);
    /* As in the store, but names alone: the sink's value is empty. */
    patchbay_status (*list)(const patchbay_host* host, patchbay_str prefix, patchbay_str after,
                            uint32_t limit, patchbay_sink sink, void* user);
    /* One of the organisation's own (patchbay secrets set), which ${secret:name} means in its file:
     * for a capability that takes mcpServers, since those that are registered at run time name them
     * too. PATCHBAY_E_DENIED for every other. */
    patchbay_status (*get_own)(const patchbay_host* host, patchbay_str name, patchbay_sink sink,
                               void* user);
} patchbay_secrets_v1;

/* The end of an invoked call: as in complete(), seen from the other side. Called exactly once, on
 * any thread, possibly before invoke() returns. */
typedef void (*patchbay_invoke_done)(void* user, patchbay_status status, patchbay_str body);

/* Calls what the organisation's catalog exposes (other plugins included), through the same
 * admission as a client's call. */
#define PATCHBAY_SERVICE_INVOKE "patchbay.invoke/1"
typedef struct patchbay_invoke_v1 {
    uint32_t struct_size;
    /* method: tools/call, tools/list, resources/read, resources/list, prompts/get, prompts/list.
     * params: its params with the names that the catalog exposes. parent: the call on whose
     * authority, deadline and trace this runs (cancelled with it), or PATCHBAY_NO_CALL for the
     * capability's own service identity. timeout_ns: 0 = the default; never beyond the parent's.
     * PATCHBAY_OK: done will be called. Otherwise it will not: PATCHBAY_E_GONE (no such parent, or
     * stopping), PATCHBAY_E_BUSY (nested too deep, or too many at once), PATCHBAY_E_INVALID. */
    patchbay_status (*invoke)(const patchbay_host* host, patchbay_call parent, patchbay_str method,
                              patchbay_str params, int64_t timeout_ns, patchbay_invoke_done done,
                              void* user);
    /* 1.1. The same among servers that only this call sees, laid over the catalog. scope is a JSON
     * array of {"mcpServers":{name: definition}} objects, least specific first (an agent's, then a
     * session's); by name the last counts, and a server hides what the organisation has under its
     * namespace. Empty is no scope. They are opened by the capability whose manifest takes
     * mcpServers, shared by all calls of the organisation with the same servers, kept while they
     * are used, and closed when they have been idle for a while and the last call in them has
     * ended. done gets PATCHBAY_E_INVALID where the scope is wrong, PATCHBAY_E_BUSY where it cannot
     * be opened now. A server that cannot be reached costs the others nothing: the lists have
     * {"patchbay/left_out":[sentences]} in their _meta then, and the error for a name that is not
     * found says it too. PATCHBAY_E_UNSUPPORTED: no scopes here. */
    patchbay_status (*invoke_in)(const patchbay_host* host, patchbay_call parent,
                                 patchbay_str scope, patchbay_str method, patchbay_str params,
                                 int64_t timeout_ns, patchbay_invoke_done done, void* user);
} patchbay_invoke_v1;

/* Receives an event: topic and a JSON value. [worker], one at a time for each subscription. */
typedef void (*patchbay_event_fn)(void* user, patchbay_str topic, patchbay_str data);

/* Events between the capabilities of one organisation. Delivered at most once, in order for each
 * publisher, to those subscribed at that moment; not stored. */
#define PATCHBAY_SERVICE_EVENTS "patchbay.events/1"
typedef struct patchbay_events_v1 {
    uint32_t struct_size;
    /* topic: 1 to 128 bytes; data: a JSON value. PATCHBAY_E_AGAIN: a subscriber's queue is full and
     * nobody received it. */
    patchbay_status (*publish)(const patchbay_host* host, patchbay_str topic, patchbay_str data);
    /* Every topic that starts with prefix. *id names the subscription. */
    patchbay_status (*subscribe)(const patchbay_host* host, patchbay_str prefix,
                                 patchbay_event_fn fn, void* user, uint64_t* id);
    /* After this returns fn is not running and is not called again (unless called from fn itself).
     * stop() implies it for every subscription. */
    patchbay_status (*unsubscribe)(const patchbay_host* host, uint64_t id);
} patchbay_events_v1;

/* 1.1. Virtual capabilities: further sources of tools, resources and prompts that an instance makes
 * at run time, such as one for each server that it stands for. Each has a namespace of its own, and
 * lists, a bound on its calls and a breaker of its own: one that hangs costs the others nothing.
 * The host asks the instance itself: handle() gets server/discover, the lists and the calls of a
 * virtual capability with "capability" in their context.
 *
 * What is offered inside start() takes the place of what the instance's predecessor offered in one
 * moment, and those of an instance that stops go with it. */
#define PATCHBAY_SERVICE_CAPABILITIES "patchbay.capabilities/1"
typedef struct patchbay_capabilities_v1 {
    uint32_t struct_size;
    /* spec, a JSON object:
     *   name                 1 to 100 of [a-z0-9_.:-], beginning with a letter or digit, with a
     *                        ':', so that no capability of a manifest has it: "mcp:github"
     *   namespace            as that of any capability: "github"
     *   title, description   optional, for people
     *   lists                optional, as in the manifest
     *   call_time_ms         optional, 1 to 86400000: the time that its calls get where the caller
     *                        names none, instead of the host's default. More than the host lets
     *                        any call have (calls.max_timeout_ms of its configuration) is that.
     * Offered again under the same name it replaces what was said, and the lists are asked for
     * again if that differs. The lists are asked for soon, on another thread; answer them at once
     * from what is known, since the organisation's other changes wait meanwhile, and say with
     * notify() that there is more.
     * PATCHBAY_E_INVALID: the spec is wrong. PATCHBAY_E_BUSY: another capability of the
     * organisation has the name or the namespace at this moment, or the instance offers 1000
     * already. PATCHBAY_E_GONE: stopping. Then reason(user, name, sentence) is called once, unless
     * it is NULL; the host's log has the sentence too. (What comes under a namespace that is taken
     * by the time the catalog is made is left out, with a warning in the log that names both.) */
    patchbay_status (*offer)(const patchbay_host* host, patchbay_str spec, patchbay_sink reason,
                             void* user);
    /* Its calls that still run go on. PATCHBAY_E_NOT_FOUND if it is not offered. */
    patchbay_status (*withdraw)(const patchbay_host* host, patchbay_str name);
    /* As patchbay_host.notify with PATCHBAY_NO_CALL, for this capability. PATCHBAY_E_NOT_FOUND if
     * it is not offered. */
    patchbay_status (*notify)(const patchbay_host* host, patchbay_str name, patchbay_str method,
                              patchbay_str params);
} patchbay_capabilities_v1;

/* [worker] A timer went off. */
typedef void (*patchbay_timer_fn)(void* user);

/* Timers. In memory: they end with the instance. */
#define PATCHBAY_SERVICE_SCHEDULE "patchbay.schedule/1"
typedef struct patchbay_schedule_v1 {
    uint32_t struct_size;
    /* Calls fn after delay_ns, then every period_ns (0 = once; at least 1 ms); never while it still
     * runs. */
    patchbay_status (*schedule)(const patchbay_host* host, int64_t delay_ns, int64_t period_ns,
                                patchbay_timer_fn fn, void* user, uint64_t* id);
    /* As unsubscribe. PATCHBAY_E_NOT_FOUND if it has already ended. */
    patchbay_status (*cancel)(const patchbay_host* host, uint64_t id);
} patchbay_schedule_v1;

/* --------------------------------------------------------------------------------------------------
 * Released offsets are frozen (64-bit platforms, the only ones supported). */
#if defined(__cplusplus)
#define PATCHBAY_FROZEN_(type, member, at) \
    static_assert(offsetof(type, member) == (at), "released ABI: " #type "." #member)
#else
#define PATCHBAY_FROZEN_(type, member, at) \
    _Static_assert(offsetof(type, member) == (at), "released ABI: " #type "." #member)
#endif
PATCHBAY_FROZEN_(patchbay_request, method, 8);
PATCHBAY_FROZEN_(patchbay_request, params, 24);
PATCHBAY_FROZEN_(patchbay_request, context, 40);
PATCHBAY_FROZEN_(patchbay_request, deadline_ns, 56);
PATCHBAY_FROZEN_(patchbay_host, impl, 8);
PATCHBAY_FROZEN_(patchbay_host, service, 16);
PATCHBAY_FROZEN_(patchbay_host, log, 24);
PATCHBAY_FROZEN_(patchbay_host, complete, 32);
PATCHBAY_FROZEN_(patchbay_host, notify, 40);
PATCHBAY_FROZEN_(patchbay_host, wait, 48);
PATCHBAY_FROZEN_(patchbay_plugin, impl, 8);
PATCHBAY_FROZEN_(patchbay_plugin, start, 16);
PATCHBAY_FROZEN_(patchbay_plugin, stop, 24);
PATCHBAY_FROZEN_(patchbay_plugin, destroy, 32);
PATCHBAY_FROZEN_(patchbay_plugin, handle, 40);
PATCHBAY_FROZEN_(patchbay_plugin, cancel, 48);
PATCHBAY_FROZEN_(patchbay_plugin, configure, 56);
PATCHBAY_FROZEN_(patchbay_config_v1, get, 8);
PATCHBAY_FROZEN_(patchbay_store_v1, list, 32);
PATCHBAY_FROZEN_(patchbay_invoke_v1, invoke, 8);
PATCHBAY_FROZEN_(patchbay_invoke_v1, invoke_in, 16);
PATCHBAY_FROZEN_(patchbay_events_v1, unsubscribe, 24);
PATCHBAY_FROZEN_(patchbay_schedule_v1, cancel, 16);
PATCHBAY_FROZEN_(patchbay_secrets_v1, list, 32);
PATCHBAY_FROZEN_(patchbay_secrets_v1, get_own, 40);
PATCHBAY_FROZEN_(patchbay_capabilities_v1, offer, 8);
PATCHBAY_FROZEN_(patchbay_capabilities_v1, withdraw, 16);
PATCHBAY_FROZEN_(patchbay_capabilities_v1, notify, 24);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* PATCHBAY_PLUGIN_H, NOLINTEND(modernize-*,bugprone-macro-*) */
