// SPDX-License-Identifier: Apache-2.0
// Event streams: form, order, back-pressure, the reader that stalls.
#include <atomic>

#include "support.h"

namespace pb::http::testing {
namespace {

using std::chrono::milliseconds;

TEST(Stream, CarriesEventsAndGivesTheConnectionBack) {
    const auto server = serve([](auto request, auto exchange) {
        if (request->method == "POST") return echo(request, exchange);
        EXPECT_FALSE(exchange->streaming());
        EXPECT_TRUE(exchange->start_stream({{"X-Session", "7"}}));
        EXPECT_TRUE(exchange->streaming());
        EXPECT_FALSE(exchange->start_stream());
        EXPECT_FALSE(exchange->respond({200, "text/plain", "no", {}}));
        EXPECT_EQ(exchange->send("data: 1\n\n"), SendResult::ok);
        EXPECT_EQ(exchange->send(""), SendResult::ok);
        EXPECT_EQ(exchange->send("data: 2\n\n"), SendResult::ok);
        exchange->finish("data: last\n\n");
        EXPECT_EQ(exchange->send("data: 3\n\n"), SendResult::gone);
    });
    Client client(server->port());
    client.write(get + post("after"));
    const Answer head = client.answer();
    EXPECT_EQ(head.status, 200);
    for (const char* field :
         {"Content-Type: text/event-stream\r\n", "Cache-Control: no-cache\r\n",
          "X-Accel-Buffering: no\r\n", "Transfer-Encoding: chunked\r\n", "X-Session: 7\r\n"}) {
        EXPECT_TRUE(head.has(field)) << field;
    }
    EXPECT_EQ(client.chunk(), "data: 1\n\n");
    EXPECT_EQ(client.chunk(), "data: 2\n\n");
    EXPECT_EQ(client.chunk(), "data: last\n\n");
    EXPECT_EQ(client.chunk(), "");
    EXPECT_EQ(client.answer().body, "after");
}

TEST(Stream, WithoutChunksOnHttp10) {
    const auto server = serve([](auto, auto exchange) {
        exchange->start_stream();
        exchange->send("data: 1\n\n");
        exchange->finish();
    });
    Client client(server->port());
    const Answer head = client.ask("GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(head.has("chunked"));
    EXPECT_EQ(client.until("never"), "data: 1\n\n");
}

TEST(Stream, DroppedItEnds) {
    const auto server = serve([](auto, auto exchange) {
        exchange->start_stream();
        exchange->send("data: 1\n\n");
    });
    Client client(server->port());
    client.write(get);
    EXPECT_EQ(client.answer().status, 200);
    EXPECT_EQ(client.chunk(), "data: 1\n\n");
    EXPECT_EQ(client.chunk(), "");
}

// A stream that the test feeds.
class Fed : public ::testing::Test {
  protected:
    void open(ServerOptions options, int receive_buffer = 0) {
        server_ = serve(
            [this](auto, auto exchange) {
                exchange->start_stream();
                exchange_ = exchange;
                started_.arrive();
            },
            options);
        client_ = std::make_unique<Client>(server_->port(), receive_buffer);
        client_->write(get);
        ASSERT_TRUE(started_.wait_for());
        ASSERT_EQ(client_->answer().status, 200);
    }

    std::shared_ptr<Exchange> exchange_;
    Latch started_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<Client> client_;
};

TEST_F(Fed, ASilentStreamCarriesComments) {
    ServerOptions options;
    options.keep_alive_comment = milliseconds(50);
    open(options);
    EXPECT_EQ(client_->chunk(), ":\n\n");
    EXPECT_EQ(client_->chunk(), ":\n\n");
    EXPECT_EQ(exchange_->send("data: 1\n\n"), SendResult::ok);
    std::string chunk = ":\n\n";
    while (chunk == ":\n\n")
        chunk = client_->chunk();
    EXPECT_EQ(chunk, "data: 1\n\n");
}

TEST_F(Fed, AReaderThatIsBehindIsToldAgainAndMissesNothing) {
    ServerOptions options;
    options.stream_buffer = 64u << 10;
    open(options, 4096);
    const std::string filling(1000, 'x');
    int sent = 0;
    SendResult result = SendResult::ok;
    const auto event = [&] { return std::to_string(sent) + " " + filling; };
    while ((result = exchange_->send(event())) == SendResult::ok)
        ++sent;
    EXPECT_EQ(result, SendResult::again);
    for (int i = 0; i < sent; ++i) {
        ASSERT_EQ(std::stoi(client_->chunk()), i);
    }
    EXPECT_TRUE(eventually([&] { return exchange_->send(event()) == SendResult::ok; }));
    EXPECT_EQ(std::stoi(client_->chunk()), sent);
}

TEST_F(Fed, FinishTakesItsLastEventEvenIfTheBufferIsFull) {
    ServerOptions options;
    options.stream_buffer = 64u << 10;
    open(options, 4096);
    while (exchange_->send(std::string(1000, 'x')) == SendResult::ok) {
    }
    exchange_->finish("last");
    std::string last, chunk;
    while (!(chunk = client_->chunk()).empty())
        last = chunk;
    EXPECT_EQ(last, "last");
}

TEST_F(Fed, AReaderThatTakesNothingIsClosed) {
    ServerOptions options;
    options.stream_buffer = 64u << 10;
    options.stream_stall = milliseconds(100);
    open(options, 4096);
    Latch gone;
    exchange_->on_disconnect([&] { gone.arrive(); });
    while (exchange_->send(std::string(1000, 'x')) == SendResult::ok) {
    }
    EXPECT_TRUE(gone.wait_for());
    EXPECT_EQ(exchange_->send("x"), SendResult::gone);
    EXPECT_TRUE(eventually([&] { return server_->counters().connections == 0; }));
}

TEST_F(Fed, ManyThreadsMaySend) {
    open({});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                while (exchange_->send(std::to_string(t * 1000 + i)) == SendResult::again) {
                    std::this_thread::yield();
                }
            }
        });
    }
    int next[4] = {0, 0, 0, 0};
    for (int i = 0; i < 2000; ++i) {
        const int got = std::stoi(client_->chunk());
        ASSERT_EQ(got % 1000, next[got / 1000]++);
    }
    for (auto& thread : threads)
        thread.join();
}

}  // namespace
}  // namespace pb::http::testing
