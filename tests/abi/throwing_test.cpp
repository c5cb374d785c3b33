// SPDX-License-Identifier: Apache-2.0
// Exceptions out of every function that a plugin has: the caller gets an error, the host lives.
#include "abi/bench.h"

namespace pb::abi {
namespace {

using testing::Values;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Serves still.
void expect_alive(Bench& bench, const ProviderPtr& provider) {
    EXPECT_EQ(bench.call(provider, "anything").status, Status::ok);
}

TEST(ThrowingC, HandleFailsItsCallAlone) {
    Bench bench;
    auto provider = bench.start("rude");
    for (const char* method : {"throw", "throw_number"}) {
        auto answer = bench.call(provider, method);
        EXPECT_EQ(answer.status, Status::internal);
        EXPECT_TRUE(contains(answer.text(), "threw an exception")) << answer.body;
    }
    EXPECT_EQ(bench.call(provider, "answer_then_throw").body, R"({"answered":true})");
    expect_alive(bench, provider);
    EXPECT_TRUE(bench.end(provider));
}

TEST(ThrowingC, StartIsAFailureWithAReason) {
    Bench bench;
    auto failed = bench.try_start("rude", {{"throws", "start"}});
    ASSERT_FALSE(failed.ok());
    EXPECT_TRUE(contains(failed.error().message, "exception")) << failed.error().message;
    auto provider = bench.start("rude");
    expect_alive(bench, provider);
}

TEST(ThrowingC, StopAndDestroyEndTheInstance) {
    Bench bench;
    for (const std::string where : {"stop", "destroy"}) {
        const std::string report = bench.folder() / where;
        auto provider = bench.start("rude", {{"throws", where}, {"report", report}});
        expect_alive(bench, provider);
        EXPECT_TRUE(bench.end(provider)) << where;
        EXPECT_EQ(json::parse(plugin::read(report)).at("threw." + where), 1);
    }
    auto provider = bench.start("rude");
    expect_alive(bench, provider);
}

TEST(ThrowingC, CancelDoesNotKeepTheCallFromEnding) {
    Bench bench;
    auto provider = bench.start("rude", {{"throws", "cancel"}});
    auto witness = bench.begin(provider, "late");
    bench.calls().cancel(witness->id());
    ASSERT_TRUE(witness->wait());
    EXPECT_EQ(witness->status(), Status::cancelled);
    // Over its deadline it is told too.
    EXPECT_EQ(bench.call(provider, "never", {}, std::chrono::milliseconds(20)).status,
              Status::deadline);
    // The host may tell it on another thread.
    EXPECT_TRUE(eventually(
        [&] { return bench.call(provider, "report").value().value("threw.cancel", 0) == 2; }));
    expect_alive(bench, provider);
    EXPECT_TRUE(bench.end(provider));
}

TEST(ThrowingC, SinksFailTheFunctionThatCallsThem) {
    Bench bench;
    auto provider = bench.start("rude");
    EXPECT_EQ(bench.call(provider, "sinks").status, Status::ok);
    const json seen = bench.call(provider, "report").value();
    for (const char* sink : {"sink.config", "sink.store_get", "sink.store_list"})
        EXPECT_EQ(seen.at(sink), PATCHBAY_E_INTERNAL) << sink;
    EXPECT_EQ(seen.at("threw.sink"), 3);
    EXPECT_EQ(seen.at("store.put"), PATCHBAY_OK);
    EXPECT_EQ(seen.at("store.remove"), PATCHBAY_OK);
    EXPECT_TRUE(bench.end(provider));
}

TEST(ThrowingC, TimersEventsAndTheEndsOfNestedCallsGoOn) {
    Bench bench;
    auto provider = bench.start("rude");
    EXPECT_EQ(bench.call(provider, "callbacks").status, Status::ok);
    const json seen = bench.call(provider, "report").value();
    EXPECT_EQ(seen.at("invoke"), PATCHBAY_OK);
    EXPECT_EQ(seen.at("threw.done"), 1);
    EXPECT_GE(seen.at("threw.timer"), 3);
    EXPECT_GE(seen.at("threw.event"), 3);
    EXPECT_EQ(seen.at("timer.cancel"), PATCHBAY_OK);
    EXPECT_EQ(seen.at("event.unsubscribe"), PATCHBAY_OK);
    EXPECT_TRUE(bench.end(provider));
}

class ThrowingSdk : public testing::Test {
  protected:
    Bench bench_;
    ProviderPtr provider_ = bench_.start("thrower");

