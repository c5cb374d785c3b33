// SPDX-License-Identifier: Apache-2.0
// A call's life: cancellation, deadlines, questions of the server, credentials, the breaker.
#include <atomic>
#include <thread>

#include "client/breaker.h"
#include "client/http_stream.h"
#include "support.h"

namespace pb::client::testing::calls_test {
namespace {

const std::string hello = R"({"content":[]})";

// Answers with silence, and counts who went away.
struct Silent {
    std::atomic<int> asked{0}, left{0};

    void operator()(const Out& out) {
        ++asked;
        out.on_gone([this, out] { ++left; });
    }
};

// --- cancellation --------------------------------------------------------------------------------

TEST(Cancel, ModernHttpClosesTheStream) {
    Silent silent;
    TestServer server([&](const Got& got, const Out& out) {
        if (!modern(got, out)) silent(out);
    });
    World world(server.url());
    const auto heard = std::make_shared<Recorder>();
    const auto call = world.call(heard);
    ASSERT_TRUE(server.wait_for("tools/call"));
    call->cancel("enough");
    EXPECT_EQ(heard->wait().loss.why, Loss::Why::cancelled);
    EXPECT_TRUE(eventually([&] { return silent.left == 1; }));
    EXPECT_EQ(server.count("notifications/cancelled"), 0U);
    call->cancel("again");
    EXPECT_EQ(heard->ends(), 1);
}

TEST(Cancel, LegacyHttpSaysSo) {
    Silent silent;
    TestServer server([&](const Got& got, const Out& out) {
        if (!legacy(got, out)) silent(out);
    });
    World world(server.url());
    const auto heard = std::make_shared<Recorder>();
    const auto call = world.call(heard);
    ASSERT_TRUE(server.wait_for("tools/call"));
    call->cancel("enough");
    EXPECT_EQ(heard->wait().loss.why, Loss::Why::cancelled);
    ASSERT_TRUE(server.wait_for("notifications/cancelled"));
    const auto notice = server.got("notifications/cancelled").at(0).params();
    EXPECT_EQ(notice["requestId"], server.got("tools/call").at(0).json["id"]);
    EXPECT_EQ(notice["reason"], "enough");
}

TEST(Cancel, BeforeTheLinkIsThereNothingIsSent) {
    std::atomic<bool> go{false};
    TestServer server([&](const Got& got, const Out& out) {
        if (got.method() == "server/discover" && !eventually([&] { return go.load(); })) return;
        if (!modern(got, out)) out.result(hello);
    });
    World world(server.url());
    const auto first = std::make_shared<Recorder>();
    const auto call = world.call(first);
    ASSERT_TRUE(server.wait_for("server/discover"));
    call->cancel("never mind");
    EXPECT_EQ(first->wait().loss.why, Loss::Why::cancelled);
    go = true;
    EXPECT_TRUE(world.ask(tool("second")).ok());
    EXPECT_EQ(server.count("tools/call"), 1U);
    EXPECT_EQ(first->ends(), 1);
}

TEST(Cancel, AnAnswerThatComesAfterwardsIsDropped) {
    std::mutex mutex;
    std::optional<Out> kept;
    TestServer server([&](const Got& got, const Out& out) {
        if (legacy(got, out)) return;
        out.stream();
        std::lock_guard lock(mutex);
        kept = out;
    });
    World world(server.url());
    const auto heard = std::make_shared<Recorder>();
    const auto call = world.call(heard);
    ASSERT_TRUE(eventually([&] {
        std::lock_guard lock(mutex);
        return kept.has_value();
    }));
    call->cancel("enough");
    EXPECT_EQ(heard->wait().loss.why, Loss::Why::cancelled);
    kept->event(kept->message(hello));
    kept->end();
    EXPECT_TRUE(server.wait_for("notifications/cancelled"));
    EXPECT_EQ(heard->ends(), 1);
}

// A transport that is slow to send: the cancellation comes in between.
class SlowTransport : public Transport {
  public:
    Result<void> open(std::shared_ptr<Inbox>, Deadline) override { return {}; }
    void send(Outgoing message) override {
        if (message.id == no_request) return note("notice");
        if (in_between) in_between();
        note("request");
    }
    void abandon(RequestId) override { note("abandon"); }
    void agreed(const ServerInfo&) override {}
    void listen() override {}
    void close() override {}
    bool per_request() const override { return own_streams; }
    void note(const char* what) { notes.emplace_back(what); }

