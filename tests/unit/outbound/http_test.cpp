// SPDX-License-Identifier: Apache-2.0
// Requests and answers as they should go.
#include <future>
#include <set>

#include "support.h"

namespace pb::outbound::testing {
namespace {

TEST(Http, ARequestAndItsAnswerArriveWhole) {
    const auto server = serve([](auto request, auto exchange) {
        std::string seen = std::string(request->method) + " " + std::string(request->path) + "?" +
                           std::string(request->query) + "\n";
        for (const auto& [name, value] : request->headers)
            seen.append(name).append("=").append(value).append("\n");
        exchange->respond({201, "text/plain", seen + request->body, {{"X-Two", "2"}}});
    });
    Http http(local());
    Request request = post(url(server->port(), "/a?b=c"), "hello");
    request.headers = {{"X-One", "  1 2\t"}, {"X-Empty", ""}, {"X-Bytes", "\xC3\xBC\xFF"}};
    const auto out = fetch(http, request);
    EXPECT_EQ(out.status(), 201) << out;
    EXPECT_EQ(out.answer.head.header("x-two"), "2");
    EXPECT_EQ(out.answer.head.header("content-type"), "text/plain");
    EXPECT_EQ(out.answer.head.header("x-none"), "");
    EXPECT_EQ(out.answer.body, "POST /a?b=c\nHost=127.0.0.1:" + std::to_string(server->port()) +
                                   "\nUser-Agent=patchbay\nX-One=1 2\nX-Empty=\n"
                                   "X-Bytes=\xC3\xBC\xFF\nContent-Length=5\nhello")
        << "and nothing more: no Accept-Encoding, Expect, Cookie or Content-Type of curl's own";
}

TEST(Http, MethodsAreSentAsTheyAre) {
    const auto server = serve([](auto request, auto exchange) {
        exchange->respond({200,
                           "text/plain",
                           request->body,
                           {{"X-Seen", std::string(request->method) + "," +
                                           std::string(request->header("content-length")) + "," +
                                           std::string(request->header("content-type"))}}});
    });
    Http http(local());
    const struct {
        const char *method, *body, *seen, *answer;
    } cases[] = {
        {"GET", "", "GET,,", ""},
        {"POST", "", "POST,0,t", ""},
        {"POST", "abc", "POST,3,t", "abc"},
        {"PUT", "abc", "PUT,3,t", "abc"},
        {"PATCH", "abc", "PATCH,3,t", "abc"},
        {"DELETE", "", "DELETE,,", ""},
        {"DELETE", "abc", "DELETE,3,t", "abc"},
        {"HEAD", "", "HEAD,,", ""},
        {"OPTIONS", "", "OPTIONS,,", ""},
        {"GET", "abc", "GET,3,t", "abc"},
    };
    // Twice, on handles that were used for something else before.
    for (int round = 0; round < 2; ++round) {
        for (const auto& [method, body, seen, answer] : cases) {
            Request request = post(url(server->port()), body);
            request.method = method;
            request.headers = {{"Content-Type", "t"}};
            const auto out = fetch(http, request);
            EXPECT_EQ(out.status(), 200) << method << out;
            EXPECT_EQ(out.answer.head.header("x-seen"), seen);
            EXPECT_EQ(out.answer.body, answer);
        }
    }
}

TEST(Http, AConnectionIsKept) {
    const auto server = serve(echo);
    Http http(local());
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(fetch(http, post(url(server->port()), "x")).status(), 200);
    EXPECT_EQ(server->counters().connections, 1U);
}

TEST(Http, ManyAtOnce) {
    const auto server = serve(echo);
    Http http(local());
    std::vector<std::shared_ptr<Recorder>> all;
    for (int i = 0; i < 32 * 8; ++i) {
        all.push_back(std::make_shared<Recorder>());
        http.start(post(url(server->port()), "body " + std::to_string(i)), all.back());
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto out = all[i]->await_end();
        EXPECT_EQ(out.status(), 200) << out;
        EXPECT_EQ(out.answer.body, "body " + std::to_string(i));
    }
}

TEST(Http, FromManyThreads) {
    const auto server = serve(echo);
    Http http(local());
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                const auto body = std::to_string(t) + "/" + std::to_string(i);
                EXPECT_EQ(fetch(http, post(url(server->port()), body)).answer.body, body);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
}

TEST(Http, RequestsBeyondTheBoundWaitForAConnection) {
    const auto server = serve(echo);
    auto options = local();
    options.connections = 2;
    Http http(options);
    std::vector<std::shared_ptr<Recorder>> all;
    for (int i = 0; i < 40; ++i) {
        all.push_back(std::make_shared<Recorder>());
        http.start(post(url(server->port()), "x"), all.back());
    }
    for (const auto& one : all)
        EXPECT_EQ(one->await_end().status(), 200);
    EXPECT_LE(server->counters().connections, 2U);
}

TEST(Http, LargeBodiesBothWays) {
    http::ServerOptions wide;
    wide.max_body = 64U << 20U;
    const auto server = serve(echo, wide);
    Http http(local());
    std::string body(9U << 20U, '\0');
    for (std::size_t i = 0; i < body.size(); ++i)
        body[i] = static_cast<char>(i * 31 >> 3);
    const auto out = fetch(http, post(url(server->port()), body));
    EXPECT_EQ(out.status(), 200) << (out.failure ? out.failure->message : "");
    EXPECT_TRUE(out.answer.body == body);
}

TEST(Http, AStreamArrivesAsItComes) {
    std::promise<std::shared_ptr<http::Exchange>> taken;
    const auto server = serve([&](auto, auto exchange) {
        exchange->start_stream({{"X-Stream", "1"}});
        exchange->send("data: 0\n\n");
        taken.set_value(exchange);
    });
    Http http(local());
    Request request = get(url(server->port()));
    request.time = {};
    const auto recorder = std::make_shared<Recorder>();
    http.start(request, recorder);
    ASSERT_TRUE(recorder->await_head());
    ASSERT_TRUE(recorder->await_body("data: 0\n\n"));
    const auto held = taken.get_future().get();
    for (int i = 1; i < 5; ++i) {
        const auto event = "data: " + std::to_string(i) + "\n\n";
        held->send(event);
        ASSERT_TRUE(recorder->await_body(event));
    }
    EXPECT_EQ(recorder->ends(), 0);
    held->finish("data: last\n\n");
    const auto out = recorder->await_end();
    EXPECT_EQ(out.status(), 200);
    EXPECT_EQ(out.answer.head.header("x-stream"), "1");
    EXPECT_TRUE(out.answer.body.ends_with("data: last\n\n"));
}

TEST(Http, AReceiverMayStartAndCancelOthers) {
    class Chain : public Recorder {
      public:
        void end(const std::optional<Failure>& failure) override {
            if (!failure) {
                http->start(post(target, "second"), next);
                http->cancel(http->start(post(target, "third"), cancelled));
            }
            Recorder::end(failure);
        }
        Http* http = nullptr;
        std::string target;
        std::shared_ptr<Recorder> next = std::make_shared<Recorder>();
        std::shared_ptr<Recorder> cancelled = std::make_shared<Recorder>();
    };
    const auto server = serve(echo);
    Http http(local());
    const auto first = std::make_shared<Chain>();
    first->http = &http;
    first->target = url(server->port());
    http.start(post(first->target, "first"), first);
    EXPECT_EQ(first->await_end().answer.body, "first");
    EXPECT_EQ(first->next->await_end().answer.body, "second");
    EXPECT_TRUE(first->cancelled->await_end().failed(Fault::cancelled, false));
}

TEST(Http, InterimAnswersFoldedLinesAndTrailersAreTakenAsMeant) {
    RawServer server([](RawConnection& connection) {
        connection.request();
        connection.write(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            "HTTP/1.1 202 Accepted\r\nA:  1 \r\nB: 2\r\n\t3\r\nA: 4\r\n"
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailing: t\r\n\r\n");
        connection.await_end();
    });
    Http http(local());
    const auto out = fetch(http, get(url(server.port())));
    EXPECT_EQ(out.status(), 202) << out;
    EXPECT_EQ(out.answer.body, "abc");
    const Headers headers{{"A", "1"}, {"B", "2 3"}, {"A", "4"}, {"Transfer-Encoding", "chunked"}};
    EXPECT_EQ(out.answer.head.headers, headers);
}

TEST(Http, AnEncodedBodyIsNotDecoded) {
    RawServer server([](RawConnection& connection) {
        EXPECT_EQ(connection.request().find("Accept-Encoding"), std::string::npos);
        connection.answer("\x1f\x8b raw", "Content-Encoding: gzip\r\n");
        connection.await_end();
    });
    Http http(local());
    EXPECT_EQ(fetch(http, get(url(server.port()))).answer.body, "\x1f\x8b raw");
}

TEST(Http, NoProxyAndNoNetrcFromTheEnvironment) {
    RawServer proxy([](RawConnection& connection) { connection.answer("proxied"); });
    const std::string at = url(proxy.port());
    for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
        ::setenv(name, at.c_str(), 1);
    const auto server = serve(echo);
    {
        Http http(local());
        EXPECT_EQ(fetch(http, post(url(server->port()), "direct")).answer.body, "direct");
    }
    for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
        ::unsetenv(name);
    EXPECT_EQ(proxy.connections(), 0);
}

// Whoever starts a transfer may hold locks that its receivers take.
TEST(Http, ReceiversHearOnOneThreadAlone) {
    struct Witness : Receiver {
        std::mutex& mutex;
        std::set<std::thread::id>& threads;
        std::atomic<int>& ends;
        Witness(std::mutex& m, std::set<std::thread::id>& t, std::atomic<int>& e)
            : mutex(m), threads(t), ends(e) {}
        void seen() {
            std::lock_guard lock(mutex);
            threads.insert(std::this_thread::get_id());
        }
        void head(const Head&) override { seen(); }
        bool data(std::string_view) override {
            seen();
            return true;
        }
        void end(const std::optional<Failure>&) override {
            seen();
            ++ends;
        }
    };
    const auto server = serve(echo);
    // It answers before it is asked.
    RawServer hasty([](RawConnection& connection) {
        connection.answer("unasked", "Connection: close\r\n");
        connection.await_end();
    });
    std::mutex mutex;
    std::set<std::thread::id> heard;
    std::atomic<int> ends{0};
    constexpr int rounds = 50;
    Http http(local());
    std::vector<std::thread> starters;
    std::set<std::thread::id> ours;
    for (int t = 0; t < 4; ++t) {
        starters.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) {
                for (const int port : {int{server->port()}, int{hasty.port()}, 1})
                    http.start(post(url(static_cast<std::uint16_t>(port)), "x"),
                               std::make_shared<Witness>(mutex, heard, ends));
            }
        });
        ours.insert(starters.back().get_id());
    }
    for (auto& starter : starters)
        starter.join();
    EXPECT_TRUE(eventually([&] { return ends == 4 * rounds * 3; })) << ends;
    EXPECT_EQ(heard.size(), 1U);
    for (const auto& id : ours)
        EXPECT_FALSE(heard.contains(id));
}

