// SPDX-License-Identifier: Apache-2.0
// A plugin on the C++ SDK of which every kind of handler throws.
#include <atomic>
#include <chrono>
#include <patchbay/plugin.hpp>
#include <stdexcept>
#include <thread>

namespace {

struct Settings {
    bool broken = false;
};
PATCHBAY_STRUCT(Settings, PATCHBAY_FIELD(broken, "Fail to start").default_value(false))

using namespace std::chrono_literals;

// The threads of one instance's calls; the instance joins them when it stops.
struct Threads {
    std::mutex mutex;
    std::vector<std::thread> all;
    void add(std::thread thread) {
        std::lock_guard lock(mutex);
        all.push_back(std::move(thread));
    }
};

void add_tools(patchbay::Plugin& plugin) {
    plugin.tool("fine").handle([] { return "fine"; });
    plugin.tool("exception").handle([]() -> std::string { throw std::runtime_error("no luck"); });
    plugin.tool("number").handle([]() -> std::string { throw 42; });
    plugin.tool("failure").handle(
        []() -> std::string { throw patchbay::Error("moon_wrong", "the moon is wrong"); });
    plugin.tool("protocol").handle([]() -> std::string {
        throw patchbay::ProtocolError(PATCHBAY_E_BUSY, "come back later");
    });
    plugin.method("x/own",
                  [](patchbay::Call&) -> patchbay::json { throw std::runtime_error("no luck"); });
}

void add_async_tools(patchbay::Plugin& plugin) {
    auto threads = std::make_shared<Threads>();
    plugin.tool("async").handle_async(
        [](patchbay::AsyncCall) { throw std::runtime_error("no luck"); });
    plugin.tool("async_later").handle_async([threads](patchbay::AsyncCall call) {
        threads->add(std::thread([call = std::move(call)]() mutable {
            call.finish_with(
                [](patchbay::Call&) -> std::string { throw std::runtime_error("no luck later"); });
        }));
    });
    plugin.tool("async_dropped").handle_async([threads](patchbay::AsyncCall call) {
        threads->add(std::thread(
            [call = std::move(call)]() mutable { patchbay::AsyncCall gone = std::move(call); }));
    });
    plugin.tool("cancelled").handle_async([threads](patchbay::AsyncCall call) {
        call.on_cancel([] { throw std::runtime_error("no luck at the end"); });
        threads->add(std::thread([call = std::move(call)]() mutable {
            call.finish_with([](patchbay::Call& inside) {
                inside.sleep(1h);
                return "slept";
            });
        }));
    });
    plugin.on_stop([threads] {
        for (auto& each : threads->all)
            each.join();
    });
}

void add_others(patchbay::Plugin& plugin) {
    plugin.resource("thrower://one").read([]() -> std::string {
        throw std::runtime_error("no luck reading");
    });
    plugin.resource_template("thrower://many/{which}")
        .complete("which",
                  [](const patchbay::Completing&) -> patchbay::Completions {
                      throw std::runtime_error("no luck guessing");
                  })
        .read([](const patchbay::Variables&) -> std::string {
            throw std::runtime_error("no luck reading");
        });
    plugin.prompt("poem").get([](const patchbay::Variables&) -> std::string {
        throw std::runtime_error("no luck rhyming");
    });
    plugin.subscriptions(
        [](const std::string&) { throw std::runtime_error("no luck subscribing"); },
        [](const std::string&) { throw std::runtime_error("no luck unsubscribing"); });
}

// What nobody asked for; how often it has thrown is the answer of "unasked".
void add_unasked(patchbay::Plugin& plugin) {
    auto count = std::make_shared<std::atomic<int>>(0);
    plugin.every(1ms, [count] {
        ++*count;
        throw std::runtime_error("no luck with time");
    });
    auto events = std::make_shared<std::atomic<int>>(0);
    plugin.on_event("thrower.", [events](std::string_view, const patchbay::json&) {
        ++*events;
        throw std::runtime_error("no luck with events");
    });
    plugin.tool("unasked").handle([count, events, &plugin](patchbay::Call& call) {
        while (*count < 3 || *events < 3) {
            plugin.events().publish("thrower.event", 1);
            call.sleep(1ms);
        }
        return "it threw";
    });
    plugin.tool("reply").handle([&plugin] {
        plugin.invoke_async("nobody", patchbay::json::object(), [](patchbay::Reply) {
            throw std::runtime_error("no luck with the reply");
        });
        return "asked";
    });
    plugin.on_stop([] { throw std::runtime_error("no luck stopping"); });
}

}  // namespace

PATCHBAY_PLUGIN("thrower", "1.0.0", plugin) {
    if (plugin.config<Settings>().broken) throw std::runtime_error("no luck today");
    add_tools(plugin);
    add_async_tools(plugin);
    add_others(plugin);
    add_unasked(plugin);
}
