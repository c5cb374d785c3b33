// SPDX-License-Identifier: Apache-2.0
// What goes wrong: bounds, time, cancellation, servers that lie or leave. Above all whether a
// request may have been executed.
#include "support.h"

namespace pb::outbound::testing {
namespace {

using std::chrono::milliseconds;

// Reads one request and answers it with bytes of the test's choice, then closes or waits.
RawServer::Talk sends(const std::string& bytes, bool then_closes = true) {
    return [=](RawConnection& connection) {
        if (connection.request().empty()) return;
        connection.write(bytes);
        if (!then_closes) connection.await_end();
    };
}

// A socket with an address of its own, on which nobody listens yet.
class Bound {
  public:
    Bound() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        own_.sin_family = AF_INET;
        own_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof own_;
        EXPECT_EQ(::bind(get(), address(), size), 0);
        ::getsockname(get(), address(), &size);
    }
    int get() const { return socket_.get(); }
    sockaddr* address() { return reinterpret_cast<sockaddr*>(&own_); }
    std::uint16_t port() const { return ntohs(own_.sin_port); }

  private:
    Descriptor socket_;
    sockaddr_in own_{};
};

TEST(Failure, ARefusedConnectionIsUnreachable) {
    const Bound nobody;
    Http http(local());
    const auto out = fetch(http, post(url(nobody.port()), "x"));
    EXPECT_TRUE(out.failed(Fault::unreachable, false)) << out;
    EXPECT_NE(out.failure->message.find("Connection refused"), std::string::npos) << out;
}

TEST(Failure, WhatIsNotHttpIsBroken) {
    const std::string huge_chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                   std::string(17, 'f') + "\r\nabc\r\n0\r\n\r\n";
    for (const char* bytes :
         {"",
          "garbage\r\n\r\n",
          "\r\n\r\n",
          "HTTP/1.1\r\n\r\n",
          "HTTP/1.1 abc OK\r\n\r\n",
          "HTTP/1.1 42 No\r\n\r\n",
          "HTTP/9.9 200 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
          "ICY 200 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
          "HTTP/1.1 200 OK\r\n folded first\r\n\r\n",
          "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 2\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nContent-Length: 3, 2\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
          huge_chunk.c_str()}) {
        RawServer server(sends(bytes));
        Http http(local());
        const auto out = fetch(http, post(url(server.port()), "x"));
        EXPECT_TRUE(out.failed(Fault::broken, true)) << bytes << " gave " << out;
    }
}

TEST(Failure, AnAnswerIsBounded) {
    const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n";
    const std::string closing = "HTTP/1.1 200 OK\r\n\r\n";
    for (const std::string& head : {length, chunked, closing}) {
        RawServer server(sends(head + std::string(1001, 'x'), false));
        Http http(local());
        Request request = get(url(server.port()));
        request.max_answer = 1000;
        const auto out = fetch(http, request);
        EXPECT_TRUE(out.failed(Fault::too_large, true)) << head << out;
        EXPECT_TRUE(eventually([&] { return server.closed() == 1; }))
            << "it is not read to its end";
    }
    const auto server = serve(echo);
    Http http(local());
    Request request = post(url(server->port()), std::string(1000, 'x'));
    request.max_answer = 1000;
    EXPECT_EQ(fetch(http, request).status(), 200);
}

TEST(Failure, AHeaderIsBounded) {
    const std::string line = "X-Long: " + std::string(1000, 'x') + "\r\n";
    std::string many, hints, trailers;
    for (int i = 0; i < 70; ++i) {
        many += line;
        hints += "HTTP/1.1 103 Early Hints\r\n" + line + "\r\n";
    }
    trailers = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" + many;
    for (const std::string& bytes : {"HTTP/1.1 200 OK\r\n" + many, hints, trailers,
                                     "HTTP/1.1 200 OK\r\nX-Long: " + std::string(200'000, 'x')}) {
        RawServer server(sends(bytes, false));
        Http http(local());
        const auto out = fetch(http, get(url(server.port())));
        ASSERT_TRUE(out.failure) << out.answer.body.size();
        EXPECT_TRUE(out.failure->fault == Fault::too_large || out.failure->fault == Fault::broken)
            << out;
        EXPECT_TRUE(out.failure->sent);
    }
}

TEST(Failure, AReceiverMaySayStop) {
    RawServer server([](RawConnection& connection) {
        connection.request();
        connection.write("HTTP/1.1 200 OK\r\n\r\n");
        while (connection.write("more")) {
        }
    });
    Http http(local());
    const auto recorder = std::make_shared<Recorder>();
    recorder->taking = false;
    Request request = get(url(server.port()));
    request.max_answer = 0;
    http.start(request, recorder);
    EXPECT_TRUE(recorder->await_end().failed(Fault::too_large, true));
}

TEST(Failure, TimeIsBounded) {
    RawServer silent([](RawConnection& connection) {
        connection.request();
        connection.await_end();
    });
    RawServer slow([](RawConnection& connection) {  // never silent for long, never at an end
        connection.request();
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while (connection.write("x"))
            std::this_thread::sleep_for(milliseconds(2));
    });
    Http http(local());
    Request request = post(url(silent.port()), "x");
    request.time = milliseconds(30);
    EXPECT_TRUE(fetch(http, request).failed(Fault::late, true));
    request.url = url(slow.port());
    EXPECT_TRUE(fetch(http, request).failed(Fault::late, true));
    request.time = {};
    request.silence = milliseconds(30);
    request.url = url(silent.port());
    const auto out = fetch(http, request);
    EXPECT_TRUE(out.failed(Fault::late, true)) << out;
    EXPECT_NE(out.failure->message.find("silent"), std::string::npos) << out;
    EXPECT_TRUE(eventually([&] { return silent.closed() == 2 && slow.closed() == 1; }));
}

// Longer in all than the silence that is borne. A machine that stalls may spoil one attempt.
TEST(Failure, BytesBreakASilence) {
    RawServer server([](RawConnection& connection) {
        connection.request();
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
        for (int i = 0; i < 8; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
            connection.write("x");
        }
        connection.await_end();
    });
    Http http(local());
    Request request = get(url(server.port()));
    request.silence = milliseconds(300);
    Outcome out;
    for (int attempt = 0; attempt < 5 && out.status() != 200; ++attempt)
        out = fetch(http, request);
    EXPECT_EQ(out.answer.body, "xxxxxxxx") << out;
}

// A listener whose backlog is full answers nothing at all.
TEST(Failure, ConnectingIsBounded) {
    Bound listener;
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    std::vector<Descriptor> filling;
    for (int i = 0; i < 4; ++i) {
        filling.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        static_cast<void>(::connect(filling.back().get(), listener.address(), sizeof(sockaddr_in)));
    }
    Http http(local());
    Request request = post(url(listener.port()), "x");
    request.connect_time = milliseconds(50);
    const auto out = fetch(http, request);
    EXPECT_TRUE(out.failed(Fault::late, false)) << out;
}

TEST(Failure, ARequestThatGetsNoConnectionOfOursIsNotTheServersLateness) {
    RawServer server([](RawConnection& connection) {
        connection.request();
        connection.await_end();
    });
    auto options = local();
    options.connections = 1;
    Http http(options);
    const auto first = std::make_shared<Recorder>();
    const auto ticket = http.start(get(url(server.port())), first);
    ASSERT_TRUE(eventually([&] { return server.connections() == 1; }));
    for (const bool whole : {false, true}) {
        Request second = post(url(server.port()), "x");
        (whole ? second.time : second.connect_time) = milliseconds(20);
        const auto out = fetch(http, second);
        EXPECT_TRUE(out.failed(Fault::busy, false)) << out;
    }
    http.cancel(ticket);
    EXPECT_TRUE(first->await_end().failed(Fault::cancelled, true));
}

TEST(Failure, CancellingClosesTheConnection) {
    RawServer server([](RawConnection& connection) {
        connection.request();
        connection.write("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n");
        connection.await_end();
    });
    Http http(local());
    Request request = get(url(server.port()));
    request.time = {};
    const auto recorder = std::make_shared<Recorder>();
    const auto ticket = http.start(request, recorder);
    ASSERT_TRUE(recorder->await_body("data: 1"));
    http.cancel(ticket);
    EXPECT_TRUE(recorder->await_end().failed(Fault::cancelled, true));
    EXPECT_TRUE(eventually([&] { return server.closed() == 1; }));
    http.cancel(ticket);  // it has ended: nothing more
    http.cancel(ticket + 1000);
    const auto late = std::make_shared<Recorder>();
    http.cancel(http.start(request, late));
    late->await_end();
    EXPECT_EQ(recorder->ends(), 1);
    EXPECT_EQ(late->ends(), 1);
}

TEST(Failure, CancelledBeforeItIsSent) {
    class Held : public FakeResolver {
      public:
        Held() : FakeResolver({{"127.0.0.1"}}) {}
        Result<std::vector<sockaddr_storage>> resolve(const std::string& host,
                                                      std::uint16_t port) override {
            EXPECT_TRUE(eventually([this] { return released.load(); }));
            return FakeResolver::resolve(host, port);
        }
        std::atomic<bool> released{false};
    };
    RawServer server(sends(""));
    const auto resolver = std::make_shared<Held>();
    Http http(local(resolver));
    const auto recorder = std::make_shared<Recorder>();
    const auto ticket = http.start(post(url(server.port(), "/", "held.example"), "x"), recorder);
    http.cancel(ticket);
    EXPECT_TRUE(recorder->await_end().failed(Fault::cancelled, false));
    resolver->released = true;
    EXPECT_EQ(server.connections(), 0);
}

TEST(Failure, TheEndEndsEverything) {
    RawServer server([](RawConnection& connection) {
        connection.request();
        connection.write("HTTP/1.1 200 OK\r\n\r\n");
        connection.await_end();
    });
    std::vector<std::shared_ptr<Recorder>> all;
    const auto asked = std::make_shared<Recorder>();
    {
        auto options = local();
        options.connections = 4;
        Http http(options);
        for (int i = 0; i < 10; ++i) {  // some with a connection, some that wait for one
            all.push_back(std::make_shared<Recorder>());
            http.start(get(url(server.port())), all.back());
        }
        ASSERT_TRUE(eventually([&] { return server.connections() == 4; }));
        http.start(get(url(server.port())), asked);  // perhaps not even looked at
    }
    for (const auto& one : all)
        EXPECT_EQ(one->ends(), 1) << "before the destructor comes back";
    EXPECT_EQ(asked->ends(), 1);
    EXPECT_EQ(asked->await_end().failure->fault, Fault::cancelled);
    EXPECT_TRUE(eventually([&] { return server.closed() == 4; }));
}

// What a server saw of requests, on all its connections.
class Seen {
  public:
    void add(const std::string& request) {
        std::lock_guard lock(mutex_);
        all_.push_back(request);
    }
    std::size_t count() const {
        std::lock_guard lock(mutex_);
        return all_.size();
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> all_;
};

// Closed while it was idle: the next request goes to a new one, whatever its method.
TEST(Stale, AConnectionThatWasClosedIsNotUsed) {
    Seen seen;
    RawServer server([&](RawConnection& connection) {
        seen.add(connection.request());
        connection.answer(std::to_string(connection.index));
    });
    Http http(local());
    for (int i = 0; i < 10; ++i) {
        const auto out = fetch(http, post(url(server.port()), "x"));
        EXPECT_EQ(out.answer.body, std::to_string(i)) << out;
        ASSERT_TRUE(eventually([&] { return server.closed() == i + 1; }));
    }
    EXPECT_EQ(seen.count(), 10U);
}

// A server that speaks unasked, or says farewell without closing, is not asked on that connection.
TEST(Stale, AConnectionWithBytesThatNobodyAskedForIsNotUsed) {
    RawServer server([&](RawConnection& connection) {
        connection.request();
        connection.answer(std::to_string(connection.index));
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        connection.await_end();
    });
    Http http(local());
    for (int i = 0; i < 3; ++i) {
        const auto out = fetch(http, post(url(server.port()), "x"));
        EXPECT_EQ(out.answer.body, std::to_string(i)) << out;
        ASSERT_TRUE(eventually([&] { return server.closed() == i + 1; }));
    }
}

// The server reads a request on a kept connection, executes it and leaves: a POST is not repeated.
TEST(Stale, APostIsExecutedAtMostOnce) {
    for (const bool answered_in_part : {false, true}) {
        Seen seen;
        RawServer server([&](RawConnection& connection) {
            for (int i = 0;; ++i) {
                const std::string request = connection.request();
                if (request.empty()) return;
                seen.add(request);
                if (i == 1 && answered_in_part) connection.write("HTTP/1.1 20");
                if (i == 1) return;
                connection.answer("fine");
            }
        });
        Http http(local());
        for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
            const auto before = seen.count();
            Request request = post(url(server.port()), "x");
            request.method = method;
            EXPECT_EQ(fetch(http, request).status(), 200);
            EXPECT_EQ(seen.count(), before + 1);
            const auto out = fetch(http, request);
            EXPECT_TRUE(out.failed(Fault::broken, true)) << method << ": " << out;
            EXPECT_EQ(fetch(http, request).status(), 200);
            // The one that failed was seen once, then one on another connection. That one is the
            // first there, so that the next round's first is its second: end it.
            EXPECT_EQ(seen.count(), before + 3);
            EXPECT_TRUE(fetch(http, request).failed(Fault::broken, true));
        }
    }
}

TEST(Stale, AGetIsRepeated) {
    Seen seen;
    RawServer server([&](RawConnection& connection) {
        for (int i = 0;; ++i) {
            const std::string request = connection.request();
            if (request.empty()) return;
            seen.add(request);
            if (i == 1) return;
            connection.answer("fine");
        }
    });
    Http http(local());
    EXPECT_EQ(fetch(http, get(url(server.port()))).status(), 200);
    const auto out = fetch(http, get(url(server.port())));
    EXPECT_EQ(out.status(), 200) << out;
    EXPECT_EQ(seen.count(), 3U);
    EXPECT_EQ(server.connections(), 2);
}

// Who says for how long a connection is kept is believed: a POST near that time takes a new one.
TEST(Stale, AServersKeepAliveTimeIsHeeded) {
    RawServer server([](RawConnection& connection) {
        const auto keep = "Keep-Alive: timeout=2\r\n";
        while (!connection.request().empty() &&
               connection.answer(std::to_string(connection.index), keep)) {
        }
    });
    Http http(local());
    const Request request = post(url(server.port()), "x");
    EXPECT_EQ(fetch(http, request).answer.body, "0");
    EXPECT_EQ(fetch(http, request).answer.body, "0");
    std::this_thread::sleep_for(milliseconds(1100));
    EXPECT_EQ(fetch(http, request).answer.body, "1");
}

}  // namespace
}  // namespace pb::outbound::testing
