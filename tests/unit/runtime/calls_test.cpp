// SPDX-License-Identifier: Apache-2.0
// A call from its beginning to its answer: ids, what the provider is told, notices, waiting, and
// what is refused before the provider hears of it.
#include <latch>
#include <set>
#include <thread>

#include "base/log.h"
#include "desk.h"

namespace pb::test {
namespace {

TEST(Calls, TheProviderIsToldEverything) {
    Desk desk;
    json seen_params, seen_context;
    desk.provider->handlers["look"] = [&](auto call, const json& params, const json& context) {
        seen_params = params;
        seen_context = context;
        desk.provider->ok(call, {{"fine", true}});
    };
    auto witness = std::make_shared<Witness>();
    auto spec = desk.spec(witness, "look");
    spec.params = R"({"a":1})";
    EXPECT_NE(desk.calls.start(spec), catalog::no_call);
    EXPECT_EQ(witness->times(), 1);
    EXPECT_EQ(witness->status(), Status::ok);
    EXPECT_EQ(witness->body(), R"({"fine":true})");
    EXPECT_EQ(seen_params, json({{"a", 1}}));
    EXPECT_EQ(seen_context["org"], "acme");
    EXPECT_EQ(seen_context["principal"]["id"], "ann");
    EXPECT_EQ(seen_context["depth"], 0);
    EXPECT_EQ(desk.calls.running(), 0u);
}

TEST(Calls, IdsAreNeverUsedTwice) {
    Desk desk;
    std::set<runtime::CallId> ids;
    for (int i = 0; i < 50; ++i) {
        auto witness = std::make_shared<Witness>();
        ids.insert(desk.start(witness, i % 2 ? "keep" : "answer"));
        EXPECT_EQ(*ids.rbegin(), witness->id()) << "begun() names the call that start() returns";
    }
    EXPECT_EQ(ids.size(), 50u);
    EXPECT_FALSE(ids.contains(catalog::no_call));
    EXPECT_EQ(desk.calls.running(), 25u);
}

TEST(Calls, TheObserverKnowsTheCallBeforeTheProvider) {
    Desk desk;
    std::vector<std::string> order;
    desk.provider->handlers["look"] = [&](auto call, const json&, const json&) {
        order.emplace_back("provider");
        desk.provider->ok(call, json::object());
    };
    auto witness = std::make_shared<Witness>();
    witness->on_begun = [&](auto) { order.emplace_back("observer"); };
    desk.start(witness, "look");
    EXPECT_EQ(order, (std::vector<std::string>{"observer", "provider"}));
}

TEST(Calls, TheDeadlineIsTheSmallestOfAll) {
    auto options = Desk::slow();
    options.default_timeout = std::chrono::seconds(100);
    options.max_timeout = std::chrono::seconds(200);
    Desk desk(options);
    class Asked : public FakeProvider {
      public:
        using FakeProvider::FakeProvider;
        void handle(const catalog::ProviderRequest& request) noexcept override {
            deadline_ns = request.deadline_ns;
        }
        std::int64_t deadline_ns = 0;
    };
    auto asked = std::make_shared<Asked>(desk.calls);
    auto deadline_for = [&](std::chrono::nanoseconds timeout) {
        auto spec = desk.spec(std::make_shared<Witness>());
        spec.provider = asked;
        spec.timeout = timeout;
        desk.calls.start(spec);
        return std::chrono::nanoseconds(asked->deadline_ns);
    };
    EXPECT_EQ(deadline_for({}), options.default_timeout);
    EXPECT_EQ(deadline_for(std::chrono::seconds(3)), std::chrono::seconds(3));
    EXPECT_EQ(deadline_for(std::chrono::hours(3)), options.max_timeout);
    EXPECT_EQ(deadline_for(std::chrono::nanoseconds::max()), options.max_timeout);
}

TEST(Calls, OneCompletionCounts) {
    Desk desk;
    auto witness = desk.kept();
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, R"({"n":1})"), Status::ok);
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, R"({"n":2})"), Status::gone);
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::internal, {}), Status::gone);
    EXPECT_EQ(witness->times(), 1);
    EXPECT_EQ(witness->body(), R"({"n":1})");
    EXPECT_EQ(desk.calls.complete(987'654, Status::ok, "{}"), Status::gone);
    EXPECT_EQ(desk.calls.complete(catalog::no_call, Status::ok, "{}"), Status::gone);
}

TEST(Calls, OfManyThreadsOneCompletes) {
    Desk desk;
    for (int round = 0; round < 100; ++round) {
        auto witness = desk.kept();
        std::atomic<int> taken{0};
        std::latch ready(4);
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                ready.arrive_and_wait();
                if (desk.calls.complete(witness->id(), Status::ok, "{}") == Status::ok) ++taken;
            });
        threads.clear();
        EXPECT_EQ(taken, 1);
        EXPECT_EQ(witness->times(), 1);
    }
}

