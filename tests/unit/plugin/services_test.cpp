// SPDX-License-Identifier: Apache-2.0
// The host table and the services, as a plugin sees them.
#include <array>
#include <atomic>
#include <thread>

#include "plugin/services.h"
#include "support.h"

namespace pb::plugin {
namespace {

using catalog::Status;

class ServicesTest : public testing::Test {
  protected:
    std::shared_ptr<catalog::Provider> start(Script script = {}, InstanceSpec with = spec()) {
        auto inner = script.start;
        script.start = [this, inner](const patchbay_host* host, std::string_view message) {
            host_ = host;
            return inner ? inner(host, message) : PATCHBAY_OK;
        };
        return started(around_, std::move(script), Threading::concurrent, std::move(with));
    }
    template <class Table>
    const Table& service(const char* id) const {
        const auto* table = static_cast<const Table*>(host_->service(host_, id));
        if (!table || table->struct_size != sizeof(Table)) throw std::runtime_error(id);
        return *table;
    }
    static void collect(void* user, patchbay_str key, patchbay_str value) {
        static_cast<std::vector<std::string>*>(user)->push_back(std::string(view(key)) + "=" +
                                                                std::string(view(value)));
    }

    Host around_;
    const patchbay_host* host_ = nullptr;
};

TEST_F(ServicesTest, UnknownOnesAreAbsent) {
    auto instance = start();
    EXPECT_EQ(host_->service(host_, "patchbay.config/2"), nullptr);
    EXPECT_EQ(host_->service(host_, nullptr), nullptr);
    EXPECT_EQ(host_->struct_size, sizeof(patchbay_host));
}

TEST_F(ServicesTest, ConfigByPointer) {
    auto instance = start({}, spec(R"({"a":{"b/c":[1,"x"]},"":0})"));
    const auto& config = service<patchbay_config_v1>(PATCHBAY_SERVICE_CONFIG);
    auto get = [&](std::string_view pointer) {
        std::vector<std::string> out;
        patchbay_status status = config.get(host_, str(pointer), collect, &out);
        return status == PATCHBAY_OK ? out.at(0) : std::to_string(status);
    };
    EXPECT_EQ(get("/a/b~1c/1"), "/a/b~1c/1=\"x\"");
    EXPECT_EQ(get("/"), "/=0");
    EXPECT_EQ(get(""), R"(={"":0,"a":{"b/c":[1,"x"]}})");
    for (const char* absent :
         {"/b", "/a/b~1c/2", "/a/b~1c/-", "/a/b~1c/01", "/a/b~1c/x", "/a/b/c/d"})
        EXPECT_EQ(get(absent), std::to_string(PATCHBAY_E_NOT_FOUND)) << absent;
    for (const char* wrong : {"a", "/~", "/~2"})
        EXPECT_EQ(get(wrong), std::to_string(PATCHBAY_E_INVALID)) << wrong;
    EXPECT_EQ(config.get(host_, str(""), nullptr, nullptr), PATCHBAY_E_INVALID);
}

TEST_F(ServicesTest, StoreIsThatOfTheCapability) {
    auto instance = start();
    const auto& store = service<patchbay_store_v1>(PATCHBAY_SERVICE_STORE);
    std::int64_t version = 0;
    EXPECT_EQ(store.put(host_, str("k1"), str("v1"), 0, &version), PATCHBAY_OK);
    EXPECT_GT(version, 0);
    EXPECT_EQ(store.put(host_, str("k1"), str("v2"), 0, nullptr), PATCHBAY_E_BUSY);
    EXPECT_EQ(store.put(host_, str("k2"), str("v2"), -1, nullptr), PATCHBAY_OK);
    std::vector<std::string> out;
    std::int64_t read_version = 0;
    EXPECT_EQ(store.get(host_, str("k1"), collect, &out, &read_version), PATCHBAY_OK);
    EXPECT_EQ(read_version, version);
    EXPECT_EQ(store.list(host_, str("k"), str("k1"), 10, collect, &out), PATCHBAY_OK);
    EXPECT_EQ(out, (std::vector<std::string>{"k1=v1", "k2=v2"}));
    EXPECT_EQ(store.remove(host_, str("k1"), -1), PATCHBAY_OK);
    EXPECT_EQ(store.remove(host_, str("k1"), -1), PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(store.get(host_, str("k1"), collect, &out, nullptr), PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(store.put(host_, {nullptr, 3}, str("v"), -1, nullptr), PATCHBAY_E_INVALID);
    EXPECT_TRUE(around_.store->get({"acme", "scripted"}, "k2").ok());
}

TEST_F(ServicesTest, NotificationsGoToTheCallOrTheCatalog) {
    auto instance = start();
    EXPECT_EQ(host_->notify(host_, 5, str("notifications/progress"), str("{}")), PATCHBAY_OK);
    EXPECT_EQ(around_.calls.notified(), (std::vector<std::string>{"notifications/progress"}));
    EXPECT_EQ(host_->notify(host_, 0, str("notifications/tools/list_changed"), str("")),
              PATCHBAY_OK);
    EXPECT_EQ(around_.changes.seen,
              (std::vector<std::string>{"scripted@1.0.0#1 notifications/tools/list_changed {}"}));
    EXPECT_EQ(host_->notify(host_, 0, str("notifications/message"), str("{}")),
              PATCHBAY_E_UNSUPPORTED);
    EXPECT_EQ(host_->notify(host_, 0, str("notifications/resources/updated"), str("[")),
              PATCHBAY_E_INVALID);
    EXPECT_EQ(host_->wait(host_, 5, 0), PATCHBAY_E_CANCELLED);
    EXPECT_EQ(host_->wait(host_, PATCHBAY_NO_CALL, 1), PATCHBAY_OK);
}

// How invoked calls ended.
struct Ends {
    std::mutex mutex;
    std::vector<std::string> seen;
    std::thread::id thread;
    Signal told;
    static void done(void* user, patchbay_status status, patchbay_str body) {
        auto& ends = *static_cast<Ends*>(user);
        std::lock_guard lock(ends.mutex);
        ends.seen.push_back(std::to_string(status) + std::string(view(body)));
        ends.thread = std::this_thread::get_id();
        ends.told.raise();
    }
};

TEST_F(ServicesTest, InvokePassesOnAndEndsOnce) {
    Ends ends;
    auto instance = start();
    const auto& invoke = service<patchbay_invoke_v1>(PATCHBAY_SERVICE_INVOKE);
    auto call = [&](std::string_view method, std::string_view params) {
        return invoke.invoke(host_, 9, str(method), str(params), 0, Ends::done, &ends);
    };
    EXPECT_EQ(call("tools/call", R"({"name":"x"})"), PATCHBAY_OK);
    EXPECT_EQ(around_.invoker.seen, R"(acme scripted 9 tools/call {"name":"x"})");
    around_.invoker.pending.at(0)(Status::ok, R"({"a":1})");
    ASSERT_TRUE(ends.told.wait());
    around_.invoker.pending.at(0)(Status::ok, R"({"a":2})");
    EXPECT_EQ(ends.seen, (std::vector<std::string>{R"(0{"a":1})"}));
    EXPECT_EQ(call("tools/unknown", "{}"), PATCHBAY_E_INVALID);
    EXPECT_EQ(call("tools/call", "[]"), PATCHBAY_E_INVALID);
    around_.invoker.answer = Status::busy;
    EXPECT_EQ(call("tools/list", ""), PATCHBAY_E_BUSY);
    EXPECT_EQ(ends.seen.size(), 1u);
}

// A plugin may wait in `done`: for the host's own threads that must cost nothing.
TEST_F(ServicesTest, TheEndOfAnInvokedCallHoldsOnlyAThreadThatAPluginLent) {
    auto instance = start();
    const auto& invoke = service<patchbay_invoke_v1>(PATCHBAY_SERVICE_INVOKE);
    Ends ends;
    auto call = [&] {
        return invoke.invoke(host_, 9, str("tools/list"), str("{}"), 0, Ends::done, &ends);
    };
    ASSERT_EQ(call(), PATCHBAY_OK);
    {
        std::lock_guard lock(ends.mutex);  // done() waits for it
        around_.invoker.pending.at(0)(Status::deadline, "{}");
    }
    ASSERT_TRUE(ends.told.wait());
    around_.invoker.at_once = true;
    ASSERT_EQ(call(), PATCHBAY_OK);
    std::lock_guard lock(ends.mutex);
    EXPECT_EQ(ends.seen.size(), 2u);
    EXPECT_EQ(ends.thread, std::this_thread::get_id());
}

TEST_F(ServicesTest, AScopeGoesWithTheInvocation) {
    Ends ends;
    auto instance = start();
    const auto& invoke = service<patchbay_invoke_v1>(PATCHBAY_SERVICE_INVOKE);
    EXPECT_EQ(
        invoke.invoke_in(host_, 0, str("[1]"), str("tools/list"), str("{}"), 0, Ends::done, &ends),
        PATCHBAY_OK);
    EXPECT_EQ(around_.invoker.scope, "[1]");
    around_.invoker.pending.at(0)(Status::ok, "{}");
    ASSERT_TRUE(ends.told.wait());
    EXPECT_EQ(invoke.invoke_in(host_, 0, {nullptr, 3}, str("tools/list"), str("{}"), 0, Ends::done,
                               &ends),
              PATCHBAY_E_INVALID);
    around_.invoker.answer = Status::unsupported;
    EXPECT_EQ(
        invoke.invoke_in(host_, 0, str("[]"), str("tools/list"), str("{}"), 0, Ends::done, &ends),
        PATCHBAY_E_UNSUPPORTED);
}

TEST_F(ServicesTest, CallsOfOthersAreGone) {
    around_.calls.foreign = 6;
    around_.calls.ended_by = Status::ok;
    auto instance = start();
    const auto& invoke = service<patchbay_invoke_v1>(PATCHBAY_SERVICE_INVOKE);
    EXPECT_EQ(host_->complete(host_, 6, PATCHBAY_OK, str("{}")), PATCHBAY_E_GONE);
    EXPECT_EQ(host_->complete(host_, 6, 17, str("{}")), PATCHBAY_E_GONE);
    EXPECT_FALSE(around_.calls.ended(6));
    EXPECT_EQ(host_->notify(host_, 6, str("notifications/progress"), str("{}")), PATCHBAY_E_GONE);
    EXPECT_TRUE(around_.calls.notified().empty());
    EXPECT_EQ(host_->wait(host_, 6, 0), PATCHBAY_E_GONE);
    EXPECT_EQ(invoke.invoke(host_, 6, str("tools/list"), str("{}"), 0, Ends::done, nullptr),
              PATCHBAY_E_GONE);
    EXPECT_EQ(around_.invoker.seen, "");
    EXPECT_EQ(host_->wait(host_, 5, 0), PATCHBAY_OK);
}

TEST_F(ServicesTest, StoppingEndsInvokedCallsAndRefusesMore) {
    Ends ends;
    Script script;
    Signal destroyed;
    std::vector<std::string> at_stop;
    script.stop = [&](const patchbay_host* host) {
        const auto& invoke =
            *static_cast<const patchbay_invoke_v1*>(host->service(host, PATCHBAY_SERVICE_INVOKE));
        at_stop = ends.seen;
        EXPECT_EQ(invoke.invoke(host, 0, str("tools/list"), str("{}"), 0, Ends::done, &ends),
                  PATCHBAY_E_GONE);
        EXPECT_EQ(host->wait(host, PATCHBAY_NO_CALL, INT64_MAX), PATCHBAY_E_GONE);
        EXPECT_EQ(host->notify(host, 0, str("notifications/tools/list_changed"), str("{}")),
                  PATCHBAY_E_GONE);
    };
    script.destroy = [&](auto*) { destroyed.raise(); };
    auto instance = start(script);
    const auto& invoke = service<patchbay_invoke_v1>(PATCHBAY_SERVICE_INVOKE);
    ASSERT_EQ(invoke.invoke(host_, 0, str("tools/list"), str("{}"), 0, Ends::done, &ends),
              PATCHBAY_OK);
    instance.reset();
    ASSERT_TRUE(destroyed.wait());
    ASSERT_EQ(at_stop.size(), 1u);
    EXPECT_EQ(at_stop[0].substr(0, 2), std::to_string(PATCHBAY_E_GONE));
    // The answer comes when nobody is there any more.
    around_.invoker.pending.at(0)(Status::ok, "{}");
    EXPECT_EQ(ends.seen.size(), 1u);
}

struct Received {
    Signal third;
    std::mutex mutex;
    std::vector<std::string> seen;
    static void event(void* user, patchbay_str topic, patchbay_str data) {
        auto& me = *static_cast<Received*>(user);
        std::lock_guard lock(me.mutex);
        me.seen.push_back(std::string(view(topic)) + std::string(view(data)));
        if (me.seen.size() == 3) me.third.raise();
    }
};

TEST_F(ServicesTest, EventsReachTheOrganisationsSubscribersUntilTheyLeave) {
    Received received;
    auto instance = start();
    const auto& events = service<patchbay_events_v1>(PATCHBAY_SERVICE_EVENTS);
    std::uint64_t id = 0;
    ASSERT_EQ(events.subscribe(host_, str("a"), Received::event, &received, &id), PATCHBAY_OK);
    around_.events.publish("other", "a", "0");
    for (const char* data : {"1", "2", "3"})
        EXPECT_EQ(events.publish(host_, str("a.b"), str(data)), PATCHBAY_OK);
    EXPECT_EQ(events.publish(host_, str("b"), str("4")), PATCHBAY_OK);
    ASSERT_TRUE(received.third.wait());
    EXPECT_EQ(events.unsubscribe(host_, id), PATCHBAY_OK);
    EXPECT_EQ(events.unsubscribe(host_, id), PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(events.publish(host_, str("a.b"), str("5")), PATCHBAY_OK);
    EXPECT_EQ(received.seen, (std::vector<std::string>{"a.b1", "a.b2", "a.b3"}));
    EXPECT_EQ(events.publish(host_, str("a"), str("no json")), PATCHBAY_E_INVALID);
    EXPECT_EQ(events.publish(host_, str(""), str("1")), PATCHBAY_E_INVALID);
    EXPECT_EQ(events.subscribe(host_, str("a"), nullptr, nullptr, &id), PATCHBAY_E_INVALID);
}

TEST_F(ServicesTest, NothingCallsIntoAStoppedInstance) {
    struct Alive {
        std::atomic<int> stopped{0}, late{0}, ticks{0};
        Signal ticked;
    } alive;
    Script script;
    Signal destroyed;
    script.start = [&](const patchbay_host* host, std::string_view) {
        const auto& events =
            *static_cast<const patchbay_events_v1*>(host->service(host, PATCHBAY_SERVICE_EVENTS));
        const auto& schedule = *static_cast<const patchbay_schedule_v1*>(
            host->service(host, PATCHBAY_SERVICE_SCHEDULE));
        std::uint64_t id = 0;
        auto on_event = [](void* user, patchbay_str, patchbay_str) {
            auto& me = *static_cast<Alive*>(user);
            me.late += me.stopped;
        };
        auto on_timer = [](void* user) {
            auto& me = *static_cast<Alive*>(user);
            me.late += me.stopped;
            ++me.ticks;
            me.ticked.raise();
        };
        EXPECT_EQ(events.subscribe(host, str(""), on_event, &alive, &id), PATCHBAY_OK);
        EXPECT_EQ(schedule.schedule(host, 0, 1'000'000, on_timer, &alive, &id), PATCHBAY_OK);
        return PATCHBAY_OK;
    };
    script.stop = [&](auto*) { alive.stopped = 1; };
    script.destroy = [&](auto*) { destroyed.raise(); };
    auto instance = start(script);
    std::atomic<bool> publishing{true};
    std::thread publisher([&] {
        while (publishing)
            around_.events.publish("acme", "t", "1");
    });
    EXPECT_TRUE(alive.ticked.wait());
    instance.reset();
    EXPECT_TRUE(destroyed.wait());
    publishing = false;
    publisher.join();
    EXPECT_EQ(alive.late, 0);
    EXPECT_GT(alive.ticks, 0);
}

TEST_F(ServicesTest, SecretsAreThoseOfTheCapability) {
    auto instance = start();
    const auto& secrets = service<patchbay_secrets_v1>(PATCHBAY_SERVICE_SECRETS);
    std::int64_t version = 0, read_version = 0;
    EXPECT_EQ(secrets.put(host_, str("token"), str("t0p"), 0, &version), PATCHBAY_OK);
    EXPECT_EQ(secrets.put(host_, str("token"), str("other"), 0, nullptr), PATCHBAY_E_BUSY);
    std::vector<std::string> out;
    EXPECT_EQ(secrets.get(host_, str("token"), collect, &out, &read_version), PATCHBAY_OK);
    EXPECT_EQ(read_version, version);
    EXPECT_EQ(secrets.list(host_, str(""), str(""), 10, collect, &out), PATCHBAY_OK);
    EXPECT_EQ(out, (std::vector<std::string>{"token=t0p", "token="}));
    EXPECT_EQ(around_.secrets.get({"acme", "scripted"}, "token")->value, "t0p");
    const auto& store = service<patchbay_store_v1>(PATCHBAY_SERVICE_STORE);
    EXPECT_EQ(store.get(host_, str("token"), collect, &out, nullptr), PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(secrets.put(host_, str("big"), str(std::string(70'000, 'x')), -1, nullptr),
              PATCHBAY_E_INVALID);
    EXPECT_EQ(secrets.get(host_, str("token"), nullptr, nullptr, nullptr), PATCHBAY_E_INVALID);
    EXPECT_EQ(secrets.remove(host_, str("token"), -1), PATCHBAY_OK);
    EXPECT_EQ(secrets.get(host_, str("token"), collect, &out, nullptr), PATCHBAY_E_NOT_FOUND);
}

TEST_F(ServicesTest, TheOrganisationsOwnSecretsAreForWhoTakesServers) {
    ASSERT_TRUE(around_.secrets.put(store::own_secrets("acme"), "key", "k3y"));
    ASSERT_TRUE(around_.secrets.put(store::own_secrets("other"), "theirs", "x"));
    std::vector<std::string> out;
    {
        auto instance = start();
        const auto& secrets = service<patchbay_secrets_v1>(PATCHBAY_SERVICE_SECRETS);
        EXPECT_EQ(secrets.get_own(host_, str("key"), collect, &out), PATCHBAY_E_DENIED);
        EXPECT_TRUE(out.empty());
    }
    auto instance = start({.takes = {"mcpServers"}});
    const auto& secrets = service<patchbay_secrets_v1>(PATCHBAY_SERVICE_SECRETS);
    EXPECT_EQ(secrets.get_own(host_, str("key"), collect, &out), PATCHBAY_OK);
    EXPECT_EQ(out, std::vector<std::string>{"key=k3y"});
    EXPECT_EQ(secrets.get_own(host_, str("theirs"), collect, &out), PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(secrets.get_own(host_, str("no name"), collect, &out), PATCHBAY_E_INVALID);
    EXPECT_EQ(secrets.get_own(host_, str("key"), nullptr, nullptr), PATCHBAY_E_INVALID);
    EXPECT_EQ(secrets.get(host_, str("key"), collect, &out, nullptr), PATCHBAY_E_NOT_FOUND);
}

TEST_F(ServicesTest, TimersAreChecked) {
    struct Timer {
        Signal ran;
        static void fn(void* user) { static_cast<Timer*>(user)->ran.raise(); }
    } timer;
    auto instance = start();
    const auto& schedule = service<patchbay_schedule_v1>(PATCHBAY_SERVICE_SCHEDULE);
    std::uint64_t id = 0;
    EXPECT_EQ(schedule.schedule(host_, -1, 0, Timer::fn, &timer, &id), PATCHBAY_E_INVALID);
    EXPECT_EQ(schedule.schedule(host_, 0, 999'999, Timer::fn, &timer, &id), PATCHBAY_E_INVALID);
    EXPECT_EQ(schedule.schedule(host_, 0, 0, nullptr, &timer, &id), PATCHBAY_E_INVALID);
    ASSERT_EQ(schedule.schedule(host_, INT64_MAX, 0, Timer::fn, &timer, &id), PATCHBAY_OK);
    EXPECT_EQ(schedule.cancel(host_, id), PATCHBAY_OK);
    EXPECT_EQ(schedule.cancel(host_, id), PATCHBAY_E_NOT_FOUND);
    // More than an instance may have at a time: those that have run their only time are forgotten.
    for (int round = 0; round < 1100; ++round) {
        static std::array<Timer, 1100> timers;
        Timer& once = timers[static_cast<std::size_t>(round)];
        ASSERT_EQ(schedule.schedule(host_, 0, 0, Timer::fn, &once, &id), PATCHBAY_OK) << round;
        ASSERT_TRUE(once.ran.wait());
    }
}

TEST_F(ServicesTest, ASubscriberMayLeaveFromItsOwnEvent) {
    struct Leaver {
        const patchbay_host* host;
        const patchbay_events_v1* events;
        std::uint64_t id = 0;
        std::atomic<int> seen{0};
        Signal left;
        static void event(void* user, patchbay_str, patchbay_str) {
            auto& me = *static_cast<Leaver*>(user);
            ++me.seen;
            EXPECT_EQ(me.events->unsubscribe(me.host, me.id), PATCHBAY_OK);
            me.left.raise();
        }
    } leaver;
    auto instance = start();
    leaver.host = host_;
    leaver.events = &service<patchbay_events_v1>(PATCHBAY_SERVICE_EVENTS);
    ASSERT_EQ(leaver.events->subscribe(host_, str("x"), Leaver::event, &leaver, &leaver.id),
              PATCHBAY_OK);
    for (int index = 0; index < 10; ++index)
        around_.events.publish("acme", "x", "1");
    EXPECT_TRUE(leaver.left.wait());
    instance.reset();
    EXPECT_TRUE(around_.lifecycle.drain(long_enough));
    EXPECT_EQ(leaver.seen, 1);
}

}  // namespace
}  // namespace pb::plugin