    std::function<void()> in_between;
    bool own_streams = true;
    std::vector<std::string> notes;
};

TEST(Cancel, WhileItIsBeingSentIsNotForgotten) {
    for (const bool own_streams : {true, false}) {
        const auto engine = local_engine();
        const auto transport = std::make_shared<SlowTransport>();
        transport->own_streams = own_streams;
        const auto rpc =
            std::make_shared<Rpc>(*engine, transport, std::weak_ptr<Listener>(), Limits());
        const auto heard = std::make_shared<Recorder>();
        const auto id = Rpc::next_id();
        transport->in_between = [&] { rpc->cancel(id, "enough"); };
        rpc->request(id, {"tools/call", "", "{}", {}, patience}, heard);
        EXPECT_EQ(heard->wait().loss.why, Loss::Why::cancelled);
        const std::vector<std::string> expected =
            own_streams ? std::vector<std::string>{"request", "abandon"}
                        : std::vector<std::string>{"request", "notice", "abandon"};
        EXPECT_EQ(transport->notes, expected);
        transport->in_between = nullptr;
    }
}

// --- deadlines -----------------------------------------------------------------------------------

TEST(Deadlines, ACallEndsInItsTimeAndTheServerHearsIt) {
    Silent silent;
    TestServer server([&](const Got& got, const Out& out) {
        if (!modern(got, out)) silent(out);
    });
    World world(server.url());
    auto request = tool("echo");
    request.time = milliseconds(150);
    const auto reply = world.ask(request);
    EXPECT_EQ(reply.loss.why, Loss::Why::late);
    EXPECT_TRUE(reply.loss.executed);
    EXPECT_TRUE(eventually([&] { return silent.left == 1; }));
}

TEST(Deadlines, WaitingForAConnectionCounts) {
    Silent silent;
    TestServer server([&](const Got&, const Out& out) { silent(out); });
    World world(server.url());
    auto request = tool("echo");
    request.time = milliseconds(150);
    const auto reply = world.ask(request);
    EXPECT_EQ(reply.loss.why, Loss::Why::late);
    EXPECT_FALSE(reply.loss.executed);
}

// --- questions -----------------------------------------------------------------------------------

const std::string question =
    R"({"jsonrpc":"2.0","id":"q7","method":"elicitation/create","params":{"message":"Who?"}})";

TEST(Questions, BelongToTheCallOnWhoseStreamTheyCome) {
    std::mutex mutex;
    std::map<std::string, Out> streams;
    TestServer server([&](const Got& got, const Out& out) {
        if (got.json.contains("result")) {
            out.empty(202);
            std::lock_guard lock(mutex);
            streams.at("b").event(streams.at("b").message(got.json["result"].dump()));
            streams.at("b").end();
            streams.at("a").event(streams.at("a").message(hello));
            streams.at("a").end();
            return;
        }
        if (legacy(got, out)) return;
        out.stream();
        std::lock_guard lock(mutex);
        const auto name = got.params()["name"].get<std::string>();
        streams.emplace(name, out);
        if (streams.size() == 2) streams.at("b").event(question);
    });
    World world(server.url());
    const auto a = std::make_shared<Recorder>(), b = std::make_shared<Recorder>();
    b->on_question = [](const Question& asked) {
        EXPECT_EQ(asked.id, "\"q7\"");
        EXPECT_EQ(asked.params, R"({"message":"Who?"})");
        asked.answer(R"({"action":"accept","content":{"name":"Ada"}})");
    };
    world.call(a, tool("a"));
    ASSERT_TRUE(server.wait_for("tools/call"));
    world.call(b, tool("b"));
    EXPECT_EQ(Json::parse(b->wait().text)["content"]["name"], "Ada");
    EXPECT_TRUE(a->wait().ok());
    EXPECT_TRUE(a->questions().empty());
}

// HTTP+SSE has one stream for all.
struct Shared {
    std::mutex mutex;
    std::optional<Out> stream;
    std::vector<std::string> calls;  // their ids
    std::vector<Json> answers;

