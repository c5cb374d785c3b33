// SPDX-License-Identifier: Apache-2.0
// Legacy sessions, and links that are opened anew within a call: never a second execution.
#include <atomic>
#include <thread>

#include "support.h"

namespace pb::client::testing::session_test {
namespace {

const std::string hello = R"({"content":[]})";

// A legacy server with sessions: what it opened is `current`, and whatever carries another is
// refused.
struct SessionServer {
    std::atomic<int> opened{0}, executed{0};
    std::atomic<int> current{0};
    std::function<void(const Out&)> refuse = [](const Out& out) { out.empty(404); };
    bool stands = false;  // it has a standing stream

    std::string name() const { return "session-" + std::to_string(current); }

    void operator()(const Got& got, const Out& out) {
        if (got.method() == "initialize") {
            current = ++opened;
            legacy(got, out, {name(), R"({"tools":{}})", ""});
            return;
        }
        if (got.method() == "server/discover") return out.error(400, -32000, "No session");
        if (got.header("mcp-session-id") != name()) return refuse(out);
        if (got.http == "GET" && stands) {
            out.stream();
            out.end();
            return;
        }
        if (legacy(got, out)) return;
        ++executed;
        out.result(hello);
    }
};

TEST(Session, IsOpenedOnceForManyCalls) {
    SessionServer session;
    TestServer server(std::ref(session));
    World world(server.url());
    std::vector<std::shared_ptr<Recorder>> all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(std::make_shared<Recorder>());
        world.call(all.back());
    }
    for (const auto& each : all)
        EXPECT_TRUE(each->wait().ok());
    EXPECT_EQ(session.opened, 1);
    EXPECT_EQ(session.executed, 20);
    EXPECT_EQ(server.got("tools/call").at(0).header("mcp-session-id"), "session-1");
    EXPECT_EQ(server.got("notifications/initialized").at(0).header("mcp-session-id"), "session-1");
}

TEST(Session, ItsEndIsToldToTheServer) {
    SessionServer session;
    TestServer server(std::ref(session));
    World world(server.url());
    ASSERT_TRUE(world.open());
    world.client().close();
    EXPECT_TRUE(server.wait_for("DELETE"));
    EXPECT_EQ(server.got("DELETE").at(0).header("mcp-session-id"), "session-1");
}

struct Refusal {
    const char* name;
    std::function<void(const Out&)> refuse;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class LostSession : public ::testing::TestWithParam<Refusal> {};

TEST_P(LostSession, IsOpenedAnewWithinTheCall) {
    SessionServer session;
    session.refuse = GetParam().refuse;
    TestServer server(std::ref(session));
    World world(server.url());
    EXPECT_TRUE(world.ask().ok());
    session.current = 99;  // a restart
    std::vector<std::shared_ptr<Recorder>> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(std::make_shared<Recorder>());
        world.call(all.back());
    }
    for (const auto& each : all)
        EXPECT_TRUE(each->wait().ok());
    EXPECT_EQ(session.opened, 2);
    EXPECT_EQ(session.executed, 6);
    EXPECT_FALSE(server.got("initialize").back().has("mcp-session-id"));
}

INSTANTIATE_TEST_SUITE_P(
    Http, LostSession,
    ::testing::Values(
        Refusal{"NotFound", [](const Out& out) { out.empty(404); }},
        Refusal{"NotFoundAsJsonRpc",
                [](const Out& out) { out.error(404, -32001, "Session not found"); }},
        Refusal{"NoValidSession",
                [](const Out& out) {
                    out.json(400, R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,)"
                                  R"("message":"Bad Request: No valid session ID provided"}})");
                }},
        Refusal{"InPlainWords", [](const Out& out) { out.json(400, "Invalid session"); }}),
    [](const auto& info) { return std::string(info.param.name); });

// A server that forgets every session at once does not keep a call going round for ever.
TEST(Session, LostAgainAndAgainIsAnError) {
    SessionServer session;
    TestServer server([&](const Got& got, const Out& out) {
        if (got.method() == "tools/call") return out.empty(404);
        session(got, out);
    });
    World world(server.url());
    EXPECT_EQ(world.ask().loss.why, Loss::Why::session_gone);
    EXPECT_EQ(session.opened, 2);
    EXPECT_EQ(server.count("tools/call"), 2U);
}

// Without this, nobody would hear of the changes that came with a restart.
TEST(Session, ThatItIsGoneIsSeenByTheStandingStream) {
    SessionServer session;
    session.stands = true;
    TestServer server(std::ref(session));
    World world(server.url());
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(server.wait_for("GET"));
    session.current = 99;
    EXPECT_TRUE(eventually([&] { return world.owner->ends() == 1; }));
    EXPECT_EQ(world.client().link(), nullptr);
    EXPECT_TRUE(world.ask().ok());
    EXPECT_EQ(session.opened, 2);
}

// Many servers answer GET with 404 because they do not know it; that says nothing of the session.
TEST(Session, AServerWithoutAStandingStreamIsNotAskedAgain) {
    SessionServer session;
    TestServer server([&](const Got& got, const Out& out) {
        if (got.http == "GET") return out.empty(404);
        session(got, out);
    });
    World world(server.url());
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(server.wait_for("GET"));
    EXPECT_TRUE(world.ask().ok());
    EXPECT_TRUE(world.ask().ok());
    EXPECT_EQ(session.opened, 1);
    EXPECT_EQ(server.count("GET"), 1U);
    EXPECT_EQ(world.owner->ends(), 0);
}

