// SPDX-License-Identifier: Apache-2.0
// Calls that a plugin ends twice, never, late, from elsewhere, or after they are over.
#include "abi/bench.h"

namespace pb::abi {
namespace {

using namespace std::chrono_literals;

class Completion : public testing::Test {
  protected:
    Bench bench_;
    ProviderPtr provider_ = bench_.start("rude", {{"report", bench_.folder() / "report"}});

    json report() { return bench_.call(provider_, "report").value(); }
    // What it wrote in destroy().
    json last_report() {
        EXPECT_TRUE(bench_.end(provider_));
        return json::parse(plugin::read(bench_.folder() / "report"));
    }
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

TEST_F(Completion, AfterCancellationItIsTakenOnceAndNotHeard) {
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

TEST_F(Completion, ADeadlineWakesWhoWaitsAndItsAnswerStillCounts) {
    // The grace is long here: whether the plugin makes use of it must not depend on the machine.
    auto patient = impatient();
    patient.grace = long_enough;
    Bench bench(patient);
    auto provider = bench.start("rude");
    EXPECT_EQ(bench.call(provider, "late", {}, 20ms).status, Status::ok);
    const json seen = bench.call(provider, "report").value();
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

TEST_F(Completion, ManyThreadsCancelWhatOthersComplete) {
    std::vector<std::thread> threads;
    for (int each = 0; each < 4; ++each)
        threads.emplace_back([this] {
            for (int round = 0; round < 200; ++round) {
                auto witness = bench_.begin(provider_, "twice");
                bench_.calls().cancel(witness->id());
                EXPECT_TRUE(witness->wait());
                EXPECT_EQ(witness->times(), 1);
            }
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(bench_.calls().running(), 0u);
}

}  // namespace
}  // namespace pb::abi