    void operator()(const Got& got, const Out& out) {
        std::lock_guard lock(mutex);
        if (got.http == "GET") {
            out.stream();
            out.raw("event: endpoint\ndata: /messages\n\n");
            stream = out;
            return;
        }
        out.empty(202);
        if (got.method() == "initialize")
            stream->event(out.message(R"({"protocolVersion":"2024-11-05","capabilities":{}})"));
        else if (got.method() == "tools/call")
            calls.push_back(got.id());
        else if (!got.json.contains("method"))
            answers.push_back(got.json);
    }
    void say(const std::string& text) {
        std::lock_guard lock(mutex);
        stream->event(text);
    }
    std::size_t running() {
        std::lock_guard lock(mutex);
        return calls.size();
    }
    Json answer() {
        EXPECT_TRUE(eventually([&] {
            std::lock_guard lock(mutex);
            return !answers.empty();
        }));
        std::lock_guard lock(mutex);
        return answers.empty() ? Json() : answers.back();
    }
};

TEST(Questions, OnASharedStreamOnlyWhereOneCallRunsAlone) {
    Shared shared;
    TestServer server(std::ref(shared));
    World world(server.url());
    world.spec.kind = Kind::sse;
    const auto a = std::make_shared<Recorder>(), b = std::make_shared<Recorder>();
    const auto first = world.call(a);
    ASSERT_TRUE(eventually([&] { return shared.running() == 1; }));
    shared.say(question);
    ASSERT_TRUE(a->wait_for_question());
    a->questions().at(0).answer("{\"action\":\"cancel\"}");
    EXPECT_EQ(shared.answer()["result"]["action"], "cancel");

    const auto second = world.call(b);
    ASSERT_TRUE(eventually([&] { return shared.running() == 2; }));
    shared.say(question);
    EXPECT_TRUE(eventually([&] { return shared.answer().contains("error"); }));
    EXPECT_EQ(a->questions().size() + b->questions().size(), 1U);
    first->cancel("done");
    second->cancel("done");
}

TEST(Questions, RootsOfNobodyAreNone) {
    Shared shared;
    TestServer server(std::ref(shared));
    World world(server.url());
    world.spec.kind = Kind::sse;
    ASSERT_TRUE(world.open());
    shared.say(R"({"jsonrpc":"2.0","id":1,"method":"roots/list"})");
    EXPECT_EQ(shared.answer()["result"], Json::parse(R"({"roots":[]})"));
    shared.say(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");
    EXPECT_TRUE(eventually([&] { return shared.answer()["id"] == 2; }));
    EXPECT_EQ(shared.answer()["result"], Json::object());
    shared.say(R"({"jsonrpc":"2.0","id":3,"method":"host/secrets"})");
    EXPECT_TRUE(eventually([&] { return shared.answer()["id"] == 3; }));
    EXPECT_EQ(shared.answer()["error"]["code"], -32601);
}

TEST(Questions, AModernServerHasNone) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out)) return;
        out.stream();
        out.event(question);
        out.event(R"({"jsonrpc":"2.0","id":8,"method":"ping"})");
        out.event(out.message(hello));
        out.end();
    });
    World world(server.url());
    const auto heard = std::make_shared<Recorder>();
    world.call(heard);
    EXPECT_TRUE(heard->wait().ok());
    EXPECT_TRUE(world.ask().ok());
    EXPECT_TRUE(heard->questions().empty());
    for (const auto& got : server.all())
        EXPECT_TRUE(got.json.contains("method")) << got.body;
}

