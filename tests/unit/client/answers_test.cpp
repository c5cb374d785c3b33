// SPDX-License-Identifier: Apache-2.0
// What a server may answer a request with, well or badly, over Streamable HTTP.
#include <atomic>

#include "support.h"

namespace pb::client::testing::answers_test {
namespace {

const std::string hello = R"({"content":[ {"type":"text","text":"h\u00e9llo"} ],"x":1})";

// A modern server whose calls are answered by `serve`.
TestServer::Serve calls(TestServer::Serve serve) {
    return [serve = std::move(serve)](const Got& got, const Out& out) {
        if (!modern(got, out)) serve(got, out);
    };
}

TestServer::Serve legacy_calls(TestServer::Serve serve, const Legacy& how = {}) {
    return [serve = std::move(serve), how](const Got& got, const Out& out) {
        if (got.has("last-event-id") || !legacy(got, out, how)) serve(got, out);
    };
}

TEST(Answers, JsonArrivesByteForByte) {
    TestServer server(calls([](const Got&, const Out& out) { out.result(hello); }));
    World world(server.url());
    const auto reply = world.ask();
    EXPECT_EQ(reply.kind, Reply::Kind::result);
    EXPECT_EQ(reply.text, hello);
}

TEST(Answers, AnEventStreamIsOrderedAndItsNoticesBelongToTheCall) {
    TestServer server(calls([](const Got& got, const Out& out) {
        const auto token = got.params()["_meta"]["progressToken"].dump();
        out.stream();
        const std::string notice = R"({"jsonrpc":"2.0","method":"notifications/)";
        for (int i = 1; i <= 3; ++i) {
            out.event(notice + R"(progress","params":{"progressToken":)" + token +
                      ",\"progress\":" + std::to_string(i) + "}}");
            out.event(notice + R"(message","params":{"level":"info","data":)" + std::to_string(i) +
                      "}}");
        }
        out.event(notice + R"(progress","params":{"progressToken":999999999,"progress":9}})");
        out.raw(": a comment\n\n");
        out.event(out.message(hello));
        out.end();
    }));
    World world(server.url());
    const auto heard = std::make_shared<Recorder>();
    auto request = tool("echo");
    request.progress = true;
    world.call(heard, request);
    EXPECT_EQ(heard->wait().text, hello);
    const auto notes = heard->notes();
    ASSERT_EQ(notes.size(), 6U);
    for (int i = 1; i <= 3; ++i) {
        EXPECT_NE(notes[2 * i - 2].find("\"progress\":" + std::to_string(i)), std::string::npos);
        EXPECT_NE(notes[2 * i - 1].find("\"data\":" + std::to_string(i)), std::string::npos);
    }
}

TEST(Answers, ABatchOf2025HoldsTheAnswer) {
    TestServer server(legacy_calls(
        [](const Got&, const Out& out) {
            out.json(200, R"([{"jsonrpc":"2.0","method":"notifications/message","params":{}},)" +
                              out.message(hello) + "]");
        },
        {"", R"({"tools":{}})", "2025-03-26"}));
    World world(server.url());
    const auto heard = std::make_shared<Recorder>();
    world.call(heard);
    EXPECT_EQ(heard->wait().text, hello);
    EXPECT_EQ(heard->notes().size(), 1U);
}

TEST(Answers, AnErrorIsTheServersOwn) {
    TestServer server(calls([](const Got&, const Out& out) {
        out.error(200, -32050, "its own", {{"more", true}});
    }));
    World world(server.url());
    const auto reply = world.ask();
    EXPECT_EQ(reply.kind, Reply::Kind::error);
    EXPECT_NE(reply.text.find("\"more\":true"), std::string::npos);
}

TEST(Answers, AnErrorWithoutIdIsTheRequests) {
    TestServer server(calls([](const Got&, const Out& out) {
        out.json(500, R"({"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"no"}})");
    }));
    World world(server.url());
    EXPECT_EQ(world.ask().kind, Reply::Kind::error);
}

