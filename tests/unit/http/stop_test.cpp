// SPDX-License-Identifier: Apache-2.0
// The drain: who is served to the end, who is closed, what an exchange can do afterwards.
#include "support.h"

namespace pb::http::testing {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds long_grace{patience_ms};

TEST(Stop, ClosesIdleConnectionsAndRefusesNewOnes) {
    const auto server = serve();
    const auto port = server->port();
    Client idle(port);
    EXPECT_EQ(idle.ask(post("x")).body, "x");
    server->stop(long_grace);
    EXPECT_TRUE(idle.ended());
    EXPECT_FALSE(Client(port).connected());
}

TEST(Stop, WaitsForWhatIsRunning) {
    Latch inside;
    std::shared_ptr<Exchange> held;
    const auto server = serve([&](auto, auto exchange) {
        held = exchange;
        inside.arrive();
    });
    Client client(server->port());
    Client idle(server->port());
    client.write(get);
    ASSERT_TRUE(inside.wait_for());
    std::thread stopping([&] { server->stop(long_grace); });
    EXPECT_TRUE(idle.ended());  // the drain has begun
    EXPECT_TRUE(held->respond({200, "text/plain", "finished", {}}));
    const Answer answer = client.answer();
    EXPECT_EQ(answer.body, "finished");
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    EXPECT_TRUE(client.ended());
    stopping.join();
    held.reset();
}

TEST(Stop, EndsTheRestWhenTheGraceIsOver) {
    Latch arrived, gone;
    std::mutex mutex;
    std::vector<std::shared_ptr<Exchange>> held;
    auto server = serve([&](auto request, auto exchange) {
        exchange->on_disconnect([&] { gone.arrive(); });
        if (request->method == "GET") exchange->start_stream();
        std::lock_guard lock(mutex);
        held.push_back(exchange);
        arrived.arrive();
    });
    Client stream(server->port());
    Client waiting(server->port());
    stream.write(get);
    waiting.write(post("x"));
    ASSERT_TRUE(arrived.wait_for(2));
    server->stop(milliseconds(0));
    EXPECT_EQ(gone.count(), 2);
    EXPECT_TRUE(stream.ended());
    EXPECT_TRUE(waiting.ended());
    // The exchanges outlive the server and do nothing.
    server.reset();
    for (const auto& exchange : held) {
        EXPECT_FALSE(exchange->respond({200, "text/plain", "late", {}}));
        EXPECT_EQ(exchange->send("late"), SendResult::gone);
        exchange->finish();
        exchange->on_disconnect([&] { gone.arrive(); });
    }
    EXPECT_EQ(gone.count(), 2);
}

TEST(Stop, ALargeAnswerIsStillRead) {
    const std::string large(8u << 20, 'x');
    const auto server = serve([&](auto, auto exchange) {
        exchange->respond({200, "text/plain", large, {}});
    });
    Client client(server->port(), 4096);
    client.write(get);
    ASSERT_TRUE(eventually([&] { return server->counters().requests == 1; }));
    std::thread stopping([&] { server->stop(long_grace); });
    EXPECT_TRUE(client.answer().body == large);
    client.close();
    stopping.join();
}

TEST(Stop, TwiceAndUnderLoad) {
    const auto server = serve();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (;;) {
                Client client(server->port());
                if (client.ask(post("x")).status != 200) return;
            }
        });
    }
    ASSERT_TRUE(eventually([&] { return server->counters().requests > 100; }));
    server->stop(milliseconds(100));
    for (auto& thread : threads)
        thread.join();
    server->stop(milliseconds(0));
    EXPECT_EQ(server->counters().connections, 0u);
    EXPECT_EQ(server->counters().workers, 0u);
}

}  // namespace
}  // namespace pb::http::testing