// --- credentials ---------------------------------------------------------------------------------

// Tokens that are got one after another; `good` is what the server takes.
class Tokens : public Credentials {
  public:
    std::optional<outbound::Headers> ready(std::string_view, std::string_view) override {
        std::lock_guard lock(mutex_);
        if (token_.empty()) return std::nullopt;
        return bearer(token_);
    }
    Result<void> acquire(Deadline) override {
        std::lock_guard one(getting_);
        std::lock_guard lock(mutex_);
        if (!token_.empty()) return {};
        ++acquired;
        token_ = next_;
        return {};
    }
    Result<void> challenged(const Challenge& challenge, Deadline) override {
        std::lock_guard lock(mutex_);
        ++challenges;
        status = challenge.status;
        if (find(challenge.used) != "Bearer " + token_) return {};
        token_ = next_;
        return {};
    }
    void next(const std::string& token) {
        std::lock_guard lock(mutex_);
        next_ = token;
    }

    std::atomic<int> acquired{0}, challenges{0}, status{0};

  private:
    static std::string find(const outbound::Headers& headers) {
        return std::string(outbound::find_header(headers, "Authorization"));
    }
    std::mutex getting_, mutex_;
    std::string token_, next_ = "one";
};

struct Guarded {
    std::mutex mutex;
    std::string good = "Bearer one";

    bool refuses(const Got& got, const Out& out) {
        std::lock_guard lock(mutex);
        if (got.header("authorization") == good) return false;
        out.empty(401, {{"WWW-Authenticate", "Bearer error=\"invalid_token\""}});
        return true;
    }
    void accept(const std::string& token) {
        std::lock_guard lock(mutex);
        good = "Bearer " + token;
    }
};

TEST(Credentials, AreGotOnceForManyAndRenewedWhenRefused) {
    Guarded guarded;
    TestServer server([&](const Got& got, const Out& out) {
        if (!guarded.refuses(got, out) && !modern(got, out)) out.result(hello);
    });
    const auto tokens = std::make_shared<Tokens>();
    World world(server.url());
    world.credentials = tokens;
    std::vector<std::shared_ptr<Recorder>> all;
    for (int i = 0; i < 10; ++i) {
        all.push_back(std::make_shared<Recorder>());
        world.call(all.back());
    }
    for (const auto& each : all)
        EXPECT_TRUE(each->wait().ok());
    EXPECT_EQ(tokens->acquired, 1);
    EXPECT_EQ(tokens->challenges, 0);

    guarded.accept("two");
    tokens->next("two");
    const auto before = server.count("tools/call");
    EXPECT_TRUE(world.ask().ok());
    EXPECT_EQ(tokens->challenges, 1);
    EXPECT_EQ(server.count("tools/call"), before + 2);
}

TEST(Credentials, ChallengesWithoutEndEndTheCall) {
    Guarded guarded;
    TestServer server([&](const Got& got, const Out& out) {
        if (got.method() == "tools/call") return out.empty(403);
        if (!guarded.refuses(got, out)) modern(got, out);
    });
    const auto tokens = std::make_shared<Tokens>();
    World world(server.url());
    world.credentials = tokens;
    const auto reply = world.ask();
    EXPECT_EQ(reply.loss.why, Loss::Why::challenged);
    EXPECT_EQ(tokens->status, 403);
    EXPECT_LE(server.count("tools/call"), 4U);
}

TEST(Credentials, FixedOnesThatAreRefusedAreSaidSo) {
    Guarded guarded;
    TestServer server([&](const Got& got, const Out& out) { guarded.refuses(got, out); });
    World world(server.url());
    world.credentials = fixed_credentials(bearer("wrong-secret"));
    const auto reply = world.ask();
    EXPECT_EQ(reply.loss.why, Loss::Why::challenged);
    EXPECT_EQ(reply.loss.message.find("wrong-secret"), std::string::npos);
}

