// SPDX-License-Identifier: Apache-2.0
// Which era, version and transport is found: the compatibility matrix and the rules of falling
// back.
#include <atomic>
#include <thread>

#include "support.h"

namespace pb::client::testing::negotiate_test {
namespace {

const std::string hello = R"({"content":[{"type":"text","text":"hello"}]})";

// A probe's answer, and whether a server that gives it is taken for a legacy one.
struct Probe {
    const char* name;
    TestServer::Serve answer;
    bool falls_back;
};

void PrintTo(const Probe& probe, std::ostream* out) { *out << probe.name; }

class ProbeTest : public ::testing::TestWithParam<Probe> {};

// Whatever the probe is answered with, initialize works here: so the outcome tells which way the
// client went.
TEST_P(ProbeTest, FallsBackOnlyWhereTheServerIsNoModernOne) {
    TestServer server([&](const Got& got, const Out& out) {
        if (got.method() == "server/discover") return GetParam().answer(got, out);
        if (!legacy(got, out)) out.result(hello);
    });
    World world(server.url());
    world.spec.handshake_time = milliseconds(4'000);
    const auto link = world.open();
    EXPECT_EQ(link.ok(), GetParam().falls_back);
    EXPECT_EQ(server.count("initialize"), GetParam().falls_back ? 1U : 0U);
    if (link) {
        EXPECT_EQ((*link)->info.version_name, "2025-11-25");
    }
}

INSTANTIATE_TEST_SUITE_P(
    Http, ProbeTest,
    ::testing::Values(
        Probe{"Empty400", [](const Got&, const Out& out) { out.empty(400); }, true},
        Probe{"Empty404", [](const Got&, const Out& out) { out.empty(404); }, true},
        Probe{"Empty405", [](const Got&, const Out& out) { out.empty(405); }, true},
        Probe{"Empty406", [](const Got&, const Out& out) { out.empty(406); }, true},
        Probe{"Empty500", [](const Got&, const Out& out) { out.empty(500); }, true},
        Probe{"Html400", [](const Got&, const Out& out) { out.html(400); }, true},
        Probe{"Html404", [](const Got&, const Out& out) { out.html(404); }, true},
        Probe{"Html200", [](const Got&, const Out& out) { out.html(200); }, true},
        Probe{"Accepted", [](const Got&, const Out& out) { out.empty(202); }, true},
        Probe{"NoAnswerIn200", [](const Got&, const Out& out) { out.json(200, "[]"); }, true},
        Probe{"NoDiscovery", [](const Got&, const Out& out) { out.result("{}"); }, true},
        Probe{"MethodNotFound200",
              [](const Got&, const Out& out) { out.error(200, -32601); }, true},
        Probe{"MethodNotFound404",
              [](const Got&, const Out& out) { out.error(404, -32601); }, true},
        Probe{"InvalidParams", [](const Got&, const Out& out) { out.error(200, -32602); }, true},
        Probe{"NotInitialized", [](const Got&, const Out& out) { out.error(400, -32000); }, true},
        Probe{"NoSession",
              [](const Got&, const Out& out) {
                  out.json(400, R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,)"
                                R"("message":"Bad Request: No valid session ID provided"}})");
              },
              true},
        Probe{"StreamWithoutAnswer",
              [](const Got&, const Out& out) {
                  out.stream();
                  out.end();
              },
              true},
        Probe{"Silence",
              [](const Got&, const Out& out) {
                  out.on_gone([out] {});  // kept, never answered
              },
              true},
        Probe{"HeaderMismatch", [](const Got&, const Out& out) { out.error(400, -32020); }, false},
        Probe{"MissingCapability",
              [](const Got&, const Out& out) { out.error(400, -32021); }, false},
        Probe{"NoCommonVersion",
              [](const Got&, const Out& out) {
                  out.error(400, -32022, "no", {{"supported", {"2031-01-01"}}});
              },
              false},
        Probe{"NoVersionsNamed", [](const Got&, const Out& out) { out.error(400, -32022); }, false},
        Probe{"OldVersionsNamed",
              [](const Got&, const Out& out) {
                  out.error(400, -32022, "no", {{"supported", {"2025-06-18", "2025-11-25"}}});
              },
              true},
        Probe{"DiscoveredOldVersionsOnly",
              [](const Got&, const Out& out) {
                  out.result(R"({"supportedVersions":["2025-11-25"],"capabilities":{}})");
              },
              true},
        Probe{"Overloaded", [](const Got&, const Out& out) { out.empty(503); }, false},
        Probe{"TooMany", [](const Got&, const Out& out) { out.empty(429); }, false},
        Probe{"NoCredentials", [](const Got&, const Out& out) { out.empty(401); }, false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Negotiate, ModernServer) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.result(hello);
    });
    World world(server.url());
    const auto link = world.open();
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_TRUE((*link)->info.modern());
    EXPECT_EQ((*link)->info.server_info, R"({"name":"modern"})");
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_EQ(server.count("initialize"), 0U);
    const auto call = server.got("tools/call").at(0);
    EXPECT_EQ(call.header("mcp-protocol-version"), "2026-07-28");
    EXPECT_EQ(call.header("mcp-method"), "tools/call");
    EXPECT_EQ(call.header("mcp-name"), "echo");
    const auto meta = call.params()["_meta"];
    EXPECT_EQ(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    EXPECT_EQ(meta["io.modelcontextprotocol/clientInfo"]["name"], "patchbay");
}

TEST(Negotiate, AServerOfBothErasIsSpokenToInTheModernOne) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out) && !legacy(got, out)) out.result(hello);
    });
    World world(server.url());
    ASSERT_TRUE(world.open());
    EXPECT_TRUE(world.client().link()->info.modern());
    EXPECT_EQ(server.count("initialize"), 0U);
}