    void TearDown() override {
        EXPECT_EQ(bench_.tool(provider_, "fine").text(), "fine");
        EXPECT_TRUE(bench_.end(provider_));
    }
    // By name, how often each of what nobody answers for has thrown.
    json thrown() { return bench_.tool(provider_, "thrown").structured(); }
    void expect_tool_failure(const std::string& tool, const std::string& reason) {
        auto answer = bench_.tool(provider_, tool);
        EXPECT_EQ(answer.status, Status::ok) << answer.body;
        EXPECT_TRUE(answer.value().value("isError", false)) << answer.body;
        EXPECT_TRUE(contains(answer.body, reason)) << answer.body;
    }
    void expect_error(const Answer& answer, const std::string& reason) {
        EXPECT_EQ(answer.status, Status::internal);
        EXPECT_TRUE(contains(answer.text(), reason)) << answer.body;
    }
};

TEST_F(ThrowingSdk, ToolsFailWithTheReason) {
    expect_tool_failure("exception", "no luck");
    expect_tool_failure("number", "The plugin failed");
    expect_tool_failure("failure", "moon_wrong");
    auto protocol = bench_.tool(provider_, "protocol");
    EXPECT_EQ(protocol.status, Status::busy);
    EXPECT_EQ(protocol.text(), "come back later");
}

TEST_F(ThrowingSdk, AsyncToolsFailOnWhateverThread) {
    expect_tool_failure("async", "no luck");
    expect_tool_failure("async_later", "no luck later");
    expect_error(bench_.tool(provider_, "async_dropped"), "dropped the call");
}

TEST_F(ThrowingSdk, CancelActions) {
    auto witness = bench_.begin(provider_, "tools/call", {{"name", "cancelled"}});
    bench_.calls().cancel(witness->id());
    ASSERT_TRUE(witness->wait());
    EXPECT_EQ(witness->status(), Status::cancelled);
    EXPECT_TRUE(eventually([this] { return thrown().value("cancelling", 0) == 1; }));
}

TEST_F(ThrowingSdk, StopActions) {
    EXPECT_TRUE(bench_.end(provider_));
    provider_ = bench_.start("thrower");
    EXPECT_EQ(thrown().at("stopping"), 1);
}

TEST_F(ThrowingSdk, ResourcesPromptsAndCompletions) {
    expect_error(bench_.call(provider_, "resources/read", {{"uri", "thrower://one"}}),
                 "no luck reading");
    expect_error(bench_.call(provider_, "resources/read", {{"uri", "thrower://many/x"}}),
                 "no luck reading");
    expect_error(bench_.call(provider_, "prompts/get", {{"name", "poem"}}), "no luck rhyming");
    expect_error(
        bench_.call(provider_, "completion/complete",
                    {{"ref", {{"type", "ref/resource"}, {"uri", "thrower://many/{which}"}}},
                     {"argument", {{"name", "which"}, {"value", "a"}}}}),
        "no luck guessing");
    expect_error(bench_.call(provider_, "completion/complete",
                             {{"ref", {{"type", "ref/prompt"}, {"name", "poem"}}},
                              {"argument", {{"name", "mood"}, {"value", "a"}}}}),
                 "no luck feeling");
    expect_error(bench_.call(provider_, "x/own"), "no luck");
}

TEST_F(ThrowingSdk, Subscriptions) {
    expect_error(bench_.call(provider_, "resources/subscribe", {{"uri", "thrower://one"}}),
                 "no luck subscribing");
    expect_error(bench_.call(provider_, "resources/unsubscribe", {{"uri", "thrower://one"}}),
                 "no luck unsubscribing");
}

// The tool ends once all of them have thrown.
TEST_F(ThrowingSdk, TimersEventsAndRepliesGoOn) {
    EXPECT_EQ(bench_.tool(provider_, "unasked").text(), "it threw");
}

TEST_F(ThrowingSdk, SetUpEndsTheStartWithTheReason) {
    auto failed = bench_.try_start("thrower", {{"broken", true}});
    ASSERT_FALSE(failed.ok());
    EXPECT_TRUE(contains(failed.error().message, "no luck today")) << failed.error().message;
}

TEST(Throwing, ThroughAWholeHostTheClientSeesTheReason) {
    House house({"thrower"});
    EXPECT_EQ(house.tool("thrower__fine").text(), "fine");
    auto failed = house.tool("thrower__exception");
    EXPECT_TRUE(failed.value().value("isError", false)) << failed.body;
    EXPECT_TRUE(contains(failed.text(), "no luck"));
    const json resources = house.request("resources/list").value().at("resources");
    const json uri = resources.at(0).at("uri");
    auto unread = house.request("resources/read", {{"uri", uri}});
    EXPECT_TRUE(contains(unread.text(), "no luck reading")) << uri << unread.body;
    EXPECT_TRUE(contains(house.request("prompts/get", {{"name", "thrower__poem"}}).text(),
                         "no luck rhyming"));
    EXPECT_EQ(house.tool("thrower__unasked").text(), "it threw");
    EXPECT_EQ(house.tool("thrower__fine").text(), "fine");
}

}  // namespace
}  // namespace pb::abi