TEST(Http, HeadersThatSayMoreThanThemselvesAreRefused) {
    RawServer server([](RawConnection& connection) { connection.answer(connection.request()); });
    Http http(local());
    using namespace std::string_literals;
    const Headers wrong{{"X-A", "1\r\nX-B: 2"},
                        {"X-A", "1\n"},
                        {"X-A", "1\r"},
                        {"X-A", "1\0002"s},
                        {"X-A\r\nX-B", "1"},
                        {"X-A:", "1"},
                        {"X A", "1"},
                        {"", "1"},
                        {"X-A\0"s, "1"},
                        {"Host", "other"},
                        {"content-length", "0"},
                        {"Connection", "close"},
                        {"Transfer-Encoding", "chunked"},
                        {"Expect", "100-continue"},
                        {"Upgrade", "websocket"}};
    for (const auto& header : wrong) {
        Request request = post(url(server.port()), "secret body");
        request.headers = {{"X-Fine", "1"}, header};
        EXPECT_TRUE(fetch(http, request).failed(Fault::refused, false)) << header.first;
    }
    for (const char* method : {"", "get", "GET /x HTTP/1.1\r\nX:", "CONNECT", "TRACE"}) {
        Request request = get(url(server.port()));
        request.method = method;
        EXPECT_TRUE(fetch(http, request).failed(Fault::refused, false)) << method;
    }
    EXPECT_EQ(server.connections(), 0);
}

TEST(Http, NoMessageTellsASecret) {
    Http http(local());
    Request request = get("http://user:secret@127.0.0.1:1/secret?token=secret");
    request.headers = {{"Authorization", "Bearer secret"}};
    auto out = fetch(http, request);
    ASSERT_TRUE(out.failed(Fault::refused, false)) << out;
    EXPECT_EQ(out.failure->message.find("secret"), std::string::npos) << out;
    request.url = "http://127.0.0.1:1/secret?token=secret";
    out = fetch(http, request);
    ASSERT_TRUE(out.failed(Fault::unreachable, false)) << out;
    EXPECT_EQ(out.failure->message.find("secret"), std::string::npos) << out;
    EXPECT_NE(out.failure->message.find("127.0.0.1:1"), std::string::npos) << out;
    request.headers[0].second += "\n";
    out = fetch(http, request);
    EXPECT_EQ(out.failure->message.find("secret"), std::string::npos) << out;
}

}  // namespace
}  // namespace pb::outbound::testing
