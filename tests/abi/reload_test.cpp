// SPDX-License-Identifier: Apache-2.0
// A plugin's file is replaced again and again while many threads call it: no call fails, every new
// version is seen, and nothing piles up.
#include <malloc.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "abi/bench.h"

namespace pb::abi {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const std::string& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::size_t heap_in_use() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

std::size_t resident_kib() {
    malloc_trim(0);  // what is free says nothing
    const std::string status = plugin::read("/proc/self/status");
    return std::stoul(status.substr(status.find("RssAnon:") + 8));
}

std::size_t memory_mappings() {
    const std::string maps = plugin::read("/proc/self/maps");
    return static_cast<std::size_t>(std::count(maps.begin(), maps.end(), '\n'));
}

// What a host could lose a little of with each reload.
struct Footprint {
    std::size_t threads = entries("/proc/self/task");
    std::size_t descriptors = entries("/proc/self/fd");
    std::size_t mappings = memory_mappings();
    std::size_t heap = heap_in_use();
    std::size_t resident = resident_kib();
};

std::ostream& operator<<(std::ostream& out, const Footprint& print) {
    return out << print.threads << " threads, " << print.descriptors << " descriptors, "
               << print.mappings << " mappings, " << print.heap / 1024 << " KiB of heap, "
               << print.resident << " KiB resident";
}

// The least of a while: what was replaced last may still be on its way out.
Footprint settled() {
    Footprint least;
    for (int calm = 0; calm < 100; ++calm) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const Footprint now;
        if (now.heap >= least.heap) continue;
        least = now;
        calm = 0;
    }
    return least;
}

// A few threads of the host's pool, with what belongs to a thread, may have come in between; what
// each reload left behind would add up to more.
bool has_grown(const Footprint& before, const Footprint& after, std::size_t reloads) {
    if (after.threads > before.threads + 4 || after.descriptors > before.descriptors) return true;
    // A sanitizer has a memory of its own.
    if (SANITIZED) return false;
    return after.mappings > before.mappings + 16 ||
           after.heap > before.heap + (64u << 10) + 64 * reloads ||
           after.resident > before.resident + 2048 + reloads;
}

// Threads that call one tool over and over until they are destroyed.
class Callers {
  public:
    explicit Callers(House& house, int count) {
        for (int each = 0; each < count; ++each)
            threads_.emplace_back([this, &house] { call(house); });
    }
    ~Callers() { stop(); }
    void stop() {
        over_ = true;
        for (auto& thread : threads_)
            thread.join();
        threads_.clear();
    }
    long calls() const { return calls_; }
    std::string failures() {
        std::lock_guard lock(mutex_);
        return failures_;
    }

  private:
    void call(House& house) {
        while (!over_) {
            const Answer answer = house.tool("turncoat__version");
            ++calls_;
            if (answer.status == Status::ok &&
                (answer.text() == "1.0.0" || answer.text() == "2.0.0"))
                continue;
            std::lock_guard lock(mutex_);
            failures_ += answer.body + "\n";
        }
    }
    std::atomic<bool> over_{false};
    std::atomic<long> calls_{0};
    std::mutex mutex_;
    std::string failures_;
    std::vector<std::thread> threads_;
};

class Reload : public testing::Test {
  protected:
    House house_;
    const std::string versions_[2] = {built("turncoat_1"), built("turncoat_2")};

    void SetUp() override { EXPECT_TRUE(reload(0)); }

    // Puts in the file of this round; true once calls are answered by its version.
    bool reload(int round) {
        const auto which = static_cast<std::size_t>(round % 2);
        house_.put("turncoat.so", versions_[which]);
        return answers(which == 0 ? "1.0.0" : "2.0.0");
    }
    bool answers(const std::string& version) {
        return eventually([&] { return house_.tool("turncoat__version").text() == version; });
    }
    int living() { return std::stoi(house_.tool("turncoat__living").text()); }

