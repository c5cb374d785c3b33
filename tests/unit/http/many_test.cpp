// SPDX-License-Identifier: Apache-2.0
// Many at once: idle connections, streams, handlers that stay, clients that come and go.
#include <malloc.h>

#include <atomic>

#include "support.h"

namespace pb::http::testing {
namespace {

TEST(Many, IdleConnectionsHoldNoWorker) {
    ServerOptions options;
    options.workers = 2;
    options.max_workers = 2;
    const auto server = serve(echo, options);
    std::vector<Client> idle;
    for (int i = 0; i < 400; ++i) {
        idle.emplace_back(server->port());
        if (i % 2 == 0) idle.back().write("POST / HTTP/1.1\r\nHo");
    }
    Client client(server->port());
    EXPECT_EQ(client.ask(post("served")).body, "served");
    for (int i = 0; i < 400; i += 2) {
        idle[i].write("st: h\r\nContent-Length: 2\r\n\r\nok");
        ASSERT_EQ(idle[i].answer().body, "ok");
    }
}

TEST(Many, OpenStreamsHoldNoWorker) {
    ServerOptions options;
    options.workers = 2;
    options.max_workers = 2;
    std::mutex mutex;
    std::vector<std::shared_ptr<Exchange>> streams;
    const auto server = serve(
        [&](auto request, auto exchange) {
            if (request->method == "POST") return echo(request, exchange);
            exchange->start_stream();
            std::lock_guard lock(mutex);
            streams.push_back(exchange);
        },
        options);
    std::vector<Client> clients;
    for (int i = 0; i < 300; ++i) {
        clients.emplace_back(server->port());
        clients.back().write(get);
        ASSERT_EQ(clients.back().answer().status, 200);
    }
    Client client(server->port());
    EXPECT_EQ(client.ask(post("served")).body, "served");
    EXPECT_EQ(server->counters().streams, 300u);
    ASSERT_TRUE(eventually([&] {
        std::lock_guard lock(mutex);
        return streams.size() == 300;
    }));
    for (const auto& stream : streams)
        EXPECT_EQ(stream->send("data: all\n\n"), SendResult::ok);
    for (auto& each : clients)
        ASSERT_EQ(each.chunk(), "data: all\n\n");
}

TEST(Many, StuckHandlersAreReplacedAndTheSurplusEnds) {
    ServerOptions options;
    options.workers = 2;
    Latch inside, release;
    const auto server = serve(
        [&](auto request, auto exchange) {
            if (request->method == "GET") {
                inside.arrive();
                release.wait_for();
            }
            echo(request, exchange);
        },
        options);
    std::vector<Client> stuck;
    for (int i = 0; i < 200; ++i) {
        stuck.emplace_back(server->port());
        stuck.back().write(get);
    }
    ASSERT_TRUE(inside.wait_for(200));
    Client client(server->port());
    for (int i = 0; i < 20; ++i)
        ASSERT_EQ(client.ask(post("served")).body, "served");
    EXPECT_GE(server->counters().workers, 201u);
    EXPECT_LE(server->counters().workers, options.max_workers + options.workers);
    release.arrive();
    for (auto& each : stuck)
        ASSERT_EQ(each.answer().status, 200);
    EXPECT_TRUE(eventually([&] { return server->counters().workers == 2; }));
    EXPECT_EQ(client.ask(post("served")).body, "served");
}

TEST(Many, AllThatMayStayLeaveTheOthersServed) {
    ServerOptions options;
    options.workers = options.max_workers = 2;
    Latch inside, release;
    const auto server = serve(
        [&](auto request, auto exchange) {
            if (request->method == "GET") {
                inside.arrive();
                EXPECT_TRUE(release.wait_for());
            }
            echo(request, exchange);
        },
        options);
    Client first(server->port()), second(server->port()), other(server->port());
    first.write(get);
    second.write(get);
    ASSERT_TRUE(inside.wait_for(2));
    EXPECT_EQ(other.ask(post("served")).body, "served");
    release.arrive();
}

TEST(Many, AnIdleConnectionKeepsNothingOfItsAnswer) {
    const std::string large(128u << 10, 'x');
    const auto server = serve([&](auto, auto exchange) {
        exchange->respond({200, "text/plain", large, {}});
    });
    const auto in_use = [] { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; };
    std::vector<Client> clients;
    for (int i = 0; i < 100; ++i)
        clients.emplace_back(server->port());
    const auto before = in_use();
    for (auto& client : clients)
        ASSERT_EQ(client.ask(get).body.size(), large.size());
    EXPECT_LT(in_use(), before + (4u << 20));
}

// A handler may answer and go on with its own things: the client's next request is not kept
// waiting.
TEST(Many, AHandlerThatStaysAfterItsAnswerDelaysNobody) {
    Latch release;
    const auto server = serve([&](auto request, auto exchange) {
        exchange->respond({200, "text/plain", request->body, {}});
        if (request->body == "stay") release.wait_for();
    });
    Client client(server->port());
    EXPECT_EQ(client.ask(post("stay")).body, "stay");
    EXPECT_EQ(client.ask(post("next")).body, "next");
    release.arrive();
}

TEST(Many, ClientsThatComeAndGo) {
    const auto server = serve([](auto request, auto exchange) {
        if (request->body == "later") {
            std::thread([exchange] {
                exchange->on_disconnect([] {});
                exchange->respond({200, "text/plain", "later", {}});
            }).detach();
        } else if (request->method == "GET") {
            exchange->start_stream();
            exchange->send("data: 1\n\n");
        } else {
            echo(request, exchange);
        }
    });
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 100; ++i) {
                Client client(server->port());
                if (i % 4 == 0) client.write(get);            // leaves in the stream
                if (i % 4 == 1) client.write(post("later"));  // leaves before the answer
                if (i % 4 == 2) client.write(post("x").substr(0, 20 + t));
                if (i % 4 == 3 && client.ask(post("x")).body == "x") ++good;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(good, 100);
    EXPECT_TRUE(eventually([&] { return server->counters().connections == 0; }));
    EXPECT_EQ(server->counters().streams, 0u);
}

}  // namespace
}  // namespace pb::http::testing
