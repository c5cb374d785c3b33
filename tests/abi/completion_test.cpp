// SPDX-License-Identifier: Apache-2.0
// Calls that a plugin ends twice, never, late, from elsewhere, or after they are over.
#include <atomic>
#include <thread>

#include "abi/bench.h"

namespace pb::abi {
namespace {

using namespace std::chrono_literals;

class Completion : public testing::Test {
  protected:
    explicit Completion(const runtime::CallOptions& options = impatient()) : bench_(options) {}

    Bench bench_;
    ProviderPtr provider_ = bench_.start("rude", {{"report", bench_.folder() / "report"}});

    json report() { return bench_.call(provider_, "report").value(); }
    // What it wrote in destroy().
    json last_report() {
        EXPECT_TRUE(bench_.end(provider_));
        return json::parse(plugin::read(bench_.folder() / "report"));
    }
};

class PatientCompletion : public Completion {
  protected:
    PatientCompletion() : Completion(patient()) {}
};

TEST_F(Completion, OfTwoTheFirstCounts) {
    EXPECT_EQ(bench_.call(provider_, "twice").body, R"({"number":1})");
    const json seen = report();
    EXPECT_EQ(seen.at("twice.first"), PATCHBAY_OK);
    EXPECT_EQ(seen.at("twice.second"), PATCHBAY_E_GONE);
}

TEST_F(Completion, FromAnotherThread) {
    EXPECT_EQ(bench_.call(provider_, "elsewhere").body, R"({"elsewhere":true})");
}

TEST_F(Completion, NeverIsAnsweredByTheHost) {
    auto answer = bench_.call(provider_, "never", {}, 20ms);
    EXPECT_EQ(answer.status, Status::deadline);
    EXPECT_NE(answer.text().find("not answered in time"), std::string::npos);
    EXPECT_EQ(bench_.calls().running(), 0u);
    EXPECT_EQ(bench_.call(provider_, "anything").status, Status::ok);
}

TEST_F(Completion, NeverTooOftenTripsTheBreakerOfThisPluginAlone) {
    auto other = bench_.start("older");
    for (int time = 0; time < bench_.calls().options().breaker_failures; ++time)
        EXPECT_EQ(bench_.call(provider_, "never", {}, 20ms).status, Status::deadline);
    auto refused = bench_.call(provider_, "anything");
    EXPECT_EQ(refused.status, Status::busy);
    EXPECT_NE(refused.text().find("paused"), std::string::npos) << refused.body;
    EXPECT_EQ(bench_.call(other, "anything").status, Status::ok);
}

TEST_F(PatientCompletion, AfterCancellationItIsTakenOnceAndNotHeard) {
    auto witness = bench_.begin(provider_, "late");
    bench_.calls().cancel(witness->id());
    ASSERT_TRUE(witness->wait());
    EXPECT_EQ(witness->status(), Status::cancelled);
    const json seen = report();
    EXPECT_EQ(seen.at("late.wait"), PATCHBAY_E_CANCELLED);
    EXPECT_EQ(seen.at("late.first"), PATCHBAY_OK);
    EXPECT_EQ(seen.at("late.second"), PATCHBAY_E_GONE);
    EXPECT_EQ(witness->times(), 1);
}

TEST_F(PatientCompletion, ADeadlineWakesWhoWaitsAndItsAnswerStillCounts) {
    EXPECT_EQ(bench_.call(provider_, "late", {}, 20ms).status, Status::ok);
    const json seen = report();
    EXPECT_EQ(seen.at("late.wait"), PATCHBAY_E_DEADLINE);
    EXPECT_EQ(seen.at("late.first"), PATCHBAY_OK);
    EXPECT_EQ(seen.at("late.second"), PATCHBAY_E_GONE);
}

TEST_F(Completion, AStaleIdIsGoneForEverythingAndSoIsAnInventedOne) {
    EXPECT_EQ(bench_.call(provider_, "stale").status, Status::ok);
    EXPECT_EQ(bench_.call(provider_, "invented").status, Status::ok);
    const json seen = report();
    for (const char* id : {"stale", "invented"})
        for (const char* use : {".complete", ".notify", ".wait"})
            EXPECT_EQ(seen.at(std::string(id) + use), PATCHBAY_E_GONE) << id << use;
}

TEST_F(Completion, InStopAndDestroyTheHostStillAnswersThatAllIsGone) {
    EXPECT_EQ(bench_.call(provider_, "never", {}, 20ms).status, Status::deadline);
    const json seen = last_report();
    for (const char* use : {"stop.complete", "stop.notify", "stop.wait", "stop.announce",
                            "stop.sleep", "destroy.announce", "destroy.sleep"})
        EXPECT_EQ(seen.at(use), PATCHBAY_E_GONE) << use;
}

// Cancels, on a thread of its own, whatever it is handed.
class Canceller {
  public:
    explicit Canceller(runtime::Calls& calls) : calls_(calls) {}
    ~Canceller() {
        over_ = true;
        thread_.join();
    }
    void hand(runtime::CallId id) { next_ = id; }

  private:
    void run() {
        while (!over_)
            if (const auto id = next_.exchange(catalog::no_call); id != catalog::no_call)
                calls_.cancel(id);
            else
                std::this_thread::yield();
    }
    runtime::Calls& calls_;
    std::atomic<bool> over_{false};
    std::atomic<runtime::CallId> next_{catalog::no_call};
    std::thread thread_{[this] { run(); }};
};

// "twice" ends inside handle(), "elsewhere" on a thread of the plugin, "late" because it was
// cancelled. Each begins while another thread has its id already.
TEST_F(PatientCompletion, ManyThreadsCancelWhatOthersComplete) {
    constexpr const char* methods[] = {"twice", "elsewhere", "late"};
    std::atomic<int> answered{0}, cancelled{0};
    auto race = [&](std::vector<WitnessPtr>& witnesses) {
        Canceller canceller(bench_.calls());
        const auto until = std::chrono::steady_clock::now() + long_enough;
        // A lonely processor may need more rounds to let both sides win.
        for (int round = 0; round < 150 || answered == 0 || cancelled == 0; ++round) {
            ASSERT_LT(std::chrono::steady_clock::now(), until) << "one side wins always";
            auto& witness = witnesses.emplace_back(std::make_shared<test::Witness>());
            witness->on_begun = [&](runtime::CallId id) {
                canceller.hand(id);
                for (int head_start = round % 4; head_start > 0; --head_start)
                    std::this_thread::yield();
            };
            bench_.begin(provider_, methods[round % 3], {}, {}, witness);
            ASSERT_TRUE(witness->wait());
            ++(witness->status() == Status::ok ? answered : cancelled);
        }
    };
    std::vector<std::thread> threads;
    std::vector<WitnessPtr> witnesses[4];
    for (auto& each : witnesses)
        threads.emplace_back(race, std::ref(each));
    for (auto& thread : threads)
        thread.join();
    std::cout << answered << " answered, " << cancelled << " cancelled\n";
    report();  // joins the plugin's threads
    EXPECT_EQ(bench_.calls().running(), 0u);
    for (const auto& each : witnesses)
        for (const auto& witness : each)
            EXPECT_EQ(witness->times(), 1);
}

}  // namespace
}  // namespace pb::abi