    void reload_under_load(int first, int last) {
        Callers callers(house_, 4);
        for (int round = first; round <= last; ++round) {
            ASSERT_TRUE(reload(round)) << "in round " << round;
            // The last one of this version has long been replaced; the one before may be
            // finishing its calls.
            EXPECT_LE(living(), 2) << "in round " << round;
        }
        callers.stop();
        std::cout << callers.calls() << " calls\n";
        EXPECT_GT(callers.calls(), last - first);
        EXPECT_EQ(callers.failures(), "");
        // Two versions: two copies, two verdicts.
        EXPECT_EQ(entries(house_.copies()), 4u);
    }
    // What the first few rounds leave is there once, not once for each.
    void expect_no_growth(int warm_up, int rounds) {
        ASSERT_NO_FATAL_FAILURE(reload_under_load(1, warm_up));
        const Footprint before = settled();
        ASSERT_NO_FATAL_FAILURE(reload_under_load(warm_up + 1, rounds));
        const auto reloads = static_cast<std::size_t>(rounds - warm_up);
        Footprint after;
        EXPECT_TRUE(eventually([&] {
            after = Footprint();
            return !has_grown(before, after, reloads);
        }));
        std::cout << "before: " << before << "\nafter:  " << after << "\n";
    }
};

TEST_F(Reload, UnderLoadFailsNoCall) { expect_no_growth(10, 30); }

TEST_F(Reload, AThousandUnderLoadFailNoCall) { expect_no_growth(200, 1000); }

// Whatever differs is a generation of its own, which stays mapped: this is what each one costs.
TEST_F(Reload, AGenerationCostsItsImageAndNoMore) {
    const std::size_t size = versions_[0].size();
    constexpr int rounds = 12;
    const Footprint before;
    for (int round = 0; round < rounds; ++round) {
        house_.put("turncoat.so",
                   versions_[round % 2 == 0 ? 1 : 0] + "generation " + std::to_string(round));
        ASSERT_TRUE(answers(round % 2 == 0 ? "2.0.0" : "1.0.0"));
    }
    const Footprint after;
    const std::size_t each = (after.resident - std::min(before.resident, after.resident)) / rounds;
    std::cout << "an image of " << size / 1024 << " KiB costs " << each << " KiB resident and "
              << (after.mappings - before.mappings) / rounds << " mappings\n";
    EXPECT_LE(after.threads, before.threads + 8);
    EXPECT_LE(after.descriptors, before.descriptors + 4);
#if !SANITIZED
    EXPECT_LE(each, 2 * size / 1024 + 1024);
#endif
}

// At the bound the last good generation goes on serving.
TEST(Generations, AtTheirBoundTheOldOneStays) {
    TempFolder folder;
    fs::create_directory(folder / "plugins");
    plugin::LoaderOptions options;
    options.data_dir = folder / "data";
    options.max_images = 2;
    auto loader = std::move(*plugin::Loader::make(options));
    plugin::PluginFolder plugins(
        folder / "plugins", *loader, [](const auto&) {}, std::chrono::milliseconds(0));
    ASSERT_TRUE(plugins.start(false).ok());
    for (int round = 1; round <= 4; ++round) {
        plugin::write(folder / "new", built("turncoat_1") + std::to_string(round));
        fs::rename(folder / "new", folder / "plugins/turncoat.so");
        plugins.rescan();
        plugins.settle();
        const auto state = plugins.state();
        ASSERT_EQ(state.libraries.size(), 1u);
        EXPECT_EQ(state.libraries[0]->generation, static_cast<unsigned>(std::min(round, 2)));
        ASSERT_EQ(state.refusals.size(), round > 2 ? 1u : 0u);
        if (round <= 2) continue;
        EXPECT_NE(state.refusals[0].reason.find("restart"), std::string::npos);
    }
    EXPECT_EQ(loader->images(), 2u);
}

}  // namespace
}  // namespace pb::abi
