// SPDX-License-Identifier: Apache-2.0
// A plugin on the C++ SDK of which every kind of handler throws, and which counts where it did: an
// exception that nobody answers for is known by nothing else.
#include <chrono>
#include <map>
#include <mutex>
#include <patchbay/plugin.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Settings {
    bool broken = false;
};
PATCHBAY_STRUCT(Settings, PATCHBAY_FIELD(broken, "Fail to start").default_value(false))

using namespace std::chrono_literals;

// In the whole life of the image, so that a second instance can tell of the end of the first.
std::mutex thrown_mutex;
std::map<std::string, int> thrown;

[[noreturn]] void fail(const std::string& where) {
    {
        std::lock_guard lock(thrown_mutex);
        ++thrown[where];
    }
    throw std::runtime_error("no luck " + where);
}

int times_thrown(const std::string& where) {
    std::lock_guard lock(thrown_mutex);
    return thrown[where];
}

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
    plugin.tool("cancelled")
        .handle_async([threads, host = plugin.host()](patchbay::AsyncCall call) {
            call.on_cancel([] { fail("cancelling"); });
            // The action goes with the call: it is kept until the action has thrown.
            threads->add(std::thread([call = std::move(call), host]() mutable {
                while (times_thrown("cancelling") == 0 &&
                       host->wait(host, PATCHBAY_NO_CALL, 1'000'000) == PATCHBAY_OK) {
                }
                call.complete("too late");
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
    plugin.prompt("poem")
        .optional_argument("mood")
        .complete("mood",
                  [](const patchbay::Completing&) -> patchbay::Completions {
                      throw std::runtime_error("no luck feeling");
                  })
        .get([](const patchbay::Variables&) -> std::string {
            throw std::runtime_error("no luck rhyming");
        });
    plugin.subscriptions(
        [](const std::string&) { throw std::runtime_error("no luck subscribing"); },
        [](const std::string&) { throw std::runtime_error("no luck unsubscribing"); });
}

// What nobody asked for. "unasked" ends when all of it has thrown, what repeats more than once: the
// first throw must not have ended it.
void add_unasked(patchbay::Plugin& plugin) {
    plugin.every(1ms, [] { fail("every"); });
    plugin.on_event("thrower.", [](std::string_view, const patchbay::json&) { fail("event"); });
    plugin.on_stop([] { fail("stopping"); });
    plugin.tool("unasked").handle([&plugin](patchbay::Call& call) {
        const auto once = plugin.schedule().after(1ms, [] { fail("after"); });
        plugin.invoke_async("nobody", patchbay::json::object(),
                            [](patchbay::Reply) { fail("reply"); });
        while (times_thrown("every") < 3 || times_thrown("event") < 3 ||
               times_thrown("after") < 1 || times_thrown("reply") < 1) {
            plugin.events().publish("thrower.event", 1);
            call.sleep(1ms);
        }
        return "it threw";
    });
    plugin.tool("thrown").handle([] {
        std::lock_guard lock(thrown_mutex);
        return patchbay::structured(thrown);
    });
}

}  // namespace

PATCHBAY_PLUGIN("thrower", "1.0.0", plugin) {
    if (plugin.config<Settings>().broken) throw std::runtime_error("no luck today");
    add_tools(plugin);
    add_async_tools(plugin);
    add_others(plugin);
    add_unasked(plugin);
}
