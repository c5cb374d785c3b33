// SPDX-License-Identifier: Apache-2.0
// A plugin on the bare C interface that breaks its rules, a different one for each method. What the
// host answered it meanwhile, and how often each of its functions threw, it writes, as one line of
// JSON, to the file that its configuration names as "report".
#include <patchbay/plugin.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

PATCHBAY_MANIFEST("{\"id\":\"rude\",\"version\":\"1.0.0\",\"abi\":\"1.0\"}");

namespace {

using nlohmann::json;

patchbay_str str(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(patchbay_str text) { return {text.data, text.size}; }

struct Rude {
    patchbay_plugin table{};
    const patchbay_host* host = nullptr;
    std::string throws, report;
    std::mutex mutex;
    json seen = json::object();
    std::vector<std::thread> threads;
    std::atomic<patchbay_call> last{PATCHBAY_NO_CALL};

    patchbay_status complete(patchbay_call call, std::string_view body = "{}") {
        return host->complete(host, call, PATCHBAY_OK, str(body));
    }
    void saw(const char* what, patchbay_status status) {
        std::lock_guard lock(mutex);
        seen[what] = status;
    }
    // What the host says to somebody whose call is over.
    void use_stale(patchbay_call call, const std::string& when) {
        saw((when + ".complete").c_str(), complete(call));
        saw((when + ".notify").c_str(),
            host->notify(host, call, str("notifications/progress"), str("{\"progress\":1}")));
        saw((when + ".wait").c_str(), host->wait(host, call, 3'600'000'000'000));
        host->log(host, PATCHBAY_LOG_INFO, str("still here"), str("{\"call\":1}"));
    }
    void use_instance(const std::string& when) {
        saw((when + ".announce").c_str(),
            host->notify(host, PATCHBAY_NO_CALL, str("notifications/tools/list_changed"),
                         str("{}")));
        saw((when + ".sleep").c_str(), host->wait(host, PATCHBAY_NO_CALL, 3'600'000'000'000));
    }
    void write_report() {
        std::lock_guard lock(mutex);
        if (!report.empty()) std::ofstream(report) << seen.dump() << '\n';
    }
    int thrown(const std::string& where) {
        std::lock_guard lock(mutex);
        return seen.value("threw." + where, 0);
    }
    // Written at once: after some of its throws the host does not call it again.
    [[noreturn]] void fail(const std::string& where) {
        {
            std::lock_guard lock(mutex);
            seen["threw." + where] = seen.value("threw." + where, 0) + 1;
        }
        write_report();
        throw std::runtime_error(where);
    }
    void run(std::function<void()> work) {
        std::lock_guard lock(mutex);
        threads.emplace_back(std::move(work));
    }
    void join() {
        std::vector<std::thread> all;
        {
            std::lock_guard lock(mutex);
            all.swap(threads);
        }
        for (auto& each : all)
            each.join();
    }
};

Rude& of(patchbay_plugin* self) { return *static_cast<Rude*>(self->impl); }

patchbay_status start(patchbay_plugin* self, patchbay_str message) {
    Rude& me = of(self);
    const json config = json::parse(view(message)).at("config");
    me.throws = config.value("throws", "");
    me.report = config.value("report", "");
    if (me.throws == "start") me.fail("start");
    return PATCHBAY_OK;
}

void stop(patchbay_plugin* self) {
    Rude& me = of(self);
    me.join();
    if (me.last != PATCHBAY_NO_CALL) me.use_stale(me.last, "stop");
    me.use_instance("stop");
    if (me.throws == "stop") me.fail("stop");
}

void destroy(patchbay_plugin* self) {
    Rude& me = of(self);
    me.use_instance("destroy");
    me.write_report();
    if (me.throws == "destroy") me.fail("destroy");
    delete &me;
}

// Keeps the call until the host no longer wants it, and answers then.
void wait_for_the_end(Rude& me, patchbay_call call) {
    me.saw("late.wait", me.host->wait(me.host, call, 3'600'000'000'000));
    me.saw("late.first", me.complete(call));
    me.saw("late.second", me.complete(call));
}

template <class Table>
const Table& service(Rude& me, const char* id) {
    return *static_cast<const Table*>(me.host->service(me.host, id));
}

// A sink, which the host calls with whatever it was asked for.
void spill(void* user, patchbay_str, patchbay_str) { static_cast<Rude*>(user)->fail("sink"); }

void throw_in_sinks(Rude& me) {
    const auto& config = service<patchbay_config_v1>(me, PATCHBAY_SERVICE_CONFIG);
    const auto& store = service<patchbay_store_v1>(me, PATCHBAY_SERVICE_STORE);
    me.saw("sink.config", config.get(me.host, str(""), spill, &me));
    me.saw("store.put", store.put(me.host, str("key"), str("value"), -1, nullptr));
    me.saw("sink.store_get", store.get(me.host, str("key"), spill, &me, nullptr));
    me.saw("sink.store_list", store.list(me.host, str("k"), str(""), 10, spill, &me));
    // The store is none the worse for it.
    me.saw("store.remove", store.remove(me.host, str("key"), -1));
}

// Ends with the call at the latest.
void throw_when_called_back(Rude& me, patchbay_call call) {
    const auto& invoke = service<patchbay_invoke_v1>(me, PATCHBAY_SERVICE_INVOKE);
    const auto& schedule = service<patchbay_schedule_v1>(me, PATCHBAY_SERVICE_SCHEDULE);
    const auto& events = service<patchbay_events_v1>(me, PATCHBAY_SERVICE_EVENTS);
    me.saw("invoke", invoke.invoke(
                         me.host, PATCHBAY_NO_CALL, str("tools/list"), str("{}"), 0,
                         [](void* user, patchbay_status, patchbay_str) {
                             static_cast<Rude*>(user)->fail("done");
                         },
                         &me));
    std::uint64_t timer = 0, subscription = 0;
    schedule.schedule(
        me.host, 0, 1'000'000, [](void* user) { static_cast<Rude*>(user)->fail("timer"); }, &me,
        &timer);
    events.subscribe(
        me.host, str("rude."),
        [](void* user, patchbay_str, patchbay_str) { static_cast<Rude*>(user)->fail("event"); },
        &me, &subscription);
    // More than one each: the first throw must not have ended the thread that the next one needs.
    while (me.thrown("done") < 1 || me.thrown("timer") < 3 || me.thrown("event") < 3) {
        events.publish(me.host, str("rude.event"), str("1"));
        if (me.host->wait(me.host, call, 1'000'000) != PATCHBAY_OK) break;
    }
    me.saw("timer.cancel", schedule.cancel(me.host, timer));
    me.saw("event.unsubscribe", events.unsubscribe(me.host, subscription));
}

void handle(patchbay_plugin* self, patchbay_call call, const patchbay_request* request) {
    Rude& me = of(self);
    const std::string_view method = view(request->method);
    me.last = call;
    if (method == "throw") throw std::runtime_error("handle");
    if (method == "throw_number") throw 5;
    if (method == "answer_then_throw") {
        me.complete(call, "{\"answered\":true}");
        throw std::runtime_error("too late");
    }
    if (method == "twice") {
        me.saw("twice.first", me.complete(call, "{\"number\":1}"));
        me.saw("twice.second", me.complete(call, "{\"number\":2}"));
    } else if (method == "never") {
        // Nobody answers.
    } else if (method == "late") {
        me.run([&me, call] { wait_for_the_end(me, call); });
    } else if (method == "elsewhere") {
        me.run([&me, call] { me.complete(call, "{\"elsewhere\":true}"); });
    } else if (method == "stale") {
        me.complete(call);
        me.use_stale(call, "stale");
    } else if (method == "invented") {
        me.use_stale(call + 1'000'000, "invented");
        me.complete(call);
    } else if (method == "sinks") {
        throw_in_sinks(me);
        me.complete(call);
    } else if (method == "callbacks") {
        throw_when_called_back(me, call);
        me.complete(call);
    } else if (method == "report") {
        me.join();
        std::unique_lock lock(me.mutex);
        const std::string body = me.seen.dump();
        lock.unlock();
        me.complete(call, body);
    } else {
        me.complete(call);
    }
}

void cancel(patchbay_plugin* self, patchbay_call) {
    if (of(self).throws == "cancel") of(self).fail("cancel");
}

}  // namespace

extern "C" PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    auto* made = new (std::nothrow) Rude;
    if (!made) return nullptr;
    made->host = host;
    made->table.struct_size = sizeof(patchbay_plugin);
    made->table.abi_major = PATCHBAY_ABI_MAJOR;
    made->table.abi_minor = PATCHBAY_ABI_MINOR;
    made->table.impl = made;
    made->table.start = start;
    made->table.stop = stop;
    made->table.destroy = destroy;
    made->table.handle = handle;
    made->table.cancel = cancel;
    return &made->table;
}
