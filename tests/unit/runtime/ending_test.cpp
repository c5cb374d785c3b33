// SPDX-License-Identifier: Apache-2.0
// How calls end that nobody answers, or nobody wants: cancellation, deadline, grace, breaker,
// drain.
#include <future>
#include <random>
#include <thread>

#include "desk.h"

namespace pb::test {
namespace {

TEST(Cancel, TellsBothSidesOnce) {
    Desk desk;
    auto witness = desk.kept();
    desk.calls.cancel(witness->id());
    desk.calls.cancel(witness->id());
    EXPECT_EQ(witness->times(), 1);
    EXPECT_EQ(witness->status(), Status::cancelled);
    EXPECT_EQ(desk.provider->cancelled, std::vector{witness->id()});
    EXPECT_EQ(desk.calls.wait(witness->id(), 0), Status::cancelled);
}

TEST(Cancel, TheProvidersOwnEndComesLaterAndIsNotHeard) {
    Desk desk;
    auto witness = desk.kept();
    desk.calls.cancel(witness->id());
    EXPECT_EQ(desk.calls.running(), 1u) << "the provider is still at it";
    desk.calls.notify(witness->id(), "notifications/progress", "{}");
    EXPECT_TRUE(witness->notices().empty());
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, "{}"), Status::ok);
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, "{}"), Status::gone);
    EXPECT_EQ(witness->times(), 1);
    EXPECT_EQ(desk.calls.running(), 0u);
}

TEST(Cancel, OfWhatIsNotThereIsIgnored) {
    Desk desk;
    auto witness = desk.kept();
    desk.calls.complete(witness->id(), Status::ok, "{}");
    desk.calls.cancel(witness->id());
    desk.calls.cancel(catalog::no_call);
    desk.calls.cancel(12'345);
    EXPECT_EQ(witness->status(), Status::ok);
    EXPECT_EQ(desk.provider->cancels(), 0u);
}

TEST(Cancel, WakesAWaitingProvider) {
    Desk desk;
    std::promise<runtime::CallId> reached;
    Status woken = Status::internal;
    desk.provider->handlers["wait"] = [&](auto call, const json&, const json&) {
        reached.set_value(call);
        woken = desk.calls.wait(call, std::numeric_limits<std::int64_t>::max());
        desk.provider->ok(call, json::object());
    };
    auto witness = std::make_shared<Witness>();
    std::jthread caller([&] { desk.start(witness, "wait"); });
    desk.calls.cancel(reached.get_future().get());
    caller.join();  // only if wait() has returned
    EXPECT_EQ(woken, Status::cancelled);
    EXPECT_EQ(witness->status(), Status::cancelled);
}

TEST(Cancel, WhoAskedHearsItBeforeTheProvider) {
    Desk desk;
    struct Late : FakeProvider {
        using FakeProvider::FakeProvider;
        void cancel(catalog::CallId) noexcept override { heard_before = witness->times(); }
        WitnessPtr witness = std::make_shared<Witness>();
        int heard_before = -1;
    };
    auto late = std::make_shared<Late>(desk.calls);
    late->handlers = desk.provider->handlers;
    auto spec = desk.spec(late->witness);
    spec.provider = late;
    desk.calls.cancel(desk.calls.start(spec));
    EXPECT_EQ(late->heard_before, 1);
}

// The provider could make nothing of a cancellation that comes before its call.
TEST(Cancel, AtTheVeryBeginningTheProviderHearsNothing) {
    Desk desk;
    bool reached = false;
    desk.provider->handlers["look"] = [&](auto, const json&, const json&) { reached = true; };
    auto witness = std::make_shared<Witness>();
    witness->on_begun = [&](auto id) { desk.calls.cancel(id); };
    desk.start(witness, "look");
    EXPECT_EQ(witness->times(), 1);
    EXPECT_EQ(witness->status(), Status::cancelled);
    EXPECT_FALSE(reached);
    EXPECT_EQ(desk.calls.running(), 0u);
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, "{}"), Status::gone);
}

