// SPDX-License-Identifier: Apache-2.0
// AsyncCall: completed exactly once, whatever a handler does with it.
#include <gtest/gtest.h>

#include <thread>

#include "fake_host.h"

namespace async_test {
namespace {

using namespace sdk_test;

struct Input {
    int n = 0;
};
PATCHBAY_STRUCT(Input, PATCHBAY_FIELD(n))

// Where handlers put what they keep; a test empties it.
std::vector<patchbay::AsyncCall> kept;

void offer(patchbay::Plugin& plugin) {
    plugin.tool("keep").input<Input>().handle_async(
        [](Input, patchbay::AsyncCall call) { kept.push_back(std::move(call)); });
    plugin.tool("now").input<Input>().handle_async(
        [](const Input& in, patchbay::AsyncCall call) { call.complete(in.n); });
    plugin.tool("thread").input<Input>().handle_async([](Input in, patchbay::AsyncCall call) {
        std::thread([in, call = std::move(call)]() mutable {
            call.progress(1);
            call.complete(std::to_string(in.n));
        }).detach();
    });
    plugin.tool("drop").handle_async([](patchbay::AsyncCall) {});
    plugin.tool("drop_moved").handle_async([](patchbay::AsyncCall call) {
        const patchbay::AsyncCall inner = std::move(call);
    });
    plugin.tool("throw").handle_async(
        [](patchbay::AsyncCall) { throw patchbay::Error("failed", "on purpose"); });
    plugin.tool("complete_throw").handle_async([](patchbay::AsyncCall call) {
        call.complete("done");
        throw std::runtime_error("too late");
    });
    plugin.tool("keep_throw").handle_async([](patchbay::AsyncCall call) {
        kept.push_back(std::move(call));
        throw std::runtime_error("nobody hears this");
    });
    plugin.tool("twice").handle_async([](patchbay::AsyncCall call) {
        const bool first = call.complete("one");
        const bool second = call.complete("two");
        const bool third = call.fail(patchbay::Error("x", "y"));
        if (!first || second || third) throw std::logic_error("the answers are wrong");
    });
    plugin.tool("ask").handle_async([](patchbay::AsyncCall call) {
        const auto answer =
            call.ask("q", patchbay::elicit_form("?", {patchbay::text_field("name")}));
        call.complete("hello " + answer.get<std::string>("name"));
    });
    plugin.tool("finish").handle_async([](patchbay::AsyncCall call) {
        std::thread([call = std::move(call)]() mutable {
            call.finish_with([](patchbay::Call& inside) {
                const auto answer =
                    inside.ask("q", patchbay::elicit_form("?", {patchbay::text_field("name")}));
                return answer.get<std::string>("name");
            });
        }).detach();
    });
}

class Async : public testing::Test {
  protected:
    void TearDown() override { kept.clear(); }
    patchbay_call send(const char* tool, const json& arguments = json::object()) {
        return plugin.send("tools/call", {{"name", tool}, {"arguments", arguments}},
                           {{"clientCapabilities", {{"elicitation", json::object()}}}});
    }
    Instance plugin{offer};
};

TEST_F(Async, CompletesInTheHandler) {
    const auto ended = plugin.tool("now", {{"n", 4}});
    EXPECT_EQ(ended.body["structuredContent"], 4);
    EXPECT_EQ(ended.times, 1);
}

TEST_F(Async, CompletesOnAnotherThread) {
    const auto ended = plugin.tool("thread", {{"n", 4}});
    EXPECT_EQ(ended.body["content"][0]["text"], "4");
    EXPECT_EQ(ended.times, 1);
}

TEST_F(Async, CompletesLater) {
    const auto id = send("keep", {{"n", 1}});
    EXPECT_EQ(plugin.host().completions(id), 0);
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_TRUE(kept[0].complete("late"));
    EXPECT_EQ(plugin.host().ended(id).body["content"][0]["text"], "late");
    kept.clear();
    EXPECT_EQ(plugin.host().completions(id), 1);
}

TEST_F(Async, FailsLater) {
    const auto first = send("keep", {{"n", 1}});
    const auto second = send("keep", {{"n", 2}});
    ASSERT_EQ(kept.size(), 2u);
    kept[0].fail(patchbay::Error("gone", "It went").transient());
    kept[1].fail(patchbay::not_found("no such thing"));
    EXPECT_EQ(plugin.host().ended(first).body["structuredContent"]["code"], "gone");
    EXPECT_EQ(plugin.host().ended(second).status, PATCHBAY_E_NOT_FOUND);
}

TEST_F(Async, ADroppedCallEndsWithAnInternalError) {
    for (const char* tool : {"drop", "drop_moved"}) {
        const auto ended = plugin.tool(tool);
        EXPECT_EQ(ended.status, PATCHBAY_E_INTERNAL);
        EXPECT_EQ(ended.body["message"], "The plugin dropped the call without an answer");
        EXPECT_EQ(ended.times, 1);
    }
    const auto id = send("keep", {{"n", 1}});
    kept.clear();
    EXPECT_EQ(plugin.host().ended(id).status, PATCHBAY_E_INTERNAL);
    EXPECT_EQ(plugin.host().completions(id), 1);
}

TEST_F(Async, WhatTheHandlerThrowsEndsTheCall) {
    const auto ended = plugin.tool("throw");
    EXPECT_EQ(ended.body["structuredContent"]["code"], "failed");
    EXPECT_EQ(ended.times, 1);
    EXPECT_EQ(plugin.tool("now", {{"n", "x"}}).body["structuredContent"]["code"],
              "invalid_arguments");
}

TEST_F(Async, WhatIsThrownAfterTheCallWasGivenAwayIsOnlyLogged) {
    const auto done = plugin.tool("complete_throw");
    EXPECT_EQ(done.body["content"][0]["text"], "done");
    EXPECT_EQ(done.times, 1);
    const auto id = send("keep_throw");
    EXPECT_EQ(plugin.host().completions(id), 0);
    ASSERT_EQ(kept.size(), 1u);
    kept[0].complete("alive");
    EXPECT_EQ(plugin.host().ended(id).body["content"][0]["text"], "alive");
    EXPECT_EQ(plugin.host().logs().size(), 2u);
}

TEST_F(Async, OnlyTheFirstCompletionCounts) {
    const auto ended = plugin.tool("twice");
    EXPECT_EQ(ended.body["content"][0]["text"], "one");
    EXPECT_EQ(ended.times, 1);
    EXPECT_TRUE(plugin.host().logs().empty());
}

TEST_F(Async, AskingInTheHandlerDropsTheCallAndAsks) {
    for (const char* tool : {"ask", "finish"}) {
        const auto asked = plugin.host().ended(send(tool));
        EXPECT_EQ(asked.status, PATCHBAY_INPUT_REQUIRED);
        EXPECT_EQ(asked.times, 1);
        EXPECT_EQ(asked.body["inputRequests"]["q"]["method"], "elicitation/create");
        const auto answered = plugin.call(
            "tools/call",
            {{"name", tool},
             {"inputResponses", {{"q", {{"action", "accept"}, {"content", {{"name", "Ann"}}}}}}}});
        EXPECT_EQ(answered.status, PATCHBAY_OK);
        EXPECT_NE(answered.text.find("Ann"), std::string::npos);
    }
}

TEST_F(Async, CancelRunsItsActionOnce) {
    const auto id = send("keep", {{"n", 1}});
    ASSERT_EQ(kept.size(), 1u);
    int runs = 0;
    kept[0].on_cancel([&] { ++runs; });
    EXPECT_EQ(runs, 0);
    plugin.cancel(id);
    plugin.cancel(id);
    EXPECT_EQ(runs, 1);
    kept[0].fail(patchbay::ProtocolError(PATCHBAY_E_CANCELLED, "stopped"));
    EXPECT_EQ(plugin.host().ended(id).status, PATCHBAY_E_CANCELLED);
}

TEST_F(Async, ACancelThatCameFirstRunsTheActionAtOnce) {
    const auto id = send("keep", {{"n", 1}});
    ASSERT_EQ(kept.size(), 1u);
    plugin.cancel(id);
    plugin.host().set_wait(id, PATCHBAY_E_CANCELLED);
    int runs = 0;
    kept[0].on_cancel([&] { ++runs; });
    EXPECT_EQ(runs, 1);
}

TEST_F(Async, WorkThatFinishesACallCanBeCancelled) {
    const auto id = send("keep", {{"n", 1}});
    ASSERT_EQ(kept.size(), 1u);
    int runs = 0;
    kept[0].on_cancel([&] { ++runs; });
    kept[0].finish_with([&](patchbay::Call&) {
        plugin.cancel(id);
        EXPECT_EQ(runs, 1);
        return "done all the same";
    });
    EXPECT_EQ(plugin.host().ended(id).status, PATCHBAY_OK);
}

TEST_F(Async, NoCancelActionAfterTheEnd) {
    const auto id = send("keep", {{"n", 1}});
    ASSERT_EQ(kept.size(), 1u);
    int runs = 0;
    kept[0].on_cancel([&] { ++runs; });
    kept[0].complete("done");
    plugin.cancel(id);
    EXPECT_EQ(runs, 0);
}

TEST_F(Async, TheContextOutlivesTheRequest) {
    const auto id = plugin.send("tools/call", {{"name", "keep"}, {"arguments", {{"n", 1}}}},
                                {{"org", "acme-with-a-name-longer-than-any-small-string-buffer"}});
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].caller().org, "acme-with-a-name-longer-than-any-small-string-buffer");
    kept[0].complete();
    EXPECT_EQ(plugin.host().ended(id).body["content"], json::array());
}

TEST_F(Async, ManyCallsCompleteOnceEachFromManyThreads) {
    std::vector<patchbay_call> ids;
    for (int i = 0; i < 200; ++i)
        ids.push_back(send(i % 4 == 0 ? "drop" : "thread", {{"n", i}}));
    for (const auto id : ids)
        EXPECT_EQ(plugin.host().ended(id).times, 1);
}

}  // namespace
}  // namespace async_test
