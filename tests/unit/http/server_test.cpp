// SPDX-License-Identifier: Apache-2.0
// Requests and answers on plain connections.
#include <thread>

#include "support.h"

namespace pb::http::testing {
namespace {

TEST(Server, AnswersAndKeepsTheConnection) {
    const auto server = serve([](auto request, auto exchange) {
        EXPECT_EQ(request->peer, "127.0.0.1");
        EXPECT_TRUE(request->loopback);
        EXPECT_FALSE(request->secure);
        EXPECT_TRUE(exchange->respond({201, "text/plain", request->body, {{"X-Own", "a\r\nb"}}}));
        EXPECT_FALSE(exchange->respond({200, "text/plain", "again", {}}));
        EXPECT_FALSE(exchange->start_stream());
        EXPECT_EQ(exchange->send("x"), SendResult::gone);
    });
    Client client(server->port());
    for (int i = 0; i < 100; ++i) {
        const std::string body = "body " + std::to_string(i);
        const Answer answer = client.ask(post(body));
        ASSERT_EQ(answer.status, 201);
        EXPECT_EQ(answer.body, body);
        EXPECT_TRUE(answer.has("Content-Type: text/plain\r\n"));
        EXPECT_TRUE(answer.has("X-Own: a  b\r\n"));
        EXPECT_FALSE(answer.has("Connection:"));
    }
    EXPECT_TRUE(eventually([&] { return server->counters().requests == 100; }));
    EXPECT_EQ(server->counters().connections, 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
    const auto server = serve();
    Client client(server->port());
    std::string all;
    for (int i = 0; i < 300; ++i)
        all += post(std::string(i == 0 ? 6000 : 300, 'a') + std::to_string(i));
    std::thread writer([&] { client.write(all); });
    for (int i = 0; i < 300; ++i) {
        const Answer answer = client.answer();
        ASSERT_EQ(answer.status, 200);
        EXPECT_TRUE(answer.body.ends_with("a" + std::to_string(i)));
    }
    writer.join();
}

TEST(Server, TakesRequestsByteForByte) {
    const auto server = serve();
    Client client(server->port());
    for (const char c : post("hello"))
        ASSERT_TRUE(client.write({&c, 1}));
    EXPECT_EQ(client.answer().body, "hello");
}

TEST(Server, TakesChunkedBodies) {
    const auto server = serve();
    Client client(server->port());
    const std::string request =
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    EXPECT_EQ(client.ask(request + request).body, "hello world");
    EXPECT_EQ(client.answer().body, "hello world");
    EXPECT_EQ(client.ask(post("next")).body, "next");
}

TEST(Server, CarriesLargeBodiesBothWays) {
    const auto server = serve();
    Client client(server->port());
    std::string body(7u << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i)
        body[i] = static_cast<char>(i * 31 >> 3);
    for (int i = 0; i < 2; ++i) {
        const Answer answer = client.ask(post(body));
        ASSERT_EQ(answer.status, 200);
        EXPECT_TRUE(answer.body == body);
    }
}

TEST(Server, AnAnswerBeyondTheSocketsBufferWaitsForItsReader) {
    const std::string large(4u << 20, 'x');
    const auto server = serve([&](auto request, auto exchange) {
        exchange->respond({200, "text/plain", request->method == "GET" ? large : "small", {}});
    });
    Client client(server->port(), 4096);
    ASSERT_TRUE(client.write(get + post("")));
    Client other(server->port());
    EXPECT_EQ(other.ask(post("")).body, "small");
    EXPECT_TRUE(client.answer().body == large);
    EXPECT_EQ(client.answer().body, "small");
}

TEST(Server, AClientMayHalfCloseWhileItReadsTheAnswer) {
    const std::string large(4u << 20, 'x');
    const auto server = serve([&](auto, auto exchange) {
        exchange->respond({200, "text/plain", large, {}});
    });
    Client client(server->port(), 4096);
    client.write(get);
    EXPECT_TRUE(client.until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    client.shut_write();
    EXPECT_TRUE(client.exactly(large.size()) == large);
    EXPECT_TRUE(client.ended());
}

TEST(Server, HeadHasALengthAndNoBody) {
    const auto server = serve([](auto, auto exchange) {
        exchange->respond({200, "text/plain", "twelve bytes", {}});
    });
    Client client(server->port());
    client.write("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + get);
    EXPECT_TRUE(client.answer(true).has("Content-Length: 12\r\n"));
    EXPECT_EQ(client.answer().body, "twelve bytes");
}

TEST(Server, SomeStatusesHaveNoBody) {
    const auto server = serve([](auto request, auto exchange) {
        exchange->respond({request->path == "/202" ? 202 : 204, "", "ignored", {}});
    });
    Client client(server->port());
    const Answer none = client.ask(post(""));
    EXPECT_EQ(none.status, 204);
    EXPECT_FALSE(none.has("Content-Length"));
    const Answer accepted = client.ask(post("", "", "/202"));
    EXPECT_EQ(accepted.status, 202);
    EXPECT_TRUE(accepted.has("Content-Length: 0\r\n"));
    EXPECT_FALSE(accepted.has("Content-Type"));
}

TEST(Server, ClosesWhenEitherSideAsks) {
    const auto server = serve([](auto request, auto exchange) {
        Response response{200, "text/plain", "x", {}};
        if (request->path == "/close") response.headers.emplace_back("Connection", "close");
        exchange->respond(std::move(response));
    });
    Client asking(server->port());
    EXPECT_TRUE(asking.ask(post("", "Connection: close\r\n")).has("Connection: close\r\n"));
    EXPECT_TRUE(asking.ended());
    Client told(server->port());
    EXPECT_TRUE(told.ask(post("", "", "/close")).has("Connection: close\r\n"));
    EXPECT_TRUE(told.ended());
    Client old(server->port());
    EXPECT_EQ(old.ask("GET / HTTP/1.0\r\n\r\n").status, 200);
    EXPECT_TRUE(old.ended());
    Client kept(server->port());
    const std::string again = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    EXPECT_TRUE(kept.ask(again).has("Connection: keep-alive\r\n"));
    EXPECT_EQ(kept.ask(again).status, 200);
}

TEST(Server, SaysContinue) {
    const auto server = serve();
    Client client(server->port());
    client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(client.ask("ok").body, "ok");
}

TEST(Server, LeavesEncodedWordsAlone) {
    const auto server = serve([](auto request, auto exchange) {
        exchange->respond({200, "text/plain", std::string(request->header("Mcp-Name")), {}});
    });
    Client client(server->port());
    EXPECT_EQ(client.ask(post("", "Mcp-Name: =?base64?SGVsbG8=?=\r\n")).body,
              "=?base64?SGVsbG8=?=");
}

TEST(Server, AForgottenRequestAnswers500) {
    const auto server = serve([](auto, auto) {});
    Client client(server->port());
    EXPECT_EQ(client.ask(get).status, 500);
    EXPECT_EQ(client.ask(get).status, 500);
}

TEST(Server, AThrowingHandlerAnswers500) {
    const auto server = serve([](auto request, auto exchange) {
        if (request->path == "/bad") throw std::runtime_error("on purpose");
        exchange->respond({200, "text/plain", "good", {}});
    });
    Client client(server->port());
    EXPECT_EQ(client.ask(post("", "", "/bad")).status, 500);
    EXPECT_EQ(client.ask(get).body, "good");
}

TEST(Server, AnswersFromAnotherThread) {
    std::vector<std::thread> threads;
    std::mutex mutex;
    const auto server = serve([&](auto request, auto exchange) {
        std::lock_guard lock(mutex);
        threads.emplace_back([request, exchange] {
            exchange->respond({200, "text/plain", request->body, {}});
        });
    });
    Client client(server->port());
    // The second and third requests wait in the input until the first is answered.
    client.write(post("one") + post("two") + post("three"));
    EXPECT_EQ(client.answer().body, "one");
    EXPECT_EQ(client.answer().body, "two");
    EXPECT_EQ(client.answer().body, "three");
    EXPECT_EQ(client.ask(post("four")).body, "four");
    std::lock_guard lock(mutex);
    for (auto& thread : threads)
        thread.join();
}

TEST(Server, SaysWhyItCannotStart) {
    const auto server = serve();
    ServerOptions options;
    options.port = server->port();
    const auto second = Server::start(options, echo);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("Cannot listen on 127.0.0.1"), std::string::npos);
    options.port = 0;
    options.address = "not an address";
    EXPECT_FALSE(Server::start(options, echo));
    options.address = "127.0.0.1";
    options.certificate = "/nonexistent.pem";
    EXPECT_FALSE(Server::start(options, echo));
    options.private_key = "/nonexistent.pem";
    EXPECT_FALSE(Server::start(options, echo));
}

}  // namespace
}  // namespace pb::http::testing