TEST(Calls, AnAnswerThatIsNoObjectIsTheProvidersFault) {
    Desk desk;
    for (std::string_view body : {"", "nonsense", "[]", "3", "{\"a\":1", "{\"a\":\"\xff\"}"}) {
        auto witness = desk.kept();
        EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, body), Status::invalid) << body;
        EXPECT_EQ(witness->times(), 1);
        EXPECT_EQ(witness->status(), Status::internal);
        EXPECT_FALSE(witness->message().empty());
        EXPECT_EQ(desk.calls.complete(witness->id(), Status::ok, "{}"), Status::gone);
    }
}

TEST(Calls, AnErrorNeedsNoBody) {
    Desk desk;
    auto witness = desk.kept();
    EXPECT_EQ(desk.calls.complete(witness->id(), Status::denied, {}), Status::ok);
    EXPECT_EQ(witness->status(), Status::denied);
    EXPECT_EQ(witness->body(), "");
    auto wrong = desk.kept();
    EXPECT_EQ(desk.calls.complete(wrong->id(), Status::denied, "nonsense"), Status::invalid);
    EXPECT_EQ(wrong->status(), Status::internal);
}

TEST(Calls, NoticesReachTheObserverUntilTheEnd) {
    Desk desk;
    auto witness = desk.kept();
    const auto id = witness->id();
    EXPECT_EQ(desk.calls.notify(id, "notifications/progress", R"({"progress":1})"), Status::ok);
    for (std::string_view params : {"", "[]", "{", "null"})
        EXPECT_EQ(desk.calls.notify(id, "notifications/progress", params), Status::invalid);
    using Notices = std::vector<std::pair<std::string, std::string>>;
    const Notices heard{{"notifications/progress", R"({"progress":1})"}};
    EXPECT_EQ(witness->notices(), heard);
    desk.calls.complete(id, Status::ok, "{}");
    EXPECT_EQ(desk.calls.notify(id, "notifications/progress", "{}"), Status::gone);
    EXPECT_EQ(witness->notices(), heard);
}

TEST(Calls, WhatTheObserverSaysOfANoticeReachesTheProvider) {
    Desk desk;
    for (auto answer : {Status::again, Status::gone, Status::unsupported}) {
        auto witness = std::make_shared<Witness>();
        witness->answer_to_notices = answer;
        desk.start(witness);
        EXPECT_EQ(desk.calls.notify(witness->id(), "notifications/message", "{}"), answer);
    }
}

