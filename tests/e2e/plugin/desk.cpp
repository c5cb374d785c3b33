// SPDX-License-Identifier: Apache-2.0
// The plugin of the end-to-end tests: what shows from outside whether the host keeps its promises.
// It is built twice, with another DESK_VERSION, to replace one by the other.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <patchbay/plugin.hpp>
#include <set>
#include <string>
#include <thread>

namespace {

using patchbay::Call;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;

struct NoteInput {
    std::string key, value;
};
PATCHBAY_STRUCT(NoteInput, PATCHBAY_FIELD(key, "Where"), PATCHBAY_FIELD(value, "What"))
struct KeyInput {
    std::string key;
};
PATCHBAY_STRUCT(KeyInput, PATCHBAY_FIELD(key, "Where"))
struct TagInput {
    std::string tag;
};
PATCHBAY_STRUCT(TagInput, PATCHBAY_FIELD(tag, "Names the occasion"))
struct PathInput {
    std::string path;
};
PATCHBAY_STRUCT(PathInput, PATCHBAY_FIELD(path, "Which file"))
struct SizeInput {
    int size;
};
PATCHBAY_STRUCT(SizeInput, PATCHBAY_FIELD(size, "Bytes of each").minimum(1))

// What calls leave for others, for as long as the instance lives.
class Desk {
  public:
    void raise(const std::string& flag) {
        const std::lock_guard lock(mutex_);
        raised_.insert(flag);
        changed_.notify_all();
    }
    void tick() {
        const std::lock_guard lock(mutex_);
        ++ticks_;
        changed_.notify_all();
    }
    void await(const std::string& flag, Call& call) {
        wait(call, [&] { return raised_.contains(flag); });
    }
    int await_ticks(int count, Call& call) {
        wait(call, [&] { return ticks_ >= count; });
        return count;
    }

  private:
    // Returns when `done` holds; throws Cancelled if the call ends before.
    template <class Done>
    void wait(Call& call, Done done) {
        std::unique_lock lock(mutex_);
        while (!done()) {
            changed_.wait_for(lock, 20ms);
            lock.unlock();
            call.check();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> raised_;
    int ticks_ = 0;
};
using DeskPtr = std::shared_ptr<Desk>;

void add_notes(patchbay::Plugin& plugin) {
    plugin.tool("remember")
        .describe("Keeps a note")
        .input<NoteInput>()
        .handle([&plugin](const NoteInput& in) {
            plugin.store().put(in.key, in.value);
            return "kept";
        });
    plugin.tool("recall")
        .describe("Reads a note")
        .input<KeyInput>()
        .read_only()
        .handle([&plugin](const KeyInput& in) -> std::string {
            const auto entry = plugin.store().get(in.key);
            return entry ? entry->value : "nothing";
        });
}

// Runs `body`; that the call was cancelled under it shows in the host's log.
template <class Body>
std::string watched(patchbay::Plugin& plugin, const std::string& what, Body body) {
    try {
        return body();
    } catch (const patchbay::Cancelled&) {
        plugin.log(patchbay::Level::info, what + " was cancelled");
        throw;
    }
}

void add_waiting(patchbay::Plugin& plugin, const DeskPtr& desk) {
    plugin.tool("wait")
        .describe("Waits until the occasion comes")
        .input<TagInput>()
        .handle([desk, &plugin](const TagInput& in, Call& call) {
            call.progress(1, "begun");
            desk->raise(in.tag + " is awaited");
            return watched(plugin, in.tag, [&] {
                desk->await(in.tag, call);
                return "came " + in.tag;
            });
        });
    // For a host that takes no new requests any more.
    plugin.tool("wait_for_file")
        .describe("Waits until a file is there")
        .input<PathInput>()
        .handle([](const PathInput& in, Call& call) {
            call.progress(1, "begun");
            while (!std::filesystem::exists(in.path))
                call.sleep(10ms);
            return "there";
        });
    plugin.tool("ignore_everything")
        .describe("Never ends, whatever happens")
        .handle([](Call& call) -> std::string {
            call.progress(1, "begun");
            for (;;)
                std::this_thread::sleep_for(1h);
        });
    // Returns only when the other call is inside, so that no test has to sleep.
    plugin.tool("awaited")
        .describe("Answers when somebody waits for the occasion")
        .input<TagInput>()
        .handle([desk](const TagInput& in, Call& call) {
            desk->await(in.tag + " is awaited", call);
            return "yes";
        });
    plugin.tool("open")
        .describe("Lets the occasion come")
        .input<TagInput>()
        .handle([desk](const TagInput& in) {
            desk->raise(in.tag);
            return "open";
        });
    plugin.tool("after_ticks")
        .describe("Answers when the timer has fired that often")
        .handle([desk](Call& call) { return std::to_string(desk->await_ticks(3, call)); });
    plugin.tool("pour")
        .describe("Sends log messages until it is cancelled")
        .input<SizeInput>()
        .handle([&plugin](const SizeInput& in, Call& call) {
            const std::string line(static_cast<std::size_t>(in.size), 'x');
            return watched(plugin, "pouring", [&]() -> std::string {
                for (;; call.check())
                    call.log(patchbay::Level::info, line);
            });
        });
}

}  // namespace

PATCHBAY_PLUGIN("desk", DESK_VERSION, plugin) {
    const auto desk = std::make_shared<Desk>();
    plugin.on_stop([&plugin] { plugin.log(patchbay::Level::info, "desk " DESK_VERSION " stops"); });
    plugin.tool("version").describe("Which build this is").read_only().handle([] {
        return DESK_VERSION;
    });
    plugin.tool("greeting").describe("As configured").read_only().handle([&plugin] {
        return plugin.config_json().value("greeting", "none");
    });
    plugin.tool("fail").describe("Always fails").handle([]() -> patchbay::Result {
        throw patchbay::Error("closed", "the desk is closed").transient(60);
    });
    add_notes(plugin);
    add_waiting(plugin, desk);
    plugin.every(10ms, [desk] { desk->tick(); });
}