TEST(Credentials, TheTransportOf2024SignsInToo) {
    Guarded guarded;
    Shared shared;
    guarded.accept("two");
    TestServer server([&](const Got& got, const Out& out) {
        if (!guarded.refuses(got, out)) shared(got, out);
    });
    const auto tokens = std::make_shared<Tokens>();
    tokens->next("one");
    World world(server.url());
    world.spec.kind = Kind::sse;
    world.credentials = tokens;
    ASSERT_TRUE(tokens->acquire(soon()));
    tokens->next("two");
    const auto link = world.open();
    EXPECT_TRUE(link) << link.error().message;
    EXPECT_EQ(tokens->challenges, 1);

    const auto fresh = std::make_shared<Tokens>();
    fresh->next("two");
    World other(server.url());
    other.spec.kind = Kind::sse;
    other.credentials = fresh;
    EXPECT_TRUE(other.open());
    EXPECT_EQ(fresh->acquired, 1);
}

// --- how much at a time --------------------------------------------------------------------------

TEST(Bounds, CallsBeyondTheirNumberAreRefusedAtOnceAndSentNowhere) {
    Silent silent;
    TestServer server([&](const Got& got, const Out& out) {
        if (modern(got, out)) return;
        if (got.params()["name"] == "wait") return silent(out);
        out.result(hello);
    });
    World world(server.url());
    world.spec.limits.calls = 2;
    std::vector<std::shared_ptr<Running>> running;
    for (int i = 0; i < 2; ++i)
        running.push_back(world.call(std::make_shared<Recorder>(), tool("wait")));
    ASSERT_TRUE(server.wait_for("tools/call", 2));
    for (int i = 0; i < 20; ++i) {
        const auto refused = world.ask();
        EXPECT_EQ(refused.loss.why, Loss::Why::busy);
        EXPECT_FALSE(refused.loss.executed);
    }
    EXPECT_EQ(server.count("tools/call"), 2U);
    // Our own look at the server is none of them.
    CallRequest look;
    look.method = "tools/list";
    look.params = "{}";
    EXPECT_TRUE(world.client().ask(look).ok());
    running.at(0)->cancel("done");
    EXPECT_TRUE(world.ask().ok());
    running.at(1)->cancel("done");
}

// A server that is never reached because our own connections are all in use is not a slow one.
TEST(Bounds, WhoGetsNoConnectionOfOursHasNotFoundASlowServer) {
    Silent silent;
    TestServer server([&](const Got& got, const Out& out) {
        if (!modern(got, out)) got.params()["name"] == "wait" ? silent(out) : out.result(hello);
    });
    outbound::Http::Options options;
    options.policy = *outbound::AddressPolicy::make({"127.0.0.0/8"});
    options.connections = 1;
    Engine engine(std::move(options));
    ServerSpec spec;
    spec.url = server.url();
    spec.connect_time = milliseconds(500);
    const auto client = Client::make(engine, spec, fixed_credentials({}), {});
    const auto holding = client->call(tool("wait"), std::make_shared<Recorder>());
    ASSERT_TRUE(server.wait_for("tools/call"));
    std::vector<std::shared_ptr<Recorder>> all;
    for (int i = 0; i < 10; ++i) {
        all.push_back(std::make_shared<Recorder>());
        client->call(tool("echo"), all.back());
    }
    for (const auto& heard : all) {
        const auto reply = heard->wait();
        EXPECT_EQ(reply.loss.why, Loss::Why::busy) << reply.loss.message;
        EXPECT_FALSE(reply.loss.executed);
    }
    EXPECT_EQ(client->breaker().opens_in(), milliseconds(0));
    holding->cancel("done");
    EXPECT_TRUE(client->ask(tool("echo")).ok());
    client->close();
    // Even if the call's own time is the shorter one.
    EXPECT_LT(connect_time(spec, milliseconds(100)), milliseconds(100));
    EXPECT_EQ(connect_time(spec, milliseconds(0)), spec.connect_time);
}