TEST(Calls, WaitSleepsOrLearnsOfTheEnd) {
    Desk desk;
    auto witness = desk.kept();
    EXPECT_EQ(desk.calls.wait(witness->id(), 0), Status::ok);
    EXPECT_EQ(desk.calls.wait(witness->id(), -1), Status::ok);
    EXPECT_EQ(desk.calls.wait(witness->id(), 1'000), Status::ok);
    std::jthread ends([&] { desk.calls.complete(witness->id(), Status::ok, "{}"); });
    EXPECT_EQ(desk.calls.wait(witness->id(), std::numeric_limits<std::int64_t>::max()),
              Status::gone);
    ends.join();
    EXPECT_EQ(desk.calls.wait(witness->id(), 0), Status::gone);
}

TEST(Calls, AnObserverIsToldOnceThatACallLasts) {
    auto options = Desk::slow();
    options.lasting = milliseconds(1);
    Desk desk(options);
    auto first = desk.kept();
    ASSERT_TRUE(first->wait_lasting());
    // A later call has been through a whole sweep: the first one through two.
    auto second = desk.kept();
    ASSERT_TRUE(second->wait_lasting());
    EXPECT_EQ(first->lasting(), 1);
    EXPECT_EQ(first->times(), 0);
}

TEST(Calls, ABoundOnThreadsInsideOneProvider) {
    auto options = Desk::slow();
    options.concurrency_per_provider = 1;
    Desk desk(options);
    std::latch inside(1), leave(1);
    desk.provider->handlers["stay"] = [&](auto call, const json&, const json&) {
        inside.count_down();
        leave.wait();
        desk.provider->ok(call, json::object());
    };
    auto first = std::make_shared<Witness>();
    std::jthread busy([&] { desk.start(first, "stay"); });
    inside.wait();
    auto second = std::make_shared<Witness>();
    EXPECT_EQ(desk.start(second), catalog::no_call);
    EXPECT_EQ(second->status(), Status::busy);
    EXPECT_EQ(second->id(), catalog::no_call) << "begun() is for calls that began";
    leave.count_down();
    busy.join();
    EXPECT_EQ(first->status(), Status::ok);
    EXPECT_NE(desk.start(std::make_shared<Witness>()), catalog::no_call);
}

TEST(Calls, ABoundOnThreadsInsideAllProviders) {
    auto options = Desk::slow();
    options.concurrency = 1;
    Desk desk(options);
    std::latch inside(1), leave(1);
    desk.provider->handlers["stay"] = [&](auto, const json&, const json&) {
        inside.count_down();
        leave.wait();
    };
    auto asked = [&](const WitnessPtr& witness, std::string_view method) {
        auto spec = desk.spec(witness, method);
        spec.client = std::make_shared<runtime::ClientView>();
        return spec;
    };
    auto first = std::make_shared<Witness>();
    std::jthread busy([&] { desk.calls.start(asked(first, "stay")); });
    inside.wait();
    auto refused = std::make_shared<Witness>();
    auto spec = asked(refused, "answer");
    spec.provider = std::make_shared<FakeProvider>(desk.calls);
    EXPECT_EQ(desk.calls.start(spec), catalog::no_call);
    EXPECT_EQ(refused->status(), Status::busy);
    auto nested = std::make_shared<Witness>();
    spec = asked(nested, "answer");
    spec.parent = first->id();
    desk.calls.start(spec);
    EXPECT_EQ(nested->status(), Status::ok) << "what runs already must be able to end";
    auto hosts = std::make_shared<Witness>();
    desk.start(hosts, "answer");
    EXPECT_EQ(hosts->status(), Status::ok);
    leave.count_down();
    busy.join();
    auto second = std::make_shared<Witness>();
    desk.calls.start(asked(second, "answer"));
    EXPECT_EQ(second->status(), Status::ok)
        << "a call that is kept without a thread does not count";
}

TEST(Calls, ACallBelongsToItsProviderWhileItRuns) {
    Desk desk;
    FakeProvider other(desk.calls);
    const auto id = desk.kept()->id();
    EXPECT_TRUE(desk.calls.belongs(id, *desk.provider));
    EXPECT_FALSE(desk.calls.belongs(id, other));
    desk.calls.complete(id, Status::ok, "{}");
    EXPECT_FALSE(desk.calls.belongs(id, *desk.provider));
    EXPECT_FALSE(desk.calls.belongs(catalog::no_call, *desk.provider));
}

TEST(Calls, ABoundOnCallsInAll) {
    auto options = Desk::slow();
    options.max_calls = 2;
    Desk desk(options);
    auto first = desk.kept(), second = desk.kept(), third = desk.kept();
    EXPECT_EQ(third->status(), Status::busy);
    EXPECT_EQ(third->times(), 1);
    desk.calls.complete(first->id(), Status::ok, "{}");
    EXPECT_EQ(desk.kept()->times(), 0);
}

// One that stands in front of another: its calls are the other's to complete, and nobody else's.
class Front : public catalog::Provider {
  public:
    explicit Front(std::shared_ptr<FakeProvider> behind) : behind_(std::move(behind)) {}
    std::string_view label() const override { return "front"; }
    std::string_view capability() const override { return "mcp:front"; }
    const catalog::Provider& speaker() const override { return *behind_; }
    void handle(const catalog::ProviderRequest& request) noexcept override {
        behind_->handle(request);
    }
    void cancel(runtime::CallId call) noexcept override { behind_->cancel(call); }

  private:
    std::shared_ptr<FakeProvider> behind_;
};

TEST(Calls, BelongToWhoSpeaksForTheirProvider) {
    Desk desk;
    json seen;
    desk.provider->handlers["keep"] = [&](auto, const json&, const json& context) {
        seen = context;
    };
    auto front = std::make_shared<Front>(desk.provider);
    auto witness = std::make_shared<Witness>();
    auto spec = desk.spec(witness);
    spec.provider = front;
    const auto id = desk.calls.start(spec);
    EXPECT_EQ(seen["capability"], "mcp:front");
    EXPECT_TRUE(desk.calls.belongs(id, *desk.provider));
    EXPECT_FALSE(desk.calls.belongs(id, *front));
    EXPECT_EQ(desk.provider->health.inside, 0);
    EXPECT_EQ(desk.calls.complete(id, Status::ok, "{}"), Status::ok);
}

TEST(Calls, CarryTheirProvidersNoteToTheirRecord) {
    Desk desk;
    auto witness = desk.kept();
    const auto id = witness->id();
    EXPECT_EQ(desk.calls.notify(id, "patchbay/record", R"({"acts_as":"user"})"), Status::ok);
    EXPECT_EQ(desk.calls.notify(id, "patchbay/record", R"({"acts_as":"service"})"), Status::ok);
    EXPECT_EQ(desk.calls.notify(id, "patchbay/record", "[]"), Status::invalid);
    const std::string large = R"({"a":")" + std::string(4096, 'x') + R"("})";
    EXPECT_EQ(desk.calls.notify(id, "patchbay/record", large), Status::invalid);
    EXPECT_TRUE(witness->notices().empty()) << "whoever called does not see it";
    log::configure(log::Level::debug, log::Format::json);
    testing::internal::CaptureStderr();
    EXPECT_EQ(desk.calls.complete(id, Status::ok, "{}"), Status::ok);
    const auto line = json::parse(testing::internal::GetCapturedStderr());
    log::configure(log::Level::info, log::Format::text);
    EXPECT_EQ(line["event"], "call.ended");
    EXPECT_EQ(line["org"], "acme");
    EXPECT_EQ(line["record"], R"({"acts_as":"service"})");
    EXPECT_EQ(desk.calls.notify(id, "patchbay/record", "{}"), Status::gone);
}

}  // namespace
}  // namespace pb::test
