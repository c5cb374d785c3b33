// SPDX-License-Identifier: Apache-2.0
// Limits of size, time and number, each with its answer, on real connections.
#include "support.h"

namespace pb::http::testing {
namespace {

using std::chrono::milliseconds;

// A long time for what must not happen in a test, a short one for what must.
ServerOptions quick() {
    ServerOptions options;
    options.max_header = 4096;
    options.max_body = 10'000;
    return options;
}

void expect_refusal(Client& client, int status) {
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, status);
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    EXPECT_TRUE(answer.has("Content-Type: application/json\r\n"));
    EXPECT_TRUE(answer.body.starts_with("{\"error\":\"")) << answer.body;
    EXPECT_TRUE(client.ended());
}

TEST(Limits, RefusalsCloseAndNothingBehindThemIsServed) {
    Latch served;
    const auto server = serve(
        [&](auto request, auto exchange) {
            served.arrive();
            echo(request, exchange);
        },
        quick());
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
    const std::vector<std::pair<int, std::string>> cases{
        {400, head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {400, head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"},
        {400, head + "Content-Length: -1\r\n\r\n"},
        {400, "GET / HTTP/1.1\nHost: h\n\n"},
        {400, "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\nHost : h\r\n\r\n"},
        {413, head + "Content-Length: 10001\r\n\r\n"},
        {413, head + "Transfer-Encoding: chunked\r\n\r\n" + "2711\r\n"},
        {414, "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"},
        {417, head + "Content-Length: 5\r\nExpect: tea\r\n\r\n"},
        {431, "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(5000, 'a') + "\r\n\r\n"},
        {501, head + "Transfer-Encoding: gzip\r\n\r\n"},
        {505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n"},
    };
    for (const auto& [status, text] : cases) {
        SCOPED_TRACE(text.substr(0, 80));
        Client client(server->port());
        ASSERT_TRUE(client.write(text + get));
        expect_refusal(client, status);
    }
    EXPECT_EQ(served.count(), 0);
    EXPECT_EQ(server->counters().refused, cases.size());
}

TEST(Limits, TheAnswerToATooLargeBodySurvivesTheBody) {
    const auto server = serve(echo, quick());
    Client client(server->port());
    ASSERT_TRUE(client.write(post(std::string(2u << 20, 'x'))));
    expect_refusal(client, 413);
}

TEST(Limits, ASlowHeaderIsCut) {
    auto options = quick();
    options.header_time = milliseconds(100);
    const auto server = serve(echo, options);
    Client client(server->port());
    client.write("GET / HTTP/1.1\r\nHost:");
    expect_refusal(client, 408);
}

TEST(Limits, ADrippingHeaderIsCutAllTheSame) {
    auto options = quick();
    options.header_time = milliseconds(200);
    const auto server = serve(echo, options);
    Client client(server->port());
    client.write("GET / HTTP/1.1\r\nX: ");
    std::atomic<bool> over{false};
    std::thread dripping([&] {
        while (!over && client.write("x"))
            std::this_thread::sleep_for(milliseconds(10));
    });
    EXPECT_EQ(client.answer().status, 408);
    over = true;
    dripping.join();
}

TEST(Limits, ASlowBodyIsCut) {
    auto options = quick();
    options.body_time = milliseconds(100);
    const auto server = serve(echo, options);
    Client client(server->port());
    client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    expect_refusal(client, 408);
    Client chunked(server->port());
    chunked.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    expect_refusal(chunked, 408);
}

TEST(Limits, AnIdleConnectionIsClosedWithoutAWord) {
    auto options = quick();
    options.idle_time = milliseconds(100);
    const auto server = serve(echo, options);
    Client silent(server->port());
    EXPECT_EQ(silent.until("\r\n"), "");
    // A machine that is too slow to ask in time tries again.
    EXPECT_TRUE(eventually([&] {
        Client used(server->port());
        return used.ask(post("x")).body == "x" && used.until("\r\n").empty();
    }));
}

TEST(Limits, AnAnswerNobodyReadsIsGivenUp) {
    auto options = quick();
    options.write_time = milliseconds(100);
    const std::string large(16u << 20, 'x');
    const auto server = serve(
        [&](auto, auto exchange) {
            exchange->respond({200, "text/plain", large, {}});
        },
        options);
    Client client(server->port(), 4096);
    client.write(get);
    EXPECT_TRUE(eventually([&] { return server->counters().requests == 1; }));
    EXPECT_TRUE(eventually([&] { return server->counters().connections == 0; }));
}

TEST(Limits, AnAnswerThatIsReadInPartIsGivenUpAsSoon) {
    auto options = quick();
    options.write_time = milliseconds(100);
    options.stream_stall = std::chrono::hours(1);
    const std::string large(64u << 20, 'x');
    const auto server = serve(
        [&](auto, auto exchange) {
            exchange->respond({200, "text/plain", large, {}});
        },
        options);
    Client client(server->port());
    client.write(get);
    client.exactly(32u << 20);  // more than fits into both buffers, and so does the rest
    EXPECT_TRUE(eventually([&] { return server->counters().connections == 0; }));
}

TEST(Limits, BeyondTheConnectionsThereIsA503) {
    auto options = quick();
    options.max_connections = 3;
    const auto server = serve(echo, options);
    std::vector<Client> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(server->port());
        EXPECT_EQ(clients.back().ask(post("in")).body, "in");
    }
    Client refused(server->port());
    expect_refusal(refused, 503);
    clients.pop_back();
    EXPECT_TRUE(eventually([&] { return Client(server->port()).ask(post("in")).status == 200; }));
}

TEST(Limits, OnePeerCannotTakeThemAll) {
    auto options = quick();
    options.max_connections_per_peer = 2;
    const auto server = serve(echo, options);
    Client first(server->port());
    Client second(server->port());
    EXPECT_EQ(first.ask(post("in")).body, "in");
    EXPECT_EQ(second.ask(post("in")).body, "in");
    Client third(server->port());
    expect_refusal(third, 503);
}

}  // namespace
}  // namespace pb::http::testing