TEST(Negotiate, ALegacyServersOwnVersionIsTaken) {
    for (const std::string version : {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}) {
        TestServer server([&](const Got& got, const Out& out) {
            if (!legacy(got, out, {"", R"({"tools":{}})", version})) out.result(hello);
        });
        World world(server.url());
        const auto link = world.open();
        ASSERT_TRUE(link) << link.error().message;
        EXPECT_EQ((*link)->info.version_name, version);
        EXPECT_EQ(world.ask().text, hello);
        EXPECT_EQ(server.got("tools/call").at(0).header("mcp-protocol-version"), version);
        EXPECT_FALSE(server.got("tools/call").at(0).has("mcp-method"));
    }
}

TEST(Negotiate, AVersionThatNobodyKnowsIsRefused) {
    TestServer server([](const Got& got, const Out& out) {
        legacy(got, out, {"", "{}", "1999-01-01"});
    });
    World world(server.url());
    const auto link = world.open();
    ASSERT_FALSE(link);
    EXPECT_NE(link.error().message.find("1999-01-01"), std::string::npos);
}

TEST(Negotiate, AFixedVersionIsTheOnlyOneTried) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out) && !legacy(got, out)) out.result(hello);
    });
    World old(server.url());
    old.spec.version = mcp::Version::v2025_06_18;
    ASSERT_TRUE(old.open());
    EXPECT_EQ(server.count("server/discover"), 0U);
    EXPECT_EQ(server.got("initialize").at(0).params()["protocolVersion"], "2025-06-18");

    TestServer legacy_one([](const Got& got, const Out& out) { legacy(got, out); });
    World modern_only(legacy_one.url());
    modern_only.spec.version = mcp::newest;
    EXPECT_FALSE(modern_only.open());
    EXPECT_EQ(legacy_one.count("initialize"), 0U);
}

TEST(Negotiate, WhatIsRememberedIsTriedFirst) {
    TestServer server([](const Got& got, const Out& out) {
        if (!legacy(got, out)) out.result(hello);
    });
    World world(server.url());
    world.remembered = mcp::Version::v2025_11_25;
    ASSERT_TRUE(world.open());
    EXPECT_EQ(server.count("server/discover"), 0U);
}

// What a modern server says to initialize, in many ways.
class NoLongerLegacy : public ::testing::TestWithParam<Probe> {};

void not_any_more(const Got& got, const Out& out, const TestServer::Serve& initialize) {
    if (got.method() == "initialize") return initialize(got, out);
    if (got.http == "GET") return out.empty(405);
    if (!modern(got, out)) out.result(hello);
}

