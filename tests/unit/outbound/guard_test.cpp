// SPDX-License-Identifier: Apache-2.0
// A request reaches the addresses that were checked, and nothing else: forged names, names that
// change, redirects.
#include "support.h"

namespace pb::outbound::testing {
namespace {

// Answers with what it is called, so that a test sees who was reached.
RawServer::Talk named(const std::string& name) {
    return [name](RawConnection& connection) {
        while (!connection.request().empty() && connection.answer(name)) {
        }
    };
}

// One port on two addresses of this machine.
struct Twins {
    Twins() {
        do {
            first = std::make_unique<RawServer>(named("first"), "127.0.0.2");
            second = std::make_unique<RawServer>(named("second"), "127.0.0.1", first->port());
        } while (!second->bound());
    }
    std::uint16_t port() const { return first->port(); }

    std::unique_ptr<RawServer> first, second;
};

TEST(Guard, EverySpellingOfAForbiddenAddressIsRefused) {
    RawServer server(named("reached"));
    Http http({});
    for (const char* host : {"127.0.0.1",
                             "127.0.0.1.",
                             "2130706433",
                             "017700000001",
                             "0x7f000001",
                             "0x7f.1",
                             "127.1",
                             "0177.0.0.1",
                             "%31%32%37.0.0.1",
                             "0",
                             "0.0.0.0",
                             "[::1]",
                             "[::]",
                             "[::ffff:127.0.0.1]",
                             "[::ffff:7f00:1]",
                             "[64:ff9b::7f00:1]",
                             "[2002:7f00:1::]",
                             "localhost",
                             "LOCALHOST",
                             "localhost.",
                             "169.254.169.254",
                             "[fe80::1]",
                             "10.0.0.1",
                             "224.0.0.1"}) {
        const auto out = fetch(http, get(url(server.port(), "/", host)));
        EXPECT_TRUE(out.failed(Fault::refused, false)) << host << ": " << out;
    }
    EXPECT_EQ(server.connections(), 0);
}

TEST(Guard, OneForbiddenAddressRefusesTheName) {
    RawServer server(named("reached"));
    for (const FakeResolver::Addresses& addresses : {FakeResolver::Addresses{"10.0.0.1"},
                                                     {"127.0.0.1", "10.0.0.1"},
                                                     {"10.0.0.1", "127.0.0.1"},
                                                     {"127.0.0.1", "::1", "fe80::1"},
                                                     {"127.0.0.1", "::ffff:10.0.0.1"}}) {
        const auto resolver = resolving(std::vector<FakeResolver::Addresses>(1, addresses));
        Http http(local(resolver));
        const auto out = fetch(http, get(url(server.port(), "/", "example.com")));
        EXPECT_TRUE(out.failed(Fault::refused, false)) << out;
    }
    EXPECT_EQ(server.connections(), 0);
}

TEST(Guard, ANameThatAnswersOtherwiseTheSecondTimeIsHeldToTheFirst) {
    const Twins servers;
    const auto resolver = resolving({{"127.0.0.2"}, {"127.0.0.1"}});
    auto options = local(resolver);
    options.policy = opened({"127.0.0.2"});
    options.resolved = std::chrono::hours(1);
    Http http(options);
    const auto target = url(servers.port(), "/", "rebound.example");
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(fetch(http, get(target)).answer.body, "first");
    EXPECT_EQ(resolver->asked, 1) << "what was checked is what is connected to";
    EXPECT_EQ(servers.second->connections(), 0);
}

// Every request resolves anew: a second answer that is forbidden refuses the request, though a
// pooled connection to the first address is there.
TEST(Guard, ASecondAnswerIsCheckedLikeTheFirst) {
    const Twins servers;
    const auto resolver = resolving({{"127.0.0.2"}, {"127.0.0.1"}, {"127.0.0.2"}});
    auto options = local(resolver);
    options.policy = opened({"127.0.0.2"});
    options.resolved = std::chrono::seconds(0);
    Http http(options);
    const auto target = url(servers.port(), "/", "rebound.example");
    EXPECT_EQ(fetch(http, get(target)).answer.body, "first");
    const auto out = fetch(http, get(target));
    EXPECT_TRUE(out.failed(Fault::refused, false)) << out;
    EXPECT_EQ(fetch(http, get(target)).answer.body, "first");
    EXPECT_EQ(resolver->asked, 3);
    EXPECT_EQ(servers.second->connections(), 0);
}

// No name that looks like this host's own is resolved by anybody but the resolver.
TEST(Guard, LocalhostIsANameLikeAnother) {
    const Twins servers;
    const auto resolver = resolving({{"127.0.0.2"}});
    Http http(local(resolver));
    for (const char* host : {"localhost", "x.localhost", "LOCALHOST."})
        EXPECT_EQ(fetch(http, get(url(servers.port(), "/", host))).answer.body, "first") << host;
    EXPECT_EQ(servers.second->connections(), 0);
}

TEST(Guard, TheNextAddressIsTriedAndTheNameIsSent) {
    const auto server = serve([](auto request, auto exchange) {
        exchange->respond({200, "text/plain", std::string(request->header("host")), {}});
    });
    const auto resolver = resolving({{"127.0.0.3", "127.0.0.1"}});
    Http http(local(resolver));
    const auto out = fetch(http, get(url(server->port(), "/", "Two.Example.")));
    EXPECT_EQ(out.answer.body, "two.example:" + std::to_string(server->port())) << out;
}

TEST(Guard, NamesAreRememberedAndAskedForOnce) {
    const auto server = serve(echo);
    class Slow : public FakeResolver {
      public:
        Slow() : FakeResolver({{"127.0.0.1"}}) {}
        Result<std::vector<sockaddr_storage>> resolve(const std::string& host,
                                                      std::uint16_t port) override {
            EXPECT_TRUE(eventually([this] { return released.load(); }));
            return FakeResolver::resolve(host, port);
        }
        std::atomic<bool> released{false};
    };
    const auto resolver = std::make_shared<Slow>();
    Http http(local(resolver));
    std::vector<std::shared_ptr<Recorder>> all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(std::make_shared<Recorder>());
        http.start(get(url(server->port(), "/", "slow.example")), all.back());
    }
    EXPECT_EQ(fetch(http, get(url(server->port()))).status(), 200) << "nobody else waits";
    Request hasty = get(url(server->port(), "/", "slow.example"));
    hasty.connect_time = std::chrono::milliseconds(20);
    EXPECT_TRUE(fetch(http, hasty).failed(Fault::late, false));
    resolver->released = true;
    for (const auto& one : all)
        EXPECT_EQ(one->await_end().status(), 200);
    EXPECT_EQ(fetch(http, get(url(server->port(), "/", "slow.example"))).status(), 200);
    EXPECT_EQ(resolver->asked, 1);
}

TEST(Guard, ANameWithoutAnAddressIsUnresolved) {
    Http http(local(resolving({{}})));
    const auto out = fetch(http, get("http://nowhere.example/"));
    EXPECT_TRUE(out.failed(Fault::unresolved, false)) << out;
    class Throwing : public Resolver {
        Result<std::vector<sockaddr_storage>> resolve(const std::string&, std::uint16_t) override {
            throw std::runtime_error("no resolver");
        }
    };
    Http other(local(std::make_shared<Throwing>()));
    EXPECT_TRUE(fetch(other, get("http://nowhere.example/")).failed(Fault::unresolved, false));
}

// A server that sends everybody on: /<status> to the Location it was made with.
class Redirecting {
  public:
    explicit Redirecting(std::string location = {})
        : location_(std::move(location)), server_([this](RawConnection& connection) {
              for (;;) {
                  const std::string request = connection.request();
                  if (request.empty()) return;
                  const std::string path = request.substr(request.find('/') + 1, 3);
                  if (path.find_first_not_of("0123456789") == std::string::npos) {
                      connection.write("HTTP/1.1 " + path + " Go\r\nLocation: " + location_ +
                                       "\r\nContent-Length: 3\r\n\r\nnot");
                  } else {
                      connection.answer(request);
                  }
              }
          }) {}

