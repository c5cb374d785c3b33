// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "fake_host.h"

namespace sdk_test::services {

using patchbay::view;

namespace {

struct Subscription {
    std::string prefix;
    patchbay_event_fn fn;
    void* user;
};
struct Timer {
    patchbay_timer_fn fn;
    void* user;
    std::int64_t period;
};
struct State {
    std::map<std::string, std::pair<std::string, std::int64_t>> entries;
    std::int64_t version = 0;
    std::optional<patchbay_status> store_failure;
    bool puts_fail = false;
    std::map<std::uint64_t, Subscription> subscriptions;
    std::map<std::uint64_t, Timer> timers;
    std::uint64_t id = 0;
    std::vector<Invocation> invocations;
    patchbay_status invoke_refusal = PATCHBAY_OK;
    patchbay_status invoke_status = PATCHBAY_OK;
    std::string invoke_body = "{}";
    bool invoke_later = false;
    std::map<std::string, std::string> config;
    std::map<std::string, json> offered;
    std::vector<std::string> said;
    std::set<std::string> taken{"taken"};
};
State state;
std::recursive_mutex mutex;  // of the store and of what is offered: plugins use both on any thread

using Locked = std::lock_guard<std::recursive_mutex>;

std::optional<patchbay_status> store_failure() {
    return std::exchange(state.store_failure, std::nullopt);
}

bool version_fits(const std::string& key, std::int64_t wanted) {
    const auto at = state.entries.find(key);
    return wanted == -1 || wanted == (at == state.entries.end() ? 0 : at->second.second);
}

patchbay_status store_get(const patchbay_host*, patchbay_str key, patchbay_sink sink, void* user,
                          std::int64_t* version) {
    const Locked locked(mutex);
    if (const auto failure = store_failure()) return *failure;
    const auto at = state.entries.find(std::string(view(key)));
    if (at == state.entries.end()) return PATCHBAY_E_NOT_FOUND;
    if (version != nullptr) *version = at->second.second;
    sink(user, key, view(at->second.first));
    return PATCHBAY_OK;
}

patchbay_status store_put(const patchbay_host*, patchbay_str key, patchbay_str value,
                          std::int64_t if_version, std::int64_t* version) {
    const Locked locked(mutex);
    if (const auto failure = store_failure()) return *failure;
    const std::string name(view(key));
    if (state.puts_fail) return PATCHBAY_E_INTERNAL;
    if (!version_fits(name, if_version)) return PATCHBAY_E_BUSY;
    state.entries[name] = {std::string(view(value)), ++state.version};
    if (version != nullptr) *version = state.version;
    return PATCHBAY_OK;
}

patchbay_status store_remove(const patchbay_host*, patchbay_str key, std::int64_t if_version) {
    const Locked locked(mutex);
    if (const auto failure = store_failure()) return *failure;
    const std::string name(view(key));
    if (state.entries.count(name) == 0) return PATCHBAY_E_NOT_FOUND;
    if (!version_fits(name, if_version)) return PATCHBAY_E_BUSY;
    state.entries.erase(name);
    return PATCHBAY_OK;
}

patchbay_status store_list(const patchbay_host*, patchbay_str prefix, patchbay_str after,
                           std::uint32_t limit, patchbay_sink sink, void* user) {
    const Locked locked(mutex);
    if (const auto failure = store_failure()) return *failure;
    for (const auto& [key, entry] : state.entries) {
        if (limit == 0) break;
        if (key <= view(after) || key.rfind(view(prefix), 0) != 0) continue;
        sink(user, view(key), view(entry.first));
        --limit;
    }
    return PATCHBAY_OK;
}

patchbay_status own_secret(const patchbay_host* host, patchbay_str name, patchbay_sink sink,
                           void* user) {
    const auto key = "own:" + std::string(view(name));
    return store_get(host, view(key), sink, user, nullptr);
}

patchbay_status publish(const patchbay_host*, patchbay_str topic, patchbay_str data) {
    if (view(topic) == "full") return PATCHBAY_E_AGAIN;
    const auto subscriptions = state.subscriptions;
    for (const auto& [id, subscription] : subscriptions) {
        if (view(topic).substr(0, subscription.prefix.size()) != subscription.prefix) continue;
        subscription.fn(subscription.user, topic, data);
    }
    return PATCHBAY_OK;
}

patchbay_status subscribe(const patchbay_host*, patchbay_str prefix, patchbay_event_fn fn,
                          void* user, std::uint64_t* id) {
    *id = ++state.id;
    state.subscriptions[*id] = {std::string(view(prefix)), fn, user};
    return PATCHBAY_OK;
}

patchbay_status unsubscribe(const patchbay_host*, std::uint64_t id) {
    return state.subscriptions.erase(id) != 0 ? PATCHBAY_OK : PATCHBAY_E_NOT_FOUND;
}

patchbay_status start_timer(const patchbay_host*, std::int64_t, std::int64_t period,
                            patchbay_timer_fn fn, void* user, std::uint64_t* id) {
    *id = ++state.id;
    state.timers[*id] = {fn, user, period};
    return PATCHBAY_OK;
}

patchbay_status cancel_timer(const patchbay_host*, std::uint64_t id) {
    return state.timers.erase(id) != 0 ? PATCHBAY_OK : PATCHBAY_E_NOT_FOUND;
}

patchbay_status do_invoke_in(const patchbay_host*, patchbay_call parent, patchbay_str scope,
                             patchbay_str method, patchbay_str params, std::int64_t timeout,
                             patchbay_invoke_done done, void* user) {
    state.invocations.push_back({parent, std::string(view(method)), json::parse(view(params)),
                                 timeout, std::string(view(scope))});
    if (state.invoke_refusal != PATCHBAY_OK) return state.invoke_refusal;
    const auto answer = [done, user, status = state.invoke_status, body = state.invoke_body] {
        done(user, status, view(body));
    };
    if (state.invoke_later) {
        std::thread(answer).detach();
    } else {
        answer();
    }
    return PATCHBAY_OK;
}

patchbay_status do_invoke(const patchbay_host* host, patchbay_call parent, patchbay_str method,
                          patchbay_str params, std::int64_t timeout, patchbay_invoke_done done,
                          void* user) {
    return do_invoke_in(host, parent, {nullptr, 0}, method, params, timeout, done, user);
}

patchbay_status get_config(const patchbay_host*, patchbay_str pointer, patchbay_sink sink,
                           void* user) {
    const auto at = state.config.find(std::string(view(pointer)));
    if (at == state.config.end()) return PATCHBAY_E_NOT_FOUND;
    sink(user, pointer, view(at->second));
    return PATCHBAY_OK;
}

// The namespace "taken" is somebody else's, and what take() said.
patchbay_status offer(const patchbay_host*, patchbay_str text, patchbay_sink reason, void* user) {
    const Locked locked(mutex);
    const json spec = json::parse(view(text));
    if (state.taken.contains(spec["namespace"].get<std::string>())) {
        if (reason != nullptr) reason(user, view("x"), view("wiki has it"));
        return PATCHBAY_E_BUSY;
    }
    state.offered[spec["name"]] = spec;
    return PATCHBAY_OK;
}
patchbay_status withdraw(const patchbay_host*, patchbay_str name) {
    const Locked locked(mutex);
    return state.offered.erase(std::string(view(name))) != 0 ? PATCHBAY_OK : PATCHBAY_E_NOT_FOUND;
}
patchbay_status say(const patchbay_host*, patchbay_str name, patchbay_str method,
                    patchbay_str params) {
    const Locked locked(mutex);
    if (state.offered.count(std::string(view(name))) == 0) return PATCHBAY_E_NOT_FOUND;
    state.said.push_back(std::string(view(name)) + " " + std::string(view(method)) + " " +
                         std::string(view(params)));
    return PATCHBAY_OK;
}

}  // namespace

const patchbay_store_v1* store() {
    static const patchbay_store_v1 table{sizeof table, store_get, store_put, store_remove,
                                         store_list};
    return &table;
}
const patchbay_secrets_v1* secrets() {
    static const patchbay_secrets_v1 table{sizeof table, store_get,  store_put,
                                           store_remove, store_list, own_secret};
    return &table;
}
const patchbay_events_v1* events() {
    static const patchbay_events_v1 table{sizeof table, publish, subscribe, unsubscribe};
    return &table;
}
const patchbay_schedule_v1* schedule() {
    static const patchbay_schedule_v1 table{sizeof table, start_timer, cancel_timer};
    return &table;
}
const patchbay_invoke_v1* invoke() {
    static const patchbay_invoke_v1 table{sizeof table, do_invoke, do_invoke_in};
    return &table;
}
const patchbay_config_v1* config() {
    static const patchbay_config_v1 table{sizeof table, get_config};
    return &table;
}

const patchbay_capabilities_v1* capabilities() {
    static const patchbay_capabilities_v1 table{sizeof table, offer, withdraw, say};
    return &table;
}

void reset() { state = State{}; }
void fail_store(patchbay_status status) { state.store_failure = status; }
void fail_puts(bool fail) {
    const Locked locked(mutex);
    state.puts_fail = fail;
}
std::size_t subscriptions() { return state.subscriptions.size(); }
std::size_t timers() { return state.timers.size(); }
void fire_timers() {
    const auto timers = state.timers;
    for (const auto& [id, timer] : timers) {
        if (timer.period == 0) state.timers.erase(id);
        timer.fn(timer.user);
    }
}
std::vector<Invocation> invocations() { return state.invocations; }
void answer_invoke(patchbay_status status, std::string body, bool later) {
    state.invoke_status = status;
    state.invoke_body = std::move(body);
    state.invoke_later = later;
}
void refuse_invoke(patchbay_status status) { state.invoke_refusal = status; }
std::map<std::string, json> offered() {
    const Locked locked(mutex);
    return state.offered;
}
void take(const std::string& name_space) {
    const Locked locked(mutex);
    state.taken.insert(name_space);
}
std::vector<std::string> said() {
    const Locked locked(mutex);
    return state.said;
}
void set_config(std::string pointer, std::string value) {
    state.config[std::move(pointer)] = std::move(value);
}

}  // namespace sdk_test::services
