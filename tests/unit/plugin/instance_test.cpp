// SPDX-License-Identifier: Apache-2.0
// Instances: start and its failures, calls, serial plugins, draining by ownership, the end.
#include "plugin/instance.h"

#include <atomic>
#include <thread>

#include "support.h"

namespace pb::plugin {
namespace {

using namespace std::chrono_literals;
using catalog::Status;

std::string refusal(Host& host, Script script, InstanceSpec with = spec()) {
    auto made = start_instance(ScriptedPlugin::library(std::move(script)), with, host.wiring);
    return made ? "started" : made.error().message;
}

TEST(Instance, IsToldWhatItIsAndAnswers) {
    Host host;
    std::string message;
    auto instance = started(host,
                            {.start =
                                 [&](auto*, std::string_view text) {
                                     message = text;
                                     return PATCHBAY_OK;
                                 }},
                            Threading::concurrent, spec(R"({"a":1})"));
    EXPECT_EQ(
        message,
        R"({"org":"acme","capability":"scripted","namespace":"s","config":{"a":1},"host":{}})");
    EXPECT_EQ(instance->label(), "scripted@1.0.0#1");
    instance->handle({7, "tools/call", R"({"x":1})", "{}", 0});
    auto end = host.calls.end_of(7);
    EXPECT_EQ(end.status, Status::ok);
    EXPECT_EQ(end.body, R"({"x":1})");
}

TEST(Instance, AFailedStartTellsThePluginsReasonAndDestroys) {
    Host host;
    bool stopped = false, destroyed = false;
    Script script;
    script.start = [](const patchbay_host* at, std::string_view) {
        at->log(at, PATCHBAY_LOG_ERROR, str("first"), str(""));
        at->log(at, PATCHBAY_LOG_ERROR, str("no key for the weather"), str(R"({"code":5})"));
        at->log(at, PATCHBAY_LOG_INFO, str("bye"), str(""));
        return static_cast<patchbay_status>(PATCHBAY_E_DENIED);
    };
    script.stop = [&](auto*) { stopped = true; };
    script.destroy = [&](auto*) { destroyed = true; };
    std::string message = refusal(host, script);
    EXPECT_NE(message.find("no key for the weather"), std::string::npos) << message;
    EXPECT_NE(message.find("'scripted'"), std::string::npos) << message;
    EXPECT_FALSE(stopped);
    EXPECT_TRUE(destroyed);
    EXPECT_NE(refusal(host, {.start = [](auto*, auto) { return -10; }}).find("-10"),
              std::string::npos);
}

TEST(Instance, RefusesWrongSpecsAndTables) {
    Host host;
    EXPECT_NE(refusal(host, {}, spec("[1]")).find("JSON object"), std::string::npos);
    auto other = spec();
    other.capability = "absent";
    EXPECT_NE(refusal(host, {}, other).find("'absent'"), std::string::npos);
    auto library = std::make_shared<Library>(*ScriptedPlugin::library({}));
    library->entry = [](const patchbay_host*) -> patchbay_plugin* {
        static patchbay_plugin small{};
        small.struct_size = 24;
        small.abi_major = 1;
        return &small;
    };
    auto made = start_instance(library, spec(), host.wiring);
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().message.find("too small"), std::string::npos);
}

TEST(Instance, AThrowingPluginFailsItsCallOnly) {
    Host host;
    auto instance = started(host, {.handle = [](auto*, auto, const auto&) { throw 5; }});
    instance->handle({1, "x", "{}", "{}", 0});
    EXPECT_EQ(host.calls.end_of(1).status, Status::internal);
    EXPECT_NE(
        refusal(host, {.start = [](auto*, auto) -> patchbay_status { throw 5; }}).find("exception"),
        std::string::npos);
}

TEST(Instance, AStartThatHangsIsGivenUpAndUndoneWhenItEnds) {
    Host host;
    auto release = std::make_shared<Signal>(), destroyed = std::make_shared<Signal>();
    Script script;
    script.start = [release](auto*, auto) {
        release->wait();
        return PATCHBAY_OK;
    };
    script.destroy = [destroyed](auto*) { destroyed->raise(); };
    auto with = spec();
    with.start_timeout = 20ms;
    EXPECT_NE(refusal(host, script, with).find("longer than 20 ms"), std::string::npos);
    release->raise();
    EXPECT_TRUE(destroyed->wait());
}

TEST(Instance, WrongAnswersEndTheCall) {
    Host host;
    auto instance =
        started(host, {.handle = [](auto* at, patchbay_call call, const auto&) {
                    EXPECT_EQ(at->complete(at, call, 17, str("{}")), PATCHBAY_E_INVALID);
                    EXPECT_EQ(at->complete(at, call, PATCHBAY_OK, str("{}")), PATCHBAY_E_GONE);
                    EXPECT_EQ(at->complete(at, PATCHBAY_NO_CALL, PATCHBAY_OK, str("{}")),
                              PATCHBAY_E_INVALID);
                }});
    instance->handle({1, "x", "{}", "{}", 0});
    EXPECT_EQ(host.calls.end_of(1).status, Status::internal);
    auto null = started(
        host, {.handle = [](auto* at, patchbay_call call, const auto&) {
            EXPECT_EQ(at->complete(at, call, PATCHBAY_OK, {nullptr, 5}), PATCHBAY_E_INVALID);
        }});
    null->handle({2, "x", "{}", "{}", 0});
    EXPECT_EQ(host.calls.end_of(2).status, Status::internal);
}

TEST(Instance, ARunningCallKeepsTheInstance) {
    Host host;
    Signal entered, release, destroyed;
    std::atomic<bool> stopped{false};
    Script script;
    script.handle = [&](auto* at, patchbay_call call, const auto&) {
        at->complete(at, call, PATCHBAY_OK, str("{}"));
        entered.raise();
        release.wait();
        EXPECT_FALSE(stopped);
    };
    script.stop = [&](auto*) { stopped = true; };
    script.destroy = [&](auto*) { destroyed.raise(); };
    auto instance = started(host, script);
    // The call's own reference goes as soon as it is complete; the thread is still in the plugin.
    std::thread worker([raw = instance.get()] { raw->handle({1, "x", "{}", "{}", 0}); });
    ASSERT_TRUE(entered.wait());
    instance.reset();
    EXPECT_TRUE(host.lifecycle.drain(long_enough));
    EXPECT_FALSE(stopped);
    release.raise();
    worker.join();
    EXPECT_TRUE(destroyed.wait());
    EXPECT_TRUE(stopped);
}

TEST(Instance, AHangingCancelHoldsItsInstanceAndNobodyElse) {
    Host host;
    Signal entered, release, destroyed;
    std::vector<patchbay_call> told;
    Script script;
    script.cancel = [&](patchbay_call call) {
        told.push_back(call);
        entered.raise();
        release.wait();
    };
    script.destroy = [&](auto*) { destroyed.raise(); };
    auto instance = started(host, script);
    for (catalog::CallId call = 1; call <= 3; ++call)
        instance->cancel(call);
    ASSERT_TRUE(entered.wait());
    instance.reset();
    EXPECT_TRUE(host.lifecycle.drain(long_enough));
    EXPECT_FALSE(destroyed.raised());
    release.raise();
    ASSERT_TRUE(destroyed.wait());
    EXPECT_EQ(told, (std::vector<patchbay_call>{1, 2, 3}));
}

TEST(Instance, AHangingStopDelaysNeitherOthersNorTheShutdown) {
    auto release = std::make_shared<Signal>(), destroyed = std::make_shared<Signal>();
    Host host;
    Lifecycle impatient(1s);
    Wiring wiring{host.calls,  host.changes, host.invoker, *host.store, host.secrets,
                  host.events, host.timers,  host.workers, impatient};
    Script hangs;
    hangs.stop = [release](auto*) { release->wait(); };
    hangs.destroy = [destroyed](auto*) { destroyed->raise(); };
    auto first = *start_instance(ScriptedPlugin::library(hangs), spec(), wiring);
    Signal second_destroyed;
    Script works;
    works.destroy = [&](auto*) { second_destroyed.raise(); };
    auto second = *start_instance(ScriptedPlugin::library(works), spec(), wiring);
    first.reset();
    EXPECT_TRUE(impatient.drain(long_enough));
    EXPECT_EQ(impatient.left_behind(), 1u);
    second.reset();
    EXPECT_TRUE(second_destroyed.wait());
    EXPECT_TRUE(impatient.drain(long_enough));
    EXPECT_FALSE(destroyed->raised());
    release->raise();
    EXPECT_TRUE(destroyed->wait());
}

class SerialTest : public testing::Test {
  protected:
    Host host_;
    Signal entered_, release_;
    std::atomic<int> inside_{0}, most_{0};
    std::vector<patchbay_call> order_;