    Outcome ask(Http& http, const std::string& status, const std::string& method, int redirects) {
        Request request = post(url(server_.port(), "/" + status), "body");
        if (method == "GET") request = get(request.url);
        request.method = method;
        request.headers = {{"Authorization", "Bearer secret"}, {"Content-Type", "text/x"}};
        request.redirects = redirects;
        return fetch(http, request);
    }
    void lead_to(const std::string& location) { location_ = location; }
    std::uint16_t port() const { return server_.port(); }
    int connections() const { return server_.connections(); }

  private:
    std::string location_;
    RawServer server_;
};

TEST(Guard, ARedirectWithinTheOriginIsFollowed) {
    Redirecting server("/end?x=1#part");
    Http http(local());
    for (const char* status : {"301", "302", "303", "307", "308"}) {
        EXPECT_TRUE(server.ask(http, status, "GET", 1).answer.body.starts_with("GET /end"));
        const auto out = server.ask(http, status, "POST", 1);
        if (std::string_view(status) < "307") {  // never a GET in its place
            EXPECT_EQ(out.status(), std::atoi(status)) << out;
            EXPECT_EQ(server.ask(http, status, "DELETE", 1).status(), std::atoi(status));
            continue;
        }
        EXPECT_EQ(out.status(), 200) << out;
        const std::string& seen = out.answer.body;
        EXPECT_TRUE(seen.starts_with("POST /end?x=1 HTTP")) << seen;
        EXPECT_TRUE(seen.ends_with("\r\n\r\nbody")) << seen;
        EXPECT_NE(seen.find("Content-Type: text/x"), std::string::npos) << seen;
        EXPECT_NE(seen.find("Authorization: Bearer secret"), std::string::npos) << seen;
    }
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(server.ask(http, "307", "POST", 0).status(), 307) << "not unless it was asked for";
    EXPECT_EQ(server.ask(http, "304", "GET", 3).status(), 304);
    server.lead_to("/302");
    const auto out = server.ask(http, "302", "GET", 5);
    EXPECT_EQ(out.status(), 302) << "the sixth is an answer";
    EXPECT_EQ(out.answer.body, "not");
    server.lead_to("");
    EXPECT_EQ(server.ask(http, "302", "GET", 5).status(), 302);
}

TEST(Guard, ARedirectToAnotherOriginIsAnAnswer) {
    RawServer other(named("reached"));
    Redirecting server;
    const auto resolver = resolving({{"127.0.0.1"}});
    Http http(local(resolver));
    const auto own = std::to_string(server.port());
    for (const std::string& location :
         {url(other.port()), "//127.0.0.1:" + std::to_string(other.port()) + "/",
          "http://localhost:" + own + "/end", "http://127.0.0.2:" + own + "/end",
          "https://127.0.0.1:" + own + "/end", "http://user@127.0.0.1:" + own + "/end",
          std::string("http://169.254.169.254/latest"), std::string("file:///etc/passwd"),
          std::string("http://[::1"), "http://127.0.0.1:" + own + "/" + std::string(20'000, 'a')}) {
        server.lead_to(location);
        for (const char* status : {"302", "307"}) {
            const auto out = server.ask(http, status, "POST", 5);
            EXPECT_EQ(out.status(), std::atoi(status)) << location << ": " << out;
            EXPECT_EQ(out.answer.head.header("location"), location);
        }
    }
    EXPECT_EQ(other.connections(), 0);
}

}  // namespace
}  // namespace pb::outbound::testing
