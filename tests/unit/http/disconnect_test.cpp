// SPDX-License-Identifier: Apache-2.0
// How a handler learns that its client has left.
#include "support.h"

namespace pb::http::testing {
namespace {

// Keeps the exchanges that a handler got, so that the test answers them.
class Held {
  public:
    Handler handler() {
        return [this](auto, auto exchange) {
            {
                std::lock_guard lock(mutex_);
                exchanges_.push_back(exchange);
            }
            arrived.arrive();
        };
    }
    std::shared_ptr<Exchange> at(std::size_t index = 0) {
        std::lock_guard lock(mutex_);
        return exchanges_.at(index);
    }
    Latch arrived;

  private:
    std::mutex mutex_;
    std::vector<std::shared_ptr<Exchange>> exchanges_;
};

TEST(Disconnect, BeforeTheAnswer) {
    Held held;
    Latch gone;
    const auto server = serve(held.handler());
    Client client(server->port());
    client.write(get);
    ASSERT_TRUE(held.arrived.wait_for());
    held.at()->on_disconnect([&] { gone.arrive(); });
    client.close();
    ASSERT_TRUE(gone.wait_for());
    EXPECT_FALSE(held.at()->respond({200, "text/plain", "late", {}}));
    EXPECT_FALSE(held.at()->start_stream());
    held.at()->on_disconnect([&] { gone.arrive(); });
    EXPECT_EQ(gone.count(), 1);
}

TEST(Disconnect, ToldAtOnceIfItWasBefore) {
    Held held;
    const auto server = serve(held.handler());
    Client client(server->port());
    client.write(get);
    ASSERT_TRUE(held.arrived.wait_for());
    client.close();
    ASSERT_TRUE(eventually([&] { return server->counters().connections == 0; }));
    int told = 0;
    held.at()->on_disconnect([&] { ++told; });
    EXPECT_EQ(told, 1);
    held.at()->on_disconnect([&] { ++told; });
    EXPECT_EQ(told, 1);
}

TEST(Disconnect, WhilePipelinedBytesAreUnread) {
    Held held;
    Latch gone;
    const auto server = serve(held.handler());
    Client client(server->port());
    client.write(get + get + get);
    ASSERT_TRUE(held.arrived.wait_for());
    held.at()->on_disconnect([&] { gone.arrive(); });
    client.write(get);
    client.shut_write();
    EXPECT_TRUE(gone.wait_for());
    EXPECT_EQ(held.arrived.count(), 1);
}

TEST(Disconnect, WhileTheHandlerItselfStays) {
    Latch inside, gone, left;
    const auto server = serve([&](auto, auto exchange) {
        exchange->on_disconnect([&] { gone.arrive(); });
        inside.arrive();
        EXPECT_TRUE(gone.wait_for());
        left.arrive();
    });
    Client client(server->port());
    client.write(get);
    ASSERT_TRUE(inside.wait_for());
    client.close();
    EXPECT_TRUE(left.wait_for());
}

TEST(Disconnect, DuringAStream) {
    Held held;
    Latch gone;
    const auto server = serve(held.handler());
    Client client(server->port());
    client.write(get);
    ASSERT_TRUE(held.arrived.wait_for());
    const auto exchange = held.at();
    exchange->on_disconnect([&] { gone.arrive(); });
    ASSERT_TRUE(exchange->start_stream());
    EXPECT_EQ(exchange->send("data: 1\n\n"), SendResult::ok);
    client.close();
    ASSERT_TRUE(gone.wait_for());
    EXPECT_EQ(exchange->send("data: 2\n\n"), SendResult::gone);
    EXPECT_FALSE(exchange->streaming());
    exchange->finish();
    EXPECT_TRUE(eventually([&] { return server->counters().streams == 0; }));
    EXPECT_EQ(gone.count(), 1);
}

TEST(Disconnect, NeverInsideSend) {
    Held held;
    Latch gone;
    std::atomic<bool> sending{false}, inside{false};
    const auto server = serve(held.handler());
    Client client(server->port());
    client.write(get);
    ASSERT_TRUE(held.arrived.wait_for());
    const auto exchange = held.at();
    const auto sender = std::this_thread::get_id();
    exchange->on_disconnect([&] {
        if (sending && std::this_thread::get_id() == sender) inside = true;
        gone.arrive();
    });
    exchange->start_stream();
    client.close();
    sending = true;
    while (exchange->send("data: x\n\n") != SendResult::gone)
        std::this_thread::yield();
    sending = false;
    EXPECT_TRUE(gone.wait_for());
    EXPECT_FALSE(inside);
}

TEST(Disconnect, NotAfterTheEnd) {
    Held held;
    Latch gone;
    const auto server = serve(held.handler());
    Client client(server->port());
    client.write(get);
    ASSERT_TRUE(held.arrived.wait_for());
    const auto token = std::make_shared<int>(1);
    held.at()->on_disconnect([&gone, token] { gone.arrive(); });
    EXPECT_TRUE(held.at()->respond({200, "text/plain", "x", {}}));
    EXPECT_EQ(token.use_count(), 1);  // the callback is released with the end
    held.at()->on_disconnect([&] { gone.arrive(); });
    client.close();
    ASSERT_TRUE(eventually([&] { return server->counters().connections == 0; }));
    EXPECT_EQ(gone.count(), 0);
}

TEST(Disconnect, ACallbackMayBeReplacedRemovedAndMayThrow) {
    Held held;
    Latch first, second;
    const auto server = serve(held.handler());
    Client replaced(server->port());
    replaced.write(get);
    ASSERT_TRUE(held.arrived.wait_for(1));
    held.at(0)->on_disconnect([&] { first.arrive(); });
    held.at(0)->on_disconnect([&] {
        second.arrive();
        throw std::runtime_error("on purpose");
    });
    Client removed(server->port());
    removed.write(get);
    ASSERT_TRUE(held.arrived.wait_for(2));
    held.at(1)->on_disconnect([&] { first.arrive(); });
    held.at(1)->on_disconnect(nullptr);
    removed.close();
    replaced.close();
    EXPECT_TRUE(second.wait_for());
    EXPECT_TRUE(eventually([&] { return server->counters().connections == 0; }));
    EXPECT_EQ(first.count(), 0);
}

// An exchange of an earlier life must not reach the client that has the connection object now.
TEST(Disconnect, AnOldExchangeTouchesNobodyElse) {
    Held held;
    const auto server = serve(held.handler());
    for (std::size_t i = 0; i < 20; ++i) {
        Client client(server->port());
        client.write(get);
        ASSERT_TRUE(held.arrived.wait_for(static_cast<int>(i) + 1));
        for (std::size_t old = 0; old < i; ++old) {
            EXPECT_FALSE(held.at(old)->respond({200, "text/plain", "wrong", {}}));
        }
        EXPECT_TRUE(held.at(i)->respond({200, "text/plain", "right", {}}));
        EXPECT_EQ(client.answer().body, "right");
    }
}

}  // namespace
}  // namespace pb::http::testing