TEST_P(NoLongerLegacy, IsAskedAgain) {
    TestServer server(
        [](const Got& got, const Out& out) { not_any_more(got, out, GetParam().answer); });
    World world(server.url());
    world.remembered = mcp::Version::v2025_11_25;
    world.spec.handshake_time = milliseconds(4'000);
    const auto link = world.open();
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_TRUE((*link)->info.modern());
}

INSTANTIATE_TEST_SUITE_P(
    Http, NoLongerLegacy,
    ::testing::Values(
        Probe{"HeaderMismatch", [](const Got&, const Out& out) { out.error(400, -32020); }, false},
        Probe{"MethodNotFound", [](const Got&, const Out& out) { out.error(404, -32601); }, false},
        Probe{"UnsupportedVersion", [](const Got&, const Out& out) { out.error(400, -32022); },
              false},
        Probe{"ServerError", [](const Got&, const Out& out) { out.empty(500); }, false},
        Probe{"Html", [](const Got&, const Out& out) { out.html(200); }, false},
        Probe{"StreamWithoutAnswer",
              [](const Got&, const Out& out) {
                  out.stream();
                  out.end();
              },
              false}),
    [](const auto& info) { return std::string(info.param.name); });

// A stream of HTTP+SSE, with its endpoint beside it.
struct SseServer {
    std::mutex mutex;
    std::optional<Out> stream;

    void operator()(const Got& got, const Out& out, const std::string& endpoint) {
        if (got.http == "GET") {
            out.stream();
            out.raw("event: endpoint\ndata: " + endpoint + "\n\n");
            std::lock_guard lock(mutex);
            stream = out;
            return;
        }
        if (got.path != "/messages") return out.empty(405);
        out.empty(202);
        if (!got.json.contains("id")) return;
        std::lock_guard lock(mutex);
        stream->event(out.message(got.method() == "initialize"
                                      ? R"({"protocolVersion":"2024-11-05","capabilities":{}})"
                                      : hello));
    }
};

TEST(Negotiate, FallsBackToTheTransportOf2024) {
    SseServer sse;
    TestServer server([&](const Got& got, const Out& out) { sse(got, out, "/messages?s=1"); });
    World world(server.url("/sse"));
    const auto link = world.open();
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_EQ((*link)->info.kind, Kind::sse);
    EXPECT_EQ((*link)->info.version_name, "2024-11-05");
    EXPECT_EQ(world.ask().text, hello);
}

TEST(Negotiate, AnEndpointOfAnotherOriginIsRefused) {
    for (const std::string endpoint :
         {"http://127.0.0.2/messages", "https://example.com/messages", "//example.com/x"}) {
        SseServer sse;
        TestServer server([&](const Got& got, const Out& out) { sse(got, out, endpoint); });
        World world(server.url("/sse"));
        world.spec.kind = Kind::sse;
        const auto link = world.open();
        ASSERT_FALSE(link) << endpoint;
        EXPECT_NE(link.error().message.find("origin"), std::string::npos) << link.error().message;
    }
}

TEST(Negotiate, NobodyIsThere) {
    TestServer server([](const Got&, const Out&) {});
    const auto url = server.url();
    server.stop();
    for (const auto kind : {Kind::http, Kind::sse}) {
        World world(url);
        world.spec.kind = kind;
        const auto reply = world.ask();
        EXPECT_EQ(reply.kind, Reply::Kind::lost);
        EXPECT_EQ(reply.loss.why, Loss::Why::unreachable);
    }
}

// Servers refuse requests of a client that has not said "initialized" yet.
TEST(Negotiate, NothingOvertakesInitialized) {
    std::atomic<bool> initialized{false}, early{false};
    TestServer server([&](const Got& got, const Out& out) {
        if (got.method() == "notifications/initialized") {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            initialized = true;
        } else if (got.method() == "tools/call") {
            early = early || !initialized;
            return out.result(hello);
        }
        legacy(got, out);
    });
    World world(server.url());
    EXPECT_EQ(world.ask().text, hello);
    EXPECT_FALSE(early);
}

}  // namespace
}  // namespace pb::client::testing::negotiate_test