TEST(Session, ARequestThatMayHaveBeenExecutedIsNotSentAgain) {
    for (const int status : {500, 502, 503, 504}) {
        SessionServer session;
        TestServer server([&](const Got& got, const Out& out) {
            if (got.method() == "tools/call") return out.empty(status);
            session(got, out);
        });
        World world(server.url());
        EXPECT_EQ(world.ask().loss.status, status);
        EXPECT_EQ(server.count("tools/call"), 1U);
    }
}

// A tool that has done its work and then fails in words that could be about the session or the era.
struct Failure {
    const char* name;
    bool modern;
    std::function<void(const Out&)> fail;
};

void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.name; }

class ExecutedOnce : public ::testing::TestWithParam<Failure> {};

TEST_P(ExecutedOnce, WhateverItsFailureLooksLike) {
    const auto& failure = GetParam();
    std::atomic<int> executed{0};
    TestServer server([&](const Got& got, const Out& out) {
        if (failure.modern ? modern(got, out) : legacy(got, out, {"one", R"({"tools":{}})", ""}))
            return;
        if (got.method() == "ping") return out.result("{}");
        if (got.method() == "tools/call") ++executed;
        failure.fail(out);
    });
    World world(server.url());
    const auto reply = world.ask();
    EXPECT_FALSE(reply.ok());
    EXPECT_EQ(reply.status, 400);
    EXPECT_NE((reply.text + reply.loss.body).find("my own words"), std::string::npos);
    EXPECT_EQ(executed, 1);
    EXPECT_EQ(world.owner->opens(), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Http, ExecutedOnce,
    ::testing::Values(Failure{"ModernServersOwnCode", true,
                              [](const Out& out) { out.error(400, -32000, "my own words"); }},
                      Failure{"ModernUnsupportedVersion", true,
                              [](const Out& out) { out.error(400, -32022, "my own words"); }},
                      Failure{"ModernPlainText", true,
                              [](const Out& out) { out.json(400, "session: my own words"); }},
                      Failure{
                          "LegacySession", false,
                          [](const Out& out) { out.error(400, -32000, "session: my own words"); }},
                      Failure{"LegacyPlainText", false,
                              [](const Out& out) { out.json(400, "session: my own words"); }},
                      Failure{"LegacyModernCode", false,
                              [](const Out& out) { out.error(400, -32020, "my own words"); }}),
    [](const auto& info) { return std::string(info.param.name); });

// --- servers that change their era ---------------------------------------------------------------

struct Change {
    const char* name;
    bool to_modern;
    std::function<void(const Out&)> refuse;  // a call of the other era
};

void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }

class EraChange : public ::testing::TestWithParam<Change> {};

TEST_P(EraChange, HealsWithinTheCall) {
    const auto& change = GetParam();
    std::atomic<int> executed{0};
    const auto be_modern = [&](const Got& got, const Out& out) {
        if (modern(got, out)) return;
        if (got.http == "GET") return out.empty(405);
        if (!got.has("mcp-method")) return change.refuse(out);
        ++executed;
        out.result(hello);
    };
    const auto be_old = [&](const Got& got, const Out& out) {
        if (legacy(got, out)) return;
        if (got.has("mcp-method")) return change.refuse(out);
        ++executed;
        out.result(hello);
    };
    const TestServer::Serve before = change.to_modern ? TestServer::Serve(be_old) : be_modern;
    const TestServer::Serve after = change.to_modern ? TestServer::Serve(be_modern) : be_old;
    TestServer server(before);
    World world(server.url());
    EXPECT_TRUE(world.ask().ok());
    EXPECT_EQ(world.client().link()->info.modern(), !change.to_modern);
    server.serve(after);
    EXPECT_TRUE(world.ask().ok());
    EXPECT_EQ(world.client().link()->info.modern(), change.to_modern);
    EXPECT_EQ(executed, 2);
}

INSTANTIATE_TEST_SUITE_P(
    Http, EraChange,
    ::testing::Values(Change{"ToLegacyEmpty", false, [](const Out& out) { out.empty(400); }},
                      Change{"ToLegacyNotInitialized", false,
                             [](const Out& out) {
                                 out.error(400, -32000, "Bad Request: Server not initialized");
                             }},
                      Change{"ToLegacyUnsupportedVersion", false,
                             [](const Out& out) {
                                 out.error(400, -32000,
                                           "Bad Request: Unsupported protocol version");
                             }},
                      Change{"ToLegacyNamed", false,
                             [](const Out& out) {
                                 out.error(400, -32022, "no", {{"supported", {"2025-11-25"}}});
                             }},
                      Change{"ToModernMissingHeaders", true,
                             [](const Out& out) { out.error(400, -32020); }},
                      Change{"ToModernUnsupportedVersion", true,
                             [](const Out& out) {
                                 out.error(400, -32022, "no", {{"supported", {"2026-07-28"}}});
                             }}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace pb::client::testing::session_test