TEST(Deadline, AnAnswerWithinTheGraceCounts) {
    auto options = Desk::slow();
    options.default_timeout = milliseconds(1);
    Desk desk(options);
    auto witness = desk.kept();
    ASSERT_TRUE(desk.provider->wait_cancelled(witness->id()));
    EXPECT_EQ(witness->times(), 0);
    EXPECT_EQ(desk.calls.wait(witness->id(), 0), Status::deadline);
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, R"({"partial":true})"), Status::ok);
    EXPECT_EQ(witness->status(), Status::ok);
    EXPECT_EQ(witness->body(), R"({"partial":true})");
}

TEST(Deadline, AProviderThatStopsForItDoesNotMakeItACancellation) {
    auto options = Desk::slow();
    options.default_timeout = milliseconds(1);
    Desk desk(options);
    auto witness = desk.kept();
    ASSERT_TRUE(desk.provider->wait_cancelled(witness->id()));
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::cancelled, "{}"), Status::ok);
    EXPECT_EQ(witness->status(), Status::deadline);
    EXPECT_FALSE(witness->message().empty());
}

TEST(Deadline, AfterTheGraceTheHostAnswers) {
    Desk desk(Desk::hasty());
    auto witness = desk.kept();
    ASSERT_TRUE(witness->wait());
    EXPECT_EQ(witness->status(), Status::deadline);
    EXPECT_FALSE(witness->message().empty());
    EXPECT_EQ(desk.provider->cancelled, std::vector{witness->id()});
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, "{}"), Status::gone);
    EXPECT_EQ(desk.calls.notify(witness->id(), "notifications/progress", "{}"), Status::gone);
    EXPECT_EQ(desk.calls.wait(witness->id(), 0), Status::gone);
    EXPECT_EQ(witness->times(), 1);
    EXPECT_EQ(desk.calls.running(), 0u);
}

TEST(Deadline, WakesAWaitingProvider) {
    auto options = Desk::slow();
    options.default_timeout = milliseconds(1);
    Desk desk(options);
    desk.provider->handlers["wait"] = [&](auto call, const json&, const json&) {
        const auto woken = desk.calls.wait(call, std::numeric_limits<std::int64_t>::max());
        desk.provider->ok(call, {{"woken", static_cast<int>(woken)}});
    };
    auto witness = std::make_shared<Witness>();
    desk.start(witness, "wait");
    EXPECT_EQ(witness->result()["woken"], static_cast<int>(Status::deadline));
}

TEST(Deadline, ACancelledCallThatNeverEndsIsForgotten) {
    auto options = Desk::slow();
    options.grace = milliseconds(1);
    Desk desk(options);
    auto witness = desk.kept();
    desk.calls.cancel(witness->id());
    while (desk.calls.running() > 0)
        std::this_thread::yield();
    EXPECT_EQ(witness->times(), 1);
    EXPECT_EQ(witness->status(), Status::cancelled);
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, "{}"), Status::gone);
}

TEST(Breaker, PausesAProviderThatNeverAnswers) {
    auto options = Desk::hasty();
    options.breaker_failures = 2;
    options.breaker_cool_off = never;
    Desk desk(options);
    ASSERT_TRUE(desk.kept()->wait());
    ASSERT_TRUE(desk.kept()->wait());
    auto refused = std::make_shared<Witness>();
    EXPECT_EQ(desk.start(refused, "answer"), catalog::no_call);
    EXPECT_EQ(refused->status(), Status::busy);
    EXPECT_FALSE(refused->message().empty());
    // Another provider does not suffer for it.
    auto other = std::make_shared<FakeProvider>(desk.calls);
    auto witness = std::make_shared<Witness>();
    auto spec = desk.spec(witness);
    spec.provider = other;
    desk.calls.start(spec);
    EXPECT_EQ(witness->status(), Status::unsupported);
}

TEST(Breaker, LetsCallsThroughAfterTheCoolOff) {
    auto options = Desk::hasty();
    options.breaker_failures = 1;
    options.breaker_cool_off = milliseconds(1);
    Desk desk(options);
    ASSERT_TRUE(desk.kept()->wait());
    std::this_thread::sleep_for(milliseconds(5));
    auto witness = std::make_shared<Witness>();
    EXPECT_NE(desk.start(witness, "answer"), catalog::no_call);
    EXPECT_EQ(witness->status(), Status::ok);
}

