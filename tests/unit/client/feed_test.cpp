// SPDX-License-Identifier: Apache-2.0
// What a server tells of its changes: subscriptions/listen, or resources/subscribe.
#include <atomic>
#include <thread>

#include "support.h"

namespace pb::client::testing::feed_test {
namespace {

constexpr const char* all_change =
    R"({"tools":{"listChanged":true},"prompts":{"listChanged":true},)"
    R"("resources":{"listChanged":true,"subscribe":true}})";

std::string acknowledged(const std::string& id) {
    return R"({"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":)"
           R"({"_meta":{"io.modelcontextprotocol/subscriptionId":)" +
           id + "},\"notifications\":{}}}";
}

// Keeps the streams of subscriptions/listen.
struct Listening {
    struct Stream {
        Got got;
        Out out;
        std::shared_ptr<std::atomic<bool>> gone = std::make_shared<std::atomic<bool>>(false);
    };
    std::mutex mutex;
    std::vector<Stream> streams;
    bool acknowledges = true;
    std::function<bool(const Got&, const Out&)> first = [](const Got&, const Out&) {
        return false;
    };

    void operator()(const Got& got, const Out& out) {
        if (modern(got, out, all_change)) return;
        if (got.method() != "subscriptions/listen") return out.result("{}");
        std::lock_guard lock(mutex);
        if (first(got, out)) return;
        out.stream();
        Stream stream{got, out};
        out.on_gone([gone = stream.gone] { *gone = true; });
        if (acknowledges) out.event(acknowledged(got.id()));
        streams.push_back(std::move(stream));
    }
    bool wait_for(std::size_t count) {
        return eventually([&] { return size() >= count; });
    }
    std::size_t size() {
        std::lock_guard lock(mutex);
        return streams.size();
    }
    Stream at(std::size_t index) {
        std::lock_guard lock(mutex);
        return streams.at(index);
    }
};

TEST(Feed, AsksForWhatTheServerCanTell) {
    Listening listening;
    TestServer server(std::ref(listening));
    World world(server.url());
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(listening.wait_for(1));
    EXPECT_EQ(listening.at(0).got.params()["notifications"],
              Json::parse(R"({"toolsListChanged":true,"promptsListChanged":true,)"
                          R"("resourcesListChanged":true})"));
    listening.at(0).out.event(
        R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}})");
    EXPECT_TRUE(eventually([&] { return world.owner->notices().size() == 1; }));
    EXPECT_EQ(world.owner->notices().at(0), "notifications/tools/list_changed {}");
}

TEST(Feed, TheOldStreamGoesWhenTheNewOneIsAcknowledged) {
    Listening listening;
    TestServer server(std::ref(listening));
    World world(server.url());
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(listening.wait_for(1));
    {
        std::lock_guard lock(listening.mutex);
        listening.acknowledges = false;
    }
    world.client().subscribe({"file:///a", "file:///b"});
    ASSERT_TRUE(listening.wait_for(2));
    EXPECT_EQ(listening.at(1).got.params()["notifications"]["resourceSubscriptions"],
              Json::parse(R"(["file:///a","file:///b"])"));
    EXPECT_FALSE(*listening.at(0).gone);
    listening.at(1).out.event(acknowledged(listening.at(1).out.id()));
    EXPECT_TRUE(eventually([&] { return listening.at(0).gone->load(); }));
    EXPECT_FALSE(*listening.at(1).gone);
}

TEST(Feed, IsOpenedAgainAfterItsEnd) {
    Listening listening;
    TestServer server(std::ref(listening));
    World world(server.url());
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(listening.wait_for(1));
    listening.at(0).out.event(listening.at(0).out.message("{\"resultType\":\"complete\"}"));
    listening.at(0).out.end();
    ASSERT_TRUE(listening.wait_for(2));
    listening.at(1).out.end();  // without a word
    ASSERT_TRUE(listening.wait_for(3));
}

// One that is refused for a while comes later and later, and then stays.
TEST(Feed, SurvivesErrorsThatPass) {
    Listening listening;
    std::atomic<int> tries{0};
    std::vector<std::chrono::steady_clock::time_point> times;
    listening.first = [&](const Got&, const Out& out) {
        times.push_back(std::chrono::steady_clock::now());
        const int turn = tries++;
        if (turn == 0) out.empty(401);
        if (turn == 1) out.error(200, -32603);
        return turn < 2;
    };
    TestServer server(std::ref(listening));
    World world(server.url());
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(listening.wait_for(1));
    EXPECT_EQ(tries, 3);
    EXPECT_GT(times.at(2) - times.at(1), milliseconds(1'500));
}

TEST(Feed, AServerThatDoesNotKnowItIsNotAskedAgain) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out, all_change)) return;
        if (got.method() == "subscriptions/listen") return out.error(404, -32601);
        out.result("{}");
    });
    World world(server.url());
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(server.wait_for("subscriptions/listen"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1'300));
    EXPECT_EQ(server.count("subscriptions/listen"), 1U);
}

// The subscriptions are kept over a new link.
TEST(Feed, LegacyServersAreToldEachResource) {
    std::atomic<int> session{1};
    TestServer server([&](const Got& got, const Out& out) {
        const auto name = std::to_string(session);
        if (got.method() != "initialize" && got.method() != "server/discover" &&
            got.header("mcp-session-id") != name)
            return out.empty(404);
        if (!legacy(got, out, {name, all_change, ""})) out.result("{}");
    });
    World world(server.url());
    world.client().subscribe({"file:///a"});
    ASSERT_TRUE(world.open());
    ASSERT_TRUE(server.wait_for("resources/subscribe"));
    EXPECT_EQ(server.got("resources/subscribe").at(0).params()["uri"], "file:///a");
    world.client().subscribe({"file:///b"});
    ASSERT_TRUE(server.wait_for("resources/subscribe", 2));
    ASSERT_TRUE(server.wait_for("resources/unsubscribe"));
    EXPECT_EQ(server.got("resources/unsubscribe").at(0).params()["uri"], "file:///a");
    session = 2;
    EXPECT_TRUE(world.ask().ok());
    ASSERT_TRUE(server.wait_for("resources/subscribe", 3));
    EXPECT_EQ(server.got("resources/subscribe").at(2).params()["uri"], "file:///b");
    EXPECT_EQ(server.got("resources/subscribe").at(2).header("mcp-session-id"), "2");
}

TEST(Feed, TheStandingStreamOfALegacyServerIsHeard) {
    std::mutex mutex;
    std::optional<Out> stream;
    TestServer server([&](const Got& got, const Out& out) {
        if (got.http == "GET") {
            out.stream();
            out.event(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
            std::lock_guard lock(mutex);
            stream = out;
            return;
        }
        if (!legacy(got, out, {"s", all_change, ""})) out.result("{}");
    });
    World world(server.url());
    ASSERT_TRUE(world.open());
    EXPECT_TRUE(eventually([&] { return world.owner->notices().size() == 1; }));
    EXPECT_EQ(server.got("GET").at(0).header("mcp-session-id"), "s");
    EXPECT_EQ(server.got("GET").at(0).header("accept"), "text/event-stream");
    {
        std::lock_guard lock(mutex);
        stream->end();
    }
    EXPECT_TRUE(server.wait_for("GET", 2));
    EXPECT_TRUE(eventually([&] { return world.owner->notices().size() == 2; }));
}

}  // namespace
}  // namespace pb::client::testing::feed_test