// --- the breaker ---------------------------------------------------------------------------------

TEST(BreakerRules, OpensAfterFailuresInARowAndLetsOneTry) {
    Breaker breaker({3, milliseconds(500), milliseconds(60'000)});
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(breaker.admits());
        breaker.failed();
        breaker.succeeded();
    }
    EXPECT_FALSE(breaker.failed());
    EXPECT_FALSE(breaker.failed());
    EXPECT_TRUE(breaker.failed());
    EXPECT_FALSE(breaker.admits());
    // What was under way tells nothing new, however much it was.
    for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(breaker.failed());
    EXPECT_LE(breaker.opens_in(), milliseconds(500));
    ASSERT_TRUE(eventually([&] { return breaker.admits(); }));
    EXPECT_FALSE(breaker.admits());
    breaker.failed();
    EXPECT_GT(breaker.opens_in(), milliseconds(500));
    ASSERT_TRUE(eventually([&] { return breaker.admits(); }));
    breaker.succeeded();
    EXPECT_TRUE(breaker.admits());
    EXPECT_EQ(breaker.opens_in(), milliseconds(0));
}

TEST(BreakerRules, AServerThatIsDownIsLeftAloneAndComesBack) {
    std::atomic<bool> up{false};
    TestServer server([&](const Got& got, const Out& out) {
        if (!modern(got, out)) up ? out.result(hello) : out.empty(500);
    });
    World world(server.url());
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(world.ask().loss.why, Loss::Why::status);
    const auto refused = world.ask();
    EXPECT_EQ(refused.loss.why, Loss::Why::unreachable);
    EXPECT_NE(refused.loss.message.find("failed repeatedly"), std::string::npos);
    EXPECT_EQ(server.count("tools/call"), 5U);
    up = true;
    EXPECT_TRUE(eventually([&] { return world.ask().ok(); }));
    EXPECT_TRUE(world.ask().ok());
}

// The one that tries finds a server that has lost its session; it heals all the same.
TEST(BreakerRules, TheCallThatTriesMayHeal) {
    enum { fine, down, restarted };
    std::atomic<int> state{fine};
    TestServer server([&](const Got& got, const Out& out) {
        const std::string session = state == restarted ? "two" : "one";
        if (got.method() == "initialize" || got.http == "GET")
            return void(legacy(got, out, {session, R"({"tools":{}})", ""}));
        if (got.method() == "tools/call" && state == down) return out.empty(502);
        if (got.has("mcp-session-id") && got.header("mcp-session-id") != session)
            return out.empty(404);
        if (!legacy(got, out)) out.result(hello);
    });
    World world(server.url());
    EXPECT_TRUE(world.ask().ok());
    state = down;
    for (int i = 0; i < 5; ++i)
        EXPECT_FALSE(world.ask().ok());
    state = restarted;
    const auto calls = server.count("tools/call");
    Reply reply;
    EXPECT_TRUE(eventually([&] {
        reply = world.ask();
        return server.count("tools/call") > calls;
    }));
    EXPECT_TRUE(reply.ok()) << reply.loss.message;
}

// A stream on which nothing comes any more would otherwise be tried again and again.
TEST(BreakerRules, ASharedStreamThatHangsIsLetGo) {
    Shared shared;
    TestServer server(std::ref(shared));
    World world(server.url());
    world.spec.kind = Kind::sse;
    ASSERT_TRUE(world.open());
    auto request = tool("echo");
    request.time = milliseconds(50);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(world.ask(request).loss.why, Loss::Why::late);
    EXPECT_EQ(world.client().link(), nullptr);
}

}  // namespace
}  // namespace pb::client::testing::calls_test