struct Bad {
    const char* name;
    TestServer::Serve serve;
    Loss::Why why;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadAnswer : public ::testing::TestWithParam<Bad> {};

// Each is an error of that call alone, which is sent once; the next is served.
TEST_P(BadAnswer, CostsItsOwnCallAlone) {
    std::atomic<int> calls_made{0};
    TestServer server(calls([&](const Got& got, const Out& out) {
        if (calls_made++ == 0) return GetParam().serve(got, out);
        out.result(hello);
    }));
    World world(server.url());
    world.spec.limits.message = 64U << 10U;
    const auto heard = std::make_shared<Recorder>();
    world.call(heard);
    const auto reply = heard->wait();
    EXPECT_EQ(reply.kind, Reply::Kind::lost);
    EXPECT_EQ(reply.loss.why, GetParam().why) << reply.loss.message;
    EXPECT_TRUE(reply.loss.executed);
    EXPECT_EQ(calls_made, 1);
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_EQ(heard->ends(), 1);
}

const std::string large(70'000, 'x');

INSTANTIATE_TEST_SUITE_P(
    Http, BadAnswer,
    ::testing::Values(
        Bad{"Html", [](const Got&, const Out& out) { out.html(200); }, Loss::Why::malformed},
        Bad{"Empty", [](const Got&, const Out& out) { out.empty(200); }, Loss::Why::malformed},
        Bad{"Accepted", [](const Got&, const Out& out) { out.empty(202); }, Loss::Why::malformed},
        Bad{"AnotherId",
            [](const Got&, const Out& out) {
                out.json(200, R"({"jsonrpc":"2.0","id":987654321,"result":{}})");
            },
            Loss::Why::malformed},
        Bad{"OversizeJson",
            [](const Got&, const Out& out) { out.result("{\"a\":\"" + large + "\"}"); },
            Loss::Why::malformed},
        Bad{"OversizeEvent",
            [](const Got&, const Out& out) {
                out.stream();
                out.event(out.message("{\"a\":\"" + large + "\"}"));
            },
            Loss::Why::malformed},
        Bad{"Nesting",
            [](const Got&, const Out& out) {
                out.result("{\"a\":" + std::string(5'000, '[') + std::string(5'000, ']') + "}");
            },
            Loss::Why::malformed},
        Bad{"NotUtf8", [](const Got&, const Out& out) { out.result("{\"a\":\"\xff\xfe\"}"); },
            Loss::Why::malformed},
        Bad{"TruncatedStream",
            [](const Got&, const Out& out) {
                out.stream();
                out.raw("data: {\"jsonrpc\":\"2.0\",");
                out.end();
            },
            Loss::Why::broken},
        Bad{"AnotherIdInAStream",
            [](const Got&, const Out& out) {
                out.stream();
                out.event(R"({"jsonrpc":"2.0","id":987654321,"result":{}})");
                out.end();
            },
            Loss::Why::broken},
        Bad{"ServerError", [](const Got&, const Out& out) { out.empty(500); }, Loss::Why::status}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Answers, OnlyTheFirstOfTwoCounts) {
    TestServer server(calls([](const Got&, const Out& out) {
        out.stream();
        out.event(out.message(hello));
        out.event(out.message("{}"));
        out.end();
    }));
    World world(server.url());
    const auto heard = std::make_shared<Recorder>();
    world.call(heard);
    EXPECT_EQ(heard->wait().text, hello);
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_EQ(heard->ends(), 1);
}

// A stream whose server forgets to end it is closed; its call has long had its answer.
TEST(Answers, AStreamThatStaysOpenAfterTheAnswerIsClosed) {
    std::atomic<bool> closed{false};
    TestServer server(calls([&](const Got&, const Out& out) {
        out.stream();
        out.event(out.message(hello));
        out.on_gone([&closed, out] { closed = true; });
    }));
    World world(server.url());
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_TRUE(eventually([&] { return closed.load(); }));
}

// The bound is one of each message, not of a stream, however long it lives.
TEST(Answers, ManyNoticesAreNoOversizeAnswer) {
    constexpr int many = 40;
    TestServer server(calls([](const Got&, const Out& out) {
        out.stream();
        for (int i = 0; i < many; ++i)
            out.event(R"({"jsonrpc":"2.0","method":"notifications/message","params":{"data":")" +
                      std::string(4'000, 'x') + "\"}}");
        out.event(out.message(hello));
        out.end();
    }));
    World world(server.url());
    world.spec.limits.message = 16U << 10U;
    const auto heard = std::make_shared<Recorder>();
    world.call(heard);
    EXPECT_EQ(heard->wait().text, hello);
    EXPECT_EQ(heard->notes().size(), std::size_t{many});
}

// --- streams that are resumed (legacy) -----------------------------------------------------------

TEST(Answers, ALegacyStreamIsResumedWhereItBrokeOff) {
    TestServer server(legacy_calls([](const Got& got, const Out& out) {
        static std::string message;
        out.stream();
        if (got.http == "POST") {
            message = out.message(hello);
            out.event("", "e1", 60);
        } else if (got.header("last-event-id") == "e1") {
            out.event(message, "e2");
        }
        out.end();
    }));
    World world(server.url());
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_EQ(server.count("tools/call"), 1U);
}

// A server may let its client come back as often as it likes, as long as something comes of it.
TEST(Answers, PollingIsNoFailure) {
    std::atomic<int> polls{0};
    std::mutex mutex;
    std::string message;
    TestServer server(legacy_calls([&](const Got& got, const Out& out) {
        std::lock_guard lock(mutex);
        out.stream();
        if (got.http == "POST") message = out.message(hello);
        const int turn = polls++;
        if (turn < 9)
            out.event("", "e" + std::to_string(turn), 0);
        else
            out.event(message);
        out.end();
    }));
    World world(server.url());
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_EQ(polls, 10);
}

// A connection that cannot be resumed at once is tried again; from the last event that came.
TEST(Answers, AResumptionThatFailsIsTriedAgainWithinABound) {
    std::atomic<int> tries{0};
    std::mutex mutex;
    std::string message;
    TestServer server(legacy_calls([&](const Got& got, const Out& out) {
        std::lock_guard lock(mutex);
        if (got.http == "POST") {
            message = out.message(hello);
            out.stream();
            out.event("", "e1", 0);
            return out.end();
        }
        EXPECT_EQ(got.header("last-event-id"), "e1");
        if (++tries == 1) return out.empty(502);
        out.stream();
        if (tries == 3) out.event(message);
        out.end();
    }));
    World world(server.url());
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_EQ(tries, 3);

    tries = -1'000'000;  // from now on nothing comes
    const auto reply = world.ask();
    EXPECT_EQ(reply.loss.why, Loss::Why::broken);
    EXPECT_TRUE(reply.loss.executed);
    EXPECT_EQ(tries, -1'000'000 + 5);
    EXPECT_EQ(server.count("tools/call"), 2U);
}

TEST(Answers, AModernStreamIsNotResumed) {
    TestServer server(calls([](const Got&, const Out& out) {
        out.stream();
        out.event("", "e1", 0);
        out.end();
    }));
    World world(server.url());
    EXPECT_EQ(world.ask().loss.why, Loss::Why::broken);
    EXPECT_EQ(server.count("GET"), 0U);
    EXPECT_EQ(server.count("tools/call"), 1U);
}

// --- redirects -----------------------------------------------------------------------------------

// As frameworks send "/mcp" on to "/mcp/".
TEST(Redirects, WithinTheOriginTheSameRequestIsMadeThere) {
    for (const int status : {307, 308})
        for (const bool is_modern : {true, false}) {
            TestServer server([&](const Got& got, const Out& out) {
                if (got.path == "/mcp") return out.empty(status, {{"Location", "/mcp/"}});
                if (is_modern ? modern(got, out) : legacy(got, out, {"one", "{}", ""})) return;
                out.result(hello);
            });
            World world(server.url());
            EXPECT_EQ(world.ask().text, hello);
            const auto calls = server.got("tools/call");
            ASSERT_EQ(calls.size(), 2U);
            EXPECT_EQ(calls[1].path, "/mcp/");
            EXPECT_EQ(calls[1].body, calls[0].body);
            EXPECT_EQ(calls[1].header("mcp-protocol-version"),
                      is_modern ? "2026-07-28" : "2025-11-25");
            EXPECT_EQ(calls[1].header("mcp-session-id"), is_modern ? "" : "one");
        }
}

TEST(Redirects, OthersAreNotFollowedAndSaySo) {
    struct {
        int status;
        const char *location, *to, *why;
    } const table[] = {
        {307, "https://other.example/mcp?token=abc", "https://other.example/mcp ",
         "another origin"},
        {302, "/else?token=abc", "/else ", "only 307 and 308"},
        {303, "/else", "/else ", "only 307 and 308"},
        {308, "/mcp", "/mcp ", "already"},
        {307, "http://[", "no URL", "no URL"},
    };
    for (const auto& [status, location, to, why] : table) {
        TestServer server([status = status, location = location](const Got&, const Out& out) {
            out.empty(status, {{"Location", location}});
        });
        World world(server.url());
        const auto link = world.open();
        ASSERT_FALSE(link);
        const auto& said = link.error().message;
        EXPECT_NE(said.find(to), std::string::npos) << said;
        EXPECT_NE(said.find(why), std::string::npos) << said;
        EXPECT_NE(said.find(std::to_string(status)), std::string::npos) << said;
        EXPECT_EQ(said.find("token"), std::string::npos) << said;
        EXPECT_EQ(server.count("GET"), 0U);
    }
}

}  // namespace
}  // namespace pb::client::testing::answers_test
