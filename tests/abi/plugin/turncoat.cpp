// SPDX-License-Identifier: Apache-2.0
// A plugin that is built twice, as two versions, to be replaced by each other. It counts how many
// of its instances live, in the whole life of its image, and has something to lose if it leaks: a
// thread, a timer, a subscription and half a megabyte each.
#include <atomic>
#include <condition_variable>
#include <patchbay/plugin.hpp>
#include <thread>

namespace {

std::atomic<int> living{0};

class Belongings {
  public:
    Belongings() : memory_(512 * 1024, 'x'), thread_([this] { wait_for_the_end(); }) { ++living; }
    ~Belongings() {
        {
            std::lock_guard lock(mutex_);
            over_ = true;
        }
        changed_.notify_all();
        thread_.join();
        --living;
    }
    Belongings(const Belongings&) = delete;
    Belongings& operator=(const Belongings&) = delete;

  private:
    void wait_for_the_end() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return over_; });
    }
    std::string memory_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace

PATCHBAY_PLUGIN("turncoat", TURNCOAT_VERSION, plugin) {
    auto belongings = std::make_shared<Belongings>();
    plugin.every(std::chrono::milliseconds(5), [belongings] {});
    plugin.on_event("turncoat.", [belongings](std::string_view, const patchbay::json&) {});
    plugin.tool("version").read_only().handle([belongings] { return TURNCOAT_VERSION; });
    plugin.tool("living").read_only().handle([] { return std::to_string(living); });
}