    std::shared_ptr<catalog::Provider> serial(std::size_t queue) {
        auto with = spec();
        with.serial_queue = queue;
        return started(host_,
                       {.handle =
                            [this](auto* at, patchbay_call call, const patchbay_request& request) {
                                most_ = std::max<int>(most_, ++inside_);
                                order_.push_back(call);
                                if (view(request.method) == "block") {
                                    entered_.raise();
                                    release_.wait();
                                }
                                --inside_;
                                at->complete(at, call, PATCHBAY_OK, request.params);
                            }},
                       Threading::serial, with);
    }
};

TEST_F(SerialTest, WaitingCallsRunOneAfterTheOtherInOrder) {
    auto instance = serial(64);
    std::thread first([&] { instance->handle({1, "block", "{}", "{}", 0}); });
    ASSERT_TRUE(entered_.wait());
    // More than one turn of the first thread; none of these blocks its caller.
    for (catalog::CallId call = 2; call <= 30; ++call)
        instance->handle({call, "quick", R"({"n":1})", "{}", 0});
    EXPECT_FALSE(host_.calls.ended(2));
    release_.raise();
    for (catalog::CallId call = 1; call <= 30; ++call)
        EXPECT_EQ(host_.calls.end_of(call).status, Status::ok);
    first.join();
    EXPECT_EQ(most_, 1);
    EXPECT_TRUE(std::is_sorted(order_.begin(), order_.end()));
    EXPECT_EQ(order_.size(), 30u);
}

TEST_F(SerialTest, TheQueueIsBoundedAndWaitingCallsCanBeCancelledOrExpire) {
    auto instance = serial(2);
    std::thread first([&] { instance->handle({1, "block", "{}", "{}", 0}); });
    ASSERT_TRUE(entered_.wait());
    instance->handle({2, "quick", "{}", "{}", 0});
    instance->handle({3, "quick", "{}", "{}", 1});  // over its time at once
    instance->handle({4, "quick", "{}", "{}", 0});
    EXPECT_EQ(host_.calls.end_of(4).status, Status::busy);
    instance->cancel(2);
    EXPECT_EQ(host_.calls.end_of(2).status, Status::cancelled);
    release_.raise();
    EXPECT_EQ(host_.calls.end_of(3).status, Status::deadline);
    first.join();
    EXPECT_EQ(order_, (std::vector<patchbay_call>{1}));
    instance->handle({5, "quick", "{}", "{}", 0});
    EXPECT_EQ(host_.calls.end_of(5).status, Status::ok);
}

TEST_F(SerialTest, AWaitingCallWhoseTimeIsOverEndsSo) {
    host_.calls.ended_by = Status::deadline;
    auto instance = serial(2);
    std::thread first([&] { instance->handle({1, "block", "{}", "{}", 0}); });
    ASSERT_TRUE(entered_.wait());
    instance->handle({2, "quick", "{}", "{}", 1});
    instance->cancel(2);
    EXPECT_EQ(host_.calls.end_of(2).status, Status::deadline);
    release_.raise();
    first.join();
    EXPECT_EQ(order_, (std::vector<patchbay_call>{1}));
}

// Left to the host, which counts it among those that the plugin did not answer.
TEST_F(SerialTest, BehindACallThatDoesNotEndNothingIsAnswered) {
    host_.calls.ended_by = Status::deadline;
    auto instance = serial(2);
    std::thread first([&] { instance->handle({1, "block", "{}", "{}", 1}); });
    ASSERT_TRUE(entered_.wait());
    instance->handle({2, "quick", "{}", "{}", 1});
    instance->cancel(2);
    EXPECT_FALSE(host_.calls.ended(2));
    release_.raise();
    first.join();
    EXPECT_EQ(host_.calls.end_of(2).status, Status::deadline) << "its turn came after all";
    EXPECT_EQ(order_, (std::vector<patchbay_call>{1}));
}

TEST_F(SerialTest, ManyThreadsNeverMeet) {
    auto instance = serial(10'000);
    std::vector<std::thread> threads;
    for (catalog::CallId thread = 0; thread < 4; ++thread)
        threads.emplace_back([&, thread] {
            for (catalog::CallId call = 1; call <= 200; ++call)
                instance->handle({thread * 1000 + call, "quick", "{}", "{}", 0});
        });
    for (auto& thread : threads)
        thread.join();
    for (catalog::CallId thread = 0; thread < 4; ++thread)
        for (catalog::CallId call = 1; call <= 200; ++call)
            EXPECT_EQ(host_.calls.end_of(thread * 1000 + call).status, Status::ok);
    EXPECT_EQ(most_, 1);
}

class ConfigureTest : public testing::Test {
  protected:
    std::string config() {
        const auto& table = *static_cast<const patchbay_config_v1*>(
            plugin_side_->service(plugin_side_, PATCHBAY_SERVICE_CONFIG));
        std::string out;
        table.get(
            plugin_side_, str(""),
            [](void* user, patchbay_str, patchbay_str value) {
                *static_cast<std::string*>(user) = view(value);
            },
            &out);
        return out;
    }
    std::shared_ptr<Instance> start(Script script) {
        script.start = [this](const patchbay_host* at, std::string_view) {
            plugin_side_ = at;
            return PATCHBAY_OK;
        };
        return started(host_, std::move(script), Threading::concurrent, spec(R"({"a":1})"));
    }
    Host host_;
    const patchbay_host* plugin_side_ = nullptr;
};

TEST_F(ConfigureTest, IsToldLikeAStartAndChangesWhatTheServiceSays) {
    std::string message, inside;
    Script script;
    script.configure = [&](auto*, std::string_view text) {
        message = text;
        inside = config();
        return PATCHBAY_OK;
    };
    auto instance = start(script);
    EXPECT_EQ(config(), R"({"a":1})");
    ASSERT_TRUE(instance->configure(R"({"a":2})", long_enough));
    EXPECT_NE(message.find(R"("config":{"a":2})"), std::string::npos) << message;
    EXPECT_EQ(message.find(R"({"org":"acme","capability":"scripted","namespace":"s",)"), 0u);
    EXPECT_EQ(inside, R"({"a":2})");
    EXPECT_EQ(config(), R"({"a":2})");
    EXPECT_FALSE(instance->configure("[]", long_enough));
}

TEST_F(ConfigureTest, AfterARefusalTheInstanceGoesOnWithWhatItHad) {
    Script script;
    patchbay_status status = PATCHBAY_E_INVALID;
    script.configure = [&](const patchbay_host* at, std::string_view) {
        if (status == PATCHBAY_OK) throw 1;
        at->log(at, PATCHBAY_LOG_ERROR, str("no such region"), str(""));
        return status;
    };
    auto instance = start(script);
    auto refused = instance->configure(R"({"a":2})", long_enough);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
    EXPECT_EQ(refused.error().message, "no such region");
    status = PATCHBAY_E_UNSUPPORTED;
    EXPECT_EQ(instance->configure(R"({"a":2})", long_enough).error().kind, ErrorKind::unsupported);
    status = PATCHBAY_OK;
    EXPECT_FALSE(instance->configure(R"({"a":2})", long_enough)) << "what it throws is a refusal";
    EXPECT_EQ(config(), R"({"a":1})");
    instance->handle({7, "tools/call", R"({"x":1})", "{}", 0});
    EXPECT_EQ(host_.calls.end_of(7).status, Status::ok);
}

TEST_F(ConfigureTest, WithoutTheSlotItIsUnsupported) {
    auto instance = start({});
    EXPECT_EQ(instance->configure("{}", long_enough).error().kind, ErrorKind::unsupported);
    Script old;
    old.configure = [](auto*, auto) { return PATCHBAY_OK; };
    old.struct_size = offsetof(patchbay_plugin, configure);
    EXPECT_EQ(start(old)->configure("{}", long_enough).error().kind, ErrorKind::unsupported);
}

TEST_F(ConfigureTest, OneThatHangsHoldsNobody) {
    Signal go_on, destroyed;
    Script script;
    script.configure = [&](auto*, auto) {
        go_on.wait();
        return PATCHBAY_OK;
    };
    script.destroy = [&](auto*) { destroyed.raise(); };
    auto instance = start(script);
    EXPECT_EQ(instance->configure("{}", 10ms).error().kind, ErrorKind::deadline);
    EXPECT_EQ(instance->configure("{}", long_enough).error().kind, ErrorKind::busy);
    instance.reset();
    EXPECT_FALSE(destroyed.raised()) << "not while it is inside";
    go_on.raise();
    EXPECT_TRUE(destroyed.wait());
}

}  // namespace
}  // namespace pb::plugin