TEST(Breaker, CountsFailuresInARowOnly) {
    auto options = Desk::hasty();
    options.breaker_failures = 2;
    options.breaker_cool_off = never;
    Desk desk(options);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(desk.kept()->wait());
        auto witness = std::make_shared<Witness>();
        desk.start(witness, "answer");
        EXPECT_EQ(witness->status(), Status::ok) << i;
    }
}

TEST(Breaker, DoesNotCountWhatWasCancelledWithinItsTime) {
    auto options = Desk::slow();
    options.grace = milliseconds(1);
    options.breaker_failures = 1;
    options.breaker_cool_off = never;
    Desk desk(options);
    desk.calls.cancel(desk.kept()->id());
    while (desk.calls.running() > 0)
        std::this_thread::yield();
    auto witness = std::make_shared<Witness>();
    desk.start(witness, "answer");
    EXPECT_EQ(witness->status(), Status::ok);
}

TEST(Breaker, ARefusalIsNoSignOfLife) {
    for (const auto end : {Status::busy, Status::cancelled, Status::deadline}) {
        auto options = Desk::hasty();
        options.breaker_failures = 2;
        options.breaker_cool_off = never;
        Desk desk(options);
        ASSERT_TRUE(desk.kept()->wait());
        desk.calls.complete(desk.kept()->id(), end, {});
        ASSERT_TRUE(desk.kept()->wait());
        auto refused = std::make_shared<Witness>();
        EXPECT_EQ(desk.start(refused, "answer"), catalog::no_call);
        EXPECT_EQ(refused->status(), Status::busy);
    }
}

TEST(Drain, CancelsAllAndRefusesMore) {
    Desk desk;
    std::vector<WitnessPtr> kept;
    for (int i = 0; i < 20; ++i)
        kept.push_back(desk.kept());
    std::jthread provider([&] {
        for (const auto& each : kept)
            if (desk.provider->wait_cancelled(each->id()))
                desk.calls.complete(each->id(), Status::cancelled, {});
    });
    desk.calls.drain(std::chrono::seconds(60));
    EXPECT_EQ(desk.calls.running(), 0u);
    for (const auto& each : kept)
        EXPECT_EQ(each->status(), Status::cancelled);
    auto late = std::make_shared<Witness>();
    EXPECT_EQ(desk.start(late), catalog::no_call);
    EXPECT_EQ(late->status(), Status::busy);
}

TEST(Drain, DoesNotWaitForEver) {
    Desk desk;
    auto witness = desk.kept();
    desk.calls.drain(milliseconds(1));
    EXPECT_EQ(witness->status(), Status::cancelled);
    EXPECT_EQ(desk.calls.running(), 1u);
}

// Providers that answer, are late, answer twice or never, and callers that cancel, all at once:
// each observer hears exactly one end.
TEST(Ending, ExactlyOnceWhateverHappens) {
    auto options = Desk::hasty();
    options.default_timeout = milliseconds(60);
    options.breaker_failures = 1'000'000;
    Desk desk(options);
    std::vector<WitnessPtr> all(400);
    std::vector<std::jthread> threads;
    for (unsigned part = 0; part < 4; ++part)
        threads.emplace_back([&, part] {
            std::mt19937 random(part);
            for (std::size_t i = part; i < all.size(); i += 4) {
                all[i] = desk.kept();
                const auto id = all[i]->id();
                std::jthread other;
                switch (random() % 5) {
                    case 0:
                        other = std::jthread([&, id] { desk.calls.cancel(id); });
                        [[fallthrough]];
                    case 1:
                        desk.calls.complete(id, Status::ok, "{}");
                        desk.calls.complete(id, Status::internal, {});
                        break;
                    case 2:
                        other = std::jthread([&, id] {
                            desk.calls.wait(id, std::numeric_limits<std::int64_t>::max());
                            desk.calls.complete(id, Status::ok, "{}");
                        });
                        break;
                    case 3:
                        desk.calls.cancel(id);
                        break;
                    default:
                        break;
                }
            }
        });
    threads.clear();
    for (const auto& each : all) {
        ASSERT_TRUE(each->wait());
        EXPECT_EQ(each->times(), 1);
    }
    while (desk.calls.running() > 0)
        std::this_thread::yield();
    for (const auto& each : all)
        EXPECT_EQ(each->times(), 1);
}

}  // namespace
}  // namespace pb::test
