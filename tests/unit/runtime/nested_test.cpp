// SPDX-License-Identifier: Apache-2.0
// Calls that calls make: depth, time and end come from the parent.
#include <thread>

#include "desk.h"

namespace pb::test {
namespace {

TEST(Nested, DepthCountsAndIsBounded) {
    auto options = Desk::slow();
    options.max_depth = 2;
    Desk desk(options);
    auto first = desk.kept();
    auto second = desk.kept(first->id());
    auto third = desk.kept(second->id());
    EXPECT_EQ(desk.calls.origin(first->id()).depth, 0);
    EXPECT_EQ(desk.calls.origin(third->id()).depth, 2);
    auto fourth = desk.kept(third->id());
    EXPECT_EQ(fourth->status(), Status::busy);
    EXPECT_EQ(fourth->id(), catalog::no_call);
}

TEST(Nested, OriginIsWhatAChildInherits) {
    Desk desk;
    auto witness = std::make_shared<Witness>();
    auto spec = desk.spec(witness);
    auto client = std::make_shared<runtime::ClientView>();
    client->protocol_version = "2026-07-28";
    spec.client = client;
    const auto id = desk.calls.start(spec);
    auto origin = desk.calls.origin(id);
    EXPECT_EQ(origin.caller, desk.caller);
    EXPECT_EQ(origin.client, client);
    desk.calls.complete(id, Status::ok, "{}");
    EXPECT_EQ(desk.calls.origin(id).caller, nullptr);
}

TEST(Nested, NoChildOfACallThatHasEnded) {
    Desk desk;
    auto parent = desk.kept();
    desk.calls.complete(parent->id(), Status::ok, "{}");
    EXPECT_EQ(desk.kept(parent->id())->status(), Status::gone);
    auto cancelled = desk.kept();
    desk.calls.cancel(cancelled->id());
    EXPECT_EQ(desk.kept(cancelled->id())->status(), Status::cancelled);
    EXPECT_EQ(desk.calls.running(), 1u);
}

// An asynchronous tool ends its own call when what it asked for has ended.
class Finisher : public Witness {
  public:
    Finisher(runtime::Calls& calls, runtime::CallId parent) : calls_(calls), parent_(parent) {}
    void completed(Status status, std::string_view body) noexcept override {
        waited = calls_.wait(parent_, 0);
        finished = calls_.complete(parent_, status, {});
        Witness::completed(status, body);
    }
    Status waited = Status::internal, finished = Status::internal;

  private:
    runtime::Calls& calls_;
    runtime::CallId parent_;
};

TEST(Nested, WhoIsRefusedMayEndTheParentAtOnce) {
    Desk desk;
    auto parent = desk.kept();
    desk.calls.cancel(parent->id());
    auto finisher = std::make_shared<Finisher>(desk.calls, parent->id());
    auto spec = desk.spec(finisher);
    spec.parent = parent->id();
    EXPECT_EQ(desk.calls.start(spec), catalog::no_call);
    EXPECT_EQ(finisher->status(), Status::cancelled);
    EXPECT_EQ(finisher->waited, Status::cancelled);
    EXPECT_EQ(finisher->finished, Status::ok);
    EXPECT_EQ(desk.calls.running(), 0u);
}

TEST(Nested, CancellationGoesDown) {
    Desk desk;
    auto parent = desk.kept();
    auto child = desk.kept(parent->id());
    auto grandchild = desk.kept(child->id());
    auto stranger = desk.kept();
    desk.calls.cancel(parent->id());
    for (const auto& each : {parent, child, grandchild}) {
        EXPECT_EQ(each->status(), Status::cancelled);
        EXPECT_EQ(each->times(), 1);
    }
    EXPECT_EQ(stranger->times(), 0);
    EXPECT_EQ(desk.provider->cancels(), 3u);
}

TEST(Nested, CancellationOfAChildStaysThere) {
    Desk desk;
    auto parent = desk.kept();
    auto child = desk.kept(parent->id());
    desk.calls.cancel(child->id());
    EXPECT_EQ(child->status(), Status::cancelled);
    EXPECT_EQ(parent->times(), 0);
}

TEST(Nested, AChildHasNoMoreTimeThanItsParent) {
    auto options = Desk::slow();
    options.grace = milliseconds(1);
    Desk desk(options);
    auto parent = std::make_shared<Witness>();
    auto spec = desk.spec(parent);
    spec.timeout = milliseconds(1);
    desk.calls.start(spec);
    auto child = std::make_shared<Witness>();
    auto below = desk.spec(child);
    below.timeout = never;
    below.parent = parent->id();
    desk.calls.start(below);
    ASSERT_TRUE(child->wait());  // after an hour, were the parent's deadline not its own
    EXPECT_EQ(child->status(), Status::deadline);
}

// A child that begins while its parent is being cancelled is refused or ends with it; it is never
// left running.
TEST(Nested, ABeginningChildDoesNotEscape) {
    Desk desk;
    for (int round = 0; round < 2000; ++round) {
        auto parent = desk.kept();
        std::jthread canceller([&] { desk.calls.cancel(parent->id()); });
        auto child = desk.kept(parent->id());
        canceller.join();
        ASSERT_EQ(child->times(), 1) << round;
        EXPECT_EQ(child->status(), Status::cancelled);
        for (const auto& each : {parent, child})
            desk.calls.complete(each->id(), Status::ok, "{}");
    }
    EXPECT_EQ(desk.calls.running(), 0u);
}

}  // namespace
}  // namespace pb::test
