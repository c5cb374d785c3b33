// SPDX-License-Identifier: Apache-2.0
// https: who is believed, and who is not.
#include "support.h"
#include "support/identity.h"

namespace pb::outbound::testing {
namespace {

using test::Identity;

std::string secure(std::uint16_t port, const std::string& host = "127.0.0.1") {
    return "https://" + host + ":" + std::to_string(port) + "/";
}

Http::Options trusting(const Identity& identity) {
    auto options = local(resolving({{"127.0.0.1"}}));
    options.ca_file = identity.certificate();
    return options;
}

TEST(Tls, ACertificateThatIsTrustedIsTaken) {
    const Identity identity("DNS:one.example,IP:127.0.0.1");
    const auto server = serve(echo, identity.options());
    Http http(trusting(identity));
    for (const char* host : {"127.0.0.1", "one.example"}) {
        for (int i = 0; i < 10; ++i) {
            const auto out = fetch(http, post(secure(server->port(), host), "hello"));
            EXPECT_EQ(out.answer.body, "hello") << host << ": " << out;
        }
    }
    EXPECT_EQ(server->counters().connections, 2U);
    const std::string large(3U << 20U, 'x');
    EXPECT_TRUE(fetch(http, post(secure(server->port()), large)).answer.body == large);
}

TEST(Tls, ManyAtOnce) {
    const Identity identity("IP:127.0.0.1");
    const auto server = serve(echo, identity.options());
    Http http(trusting(identity));
    for (int round = 0; round < 4; ++round) {
        std::vector<std::shared_ptr<Recorder>> all;
        for (int i = 0; i < 32; ++i) {
            all.push_back(std::make_shared<Recorder>());
            http.start(post(secure(server->port()), std::to_string(i)), all.back());
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto out = all[i]->await_end();
            EXPECT_EQ(out.answer.body, std::to_string(i)) << out;
        }
    }
}

TEST(Tls, AnyOtherIsNot) {
    const Identity identity("DNS:one.example"), other("DNS:one.example");
    const Identity expired("DNS:one.example", -3600);
    const auto refused = [](http::Server& server, Http::Options options, const std::string& host) {
        Http http(std::move(options));
        const auto out = fetch(http, post(secure(server.port(), host), "x"));
        EXPECT_TRUE(out.failed(Fault::tls, false)) << out;
    };
    std::atomic<int> requests{0};
    const auto counting = [&](auto request, auto exchange) {
        ++requests;
        echo(request, exchange);
    };
    const auto server = serve(counting, identity.options());
    const auto old = serve(counting, expired.options());
    const auto plain = serve(counting);
    refused(*server, local(resolving({{"127.0.0.1"}})), "one.example");  // by the system's
    refused(*server, trusting(other), "one.example");
    refused(*server, trusting(identity), "two.example");
    refused(*server, trusting(identity), "127.0.0.1");
    refused(*old, trusting(expired), "one.example");
    refused(*plain, trusting(identity), "one.example");
    auto missing = trusting(identity);
    missing.ca_file += ".absent";
    refused(*server, missing, "one.example");
    EXPECT_EQ(requests, 0);
}

TEST(Tls, ASilentHandshakeIsLateAndUnsent) {
    const Identity identity("IP:127.0.0.1");
    RawServer server([](RawConnection& connection) { connection.await_end(); });
    Http http(trusting(identity));
    Request request = post(secure(server.port()), "x");
    request.connect_time = std::chrono::milliseconds(50);
    const auto out = fetch(http, request);
    EXPECT_TRUE(out.failed(Fault::late, false)) << out;
}

// The server says farewell, which curl does not tell from an answer, and closes.
TEST(Tls, AConnectionThatWasClosedIsNotUsed) {
    const Identity identity("IP:127.0.0.1");
    auto options = identity.options();
    options.idle_time = std::chrono::milliseconds(20);
    const auto server = serve(echo, options);
    Http http(trusting(identity));
    for (int i = 0; i < 2; ++i) {
        const auto out = fetch(http, post(secure(server->port()), "x"));
        EXPECT_EQ(out.status(), 200) << out;
        ASSERT_TRUE(eventually([&] { return server->counters().connections == 0; }));
    }
}

}  // namespace
}  // namespace pb::outbound::testing
