// SPDX-License-Identifier: Apache-2.0
// The same server over TLS, with a certificate made here.
#include <fcntl.h>
#include <openssl/ssl.h>

#include "support.h"
#include "support/identity.h"

namespace pb::http::testing {
namespace {

using test::Freed;
using test::Identity;

// Not blocking underneath, so that it writes while it cannot read and the other way round.
class TlsClient : public Client {
  public:
    explicit TlsClient(std::uint16_t port, int newest = 0) : Client(port) {
        ::fcntl(descriptor(), F_SETFL, O_NONBLOCK);
        context_.reset(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_max_proto_version(context_.get(), newest);
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), descriptor());
        secured_ = repeat([this] { return SSL_connect(ssl_.get()); }) == 1;
    }

    bool secured() const { return secured_; }

    bool write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const int sent = repeat([&] {
                return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
            });
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

  protected:
    ssize_t read(char* into, std::size_t size) override {
        return repeat([&] { return SSL_read(ssl_.get(), into, static_cast<int>(size)); });
    }

  private:
    template <class Call>
    int repeat(Call call) {
        for (;;) {
            const int result = call();
            if (result > 0) return result;
            const int error = SSL_get_error(ssl_.get(), result);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return -1;
            if (!wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return -1;
        }
    }

    std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
    std::unique_ptr<SSL, Freed<SSL_free>> ssl_;
    bool secured_ = false;
};

TEST(Tls, ServesRequests) {
    const Identity identity;
    const auto server = serve(
        [](auto request, auto exchange) {
            EXPECT_TRUE(request->secure);
            echo(request, exchange);
        },
        identity.options());
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient client(server->port(), version);
        ASSERT_TRUE(client.secured());
        for (int i = 0; i < 20; ++i)
            EXPECT_EQ(client.ask(post("hello")).body, "hello");
        EXPECT_TRUE(client.ask(post("", "Connection: close\r\n")).has("Connection: close"));
        EXPECT_TRUE(client.ended());
    }
}

TEST(Tls, OldVersionsAreRefused) {
    const Identity identity;
    const auto server = serve(echo, identity.options());
    EXPECT_FALSE(TlsClient(server->port(), TLS1_1_VERSION).secured());
}

TEST(Tls, PipelinedRequestsAreNeverLeftInside) {
    const Identity identity;
    const auto server = serve(echo, identity.options());
    for (const std::size_t first : {10, 6000, 16'000, 20'000, 70'000}) {
        TlsClient client(server->port());
        ASSERT_TRUE(client.write(post(std::string(first, 'a')) + post("b") + post("c")));
        EXPECT_EQ(client.answer().body.size(), first);
        EXPECT_EQ(client.answer().body, "b");
        EXPECT_EQ(client.answer().body, "c");
    }
}

TEST(Tls, LargeBodiesBothWays) {
    const Identity identity;
    const auto server = serve(echo, identity.options());
    TlsClient client(server->port());
    std::string body(3u << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i)
        body[i] = static_cast<char>(i * 31 >> 3);
    EXPECT_TRUE(client.ask(post(body)).body == body);
    EXPECT_TRUE(client.ask(post(body)).body == body);
}

TEST(Tls, RefusesWithAnAnswer) {
    const Identity identity;
    auto options = identity.options();
    options.max_connections = 1;
    const auto server = serve(echo, options);
    TlsClient client(server->port());
    ASSERT_TRUE(client.secured());
    TlsClient second(server->port());
    EXPECT_EQ(second.answer().status, 503);
    EXPECT_EQ(client.ask("GET / HTTP/1.1\r\n\r\n").status, 400);
    EXPECT_TRUE(client.ended());
}

TEST(Tls, StreamsAndLearnsOfTheEnd) {
    const Identity identity;
    Latch started, gone;
    std::shared_ptr<Exchange> held;
    const auto server = serve(
        [&](auto, auto exchange) {
            exchange->on_disconnect([&] { gone.arrive(); });
            exchange->start_stream();
            exchange->send("data: 1\n\n");
            held = exchange;
            started.arrive();
        },
        identity.options());
    TlsClient client(server->port());
    client.write(get);
    EXPECT_EQ(client.answer().status, 200);
    EXPECT_EQ(client.chunk(), "data: 1\n\n");
    ASSERT_TRUE(started.wait_for());
    const std::string large(500'000, 'x');
    EXPECT_EQ(held->send(large), SendResult::ok);
    EXPECT_TRUE(client.chunk() == large);
    client.close();
    EXPECT_TRUE(gone.wait_for());
}

TEST(Tls, ASilentHandshakeIsCut) {
    const Identity identity;
    auto options = identity.options();
    options.header_time = std::chrono::milliseconds(100);
    const auto server = serve(echo, options);
    Client silent(server->port());
    EXPECT_TRUE(silent.ended());
    Client wrong(server->port());
    wrong.write(get);
    EXPECT_TRUE(wrong.ended());
}

}  // namespace
}  // namespace pb::http::testing
