// SPDX-License-Identifier: Apache-2.0
// The looks at a remote server: what is known of it afterwards, however it answers.
#include <atomic>

#include "support.h"

namespace pb::remote {
namespace {

using client::testing::eventually;
using client::testing::Got;
using client::testing::modern;
using client::testing::Out;
using client::testing::soon;
using client::testing::TestServer;

const std::string both = R"({"tools":{},"prompts":{}})";

// Looked at when the test says so.
class Watched : public Docs {
  public:
    using Docs::Docs;
    Result<Json> sync() { return upstream->sync(soon()); }
    Json status() const { return upstream->status(); }
};

TEST(Upstream, AListThatFailsLeavesTheOthersAndWhatItListedBefore) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out, both)) return;
        if (got.method() == "tools/list") return out.result(R"({"tools":[{"name":"a"}]})");
        out.error(200, -32603, "its own words");
    });
    Watched watched(server.url());
    ASSERT_TRUE(watched.sync());
    EXPECT_EQ(watched.status()["tools"], 1);
    EXPECT_EQ(watched.status()["prompts"], 0);

    server.serve([](const Got& got, const Out& out) {
        if (modern(got, out, both)) return;
        if (got.method() == "prompts/list") return out.result(R"({"prompts":[{"name":"p"}]})");
        out.result(R"({"tools":[{"name":"a"}]})");
    });
    ASSERT_TRUE(watched.sync());
    EXPECT_EQ(watched.status()["prompts"], 1);
    EXPECT_FALSE(watched.status().contains("warnings"));

    server.serve([](const Got& got, const Out& out) {
        if (modern(got, out, both)) return;
        if (got.method() == "prompts/list") return out.error(200, -32603, "its own words");
        out.result(R"({"tools":[{"name":"a"},{"name":"b"}]})");
    });
    ASSERT_TRUE(watched.sync());
    const auto status = watched.status();
    EXPECT_EQ(status["status"], "ready");
    EXPECT_EQ(status["tools"], 2);
    EXPECT_EQ(status["prompts"], 1);
    EXPECT_NE(status["warnings"].dump().find("prompts/list: its own words"), std::string::npos);
}

TEST(Upstream, WhatIsNoListTakesNothingAway) {
    std::string tools = R"([{"name":"a"}])";
    TestServer server([&](const Got& got, const Out& out) {
        if (!modern(got, out)) out.result(R"({"tools":)" + tools + "}");
    });
    Watched watched(server.url());
    ASSERT_TRUE(watched.sync());
    tools = "null";
    EXPECT_FALSE(watched.sync());
    EXPECT_EQ(watched.status()["tools"], 1);
    EXPECT_EQ(watched.status()["status"], "failing");
}

// The host has listed what the one before offered, and asks for nothing by itself.
TEST(Upstream, WhoTakesAnothersPlaceSaysWhatIsOtherwise) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.result(R"({"tools":[{"name":"a"}]})");
    });
    Watched before(server.url()), after(server.url());
    ASSERT_TRUE(before.upstream->offer());
    EXPECT_FALSE(before.upstream->is_well());
    ASSERT_TRUE(before.sync());
    EXPECT_TRUE(before.upstream->is_well());
    const auto told = sdk_test::services::said().size();
    after.upstream->succeed(*before.upstream);
    const auto said = sdk_test::services::said();
    ASSERT_EQ(said.size(), told + 1);
    EXPECT_NE(said.back().find("notifications/tools/list_changed"), std::string::npos);
    before.upstream->succeed(*before.upstream);
    EXPECT_EQ(sdk_test::services::said().size(), told + 1);
}

// An administrator who has mended the server need not wait until it is tried again.
TEST(Upstream, WhoAsksForALookGetsItHoweverOftenTheServerHasFailed) {
    for (const bool sync : {true, false}) {
        std::atomic<bool> up{false};
        TestServer server([&](const Got& got, const Out& out) {
            if (got.method() == "server/discover" && up) return void(modern(got, out));
            up ? out.result(R"({"tools":[]})") : out.empty(503);
        });
        Watched watched(server.url());
        const auto client = watched.upstream->client_for("")->client;
        const auto ask = [&] { return client->ask(client::testing::tool("echo")); };
        ASSERT_TRUE(eventually(
            [&] { return ask().loss.message.find("failed repeatedly") != std::string::npos; }));
        up = true;
        const auto looked = sync ? watched.sync() : watched.upstream->test(soon());
        EXPECT_TRUE(looked) << looked.error().message;
        EXPECT_TRUE(ask().ok());
    }
}

}  // namespace
}  // namespace pb::remote
