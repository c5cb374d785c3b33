// SPDX-License-Identifier: Apache-2.0
// A whole host in this process: it starts without plugins, answers, says why it cannot start, ends.
#include "app/app.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "../plugin/support.h"
#include "app/descriptors.h"
#include "app/seal_key.h"

namespace pb::app {
namespace {

using nlohmann::json;

class AppTest : public testing::Test {
  protected:
    AppTest() {
        config.host.data_dir = folder / "data";
        config.host.plugins.folder = folder / "plugins";
        config.host.server.instructions = "Be kind.";
        auto org = std::make_shared<config::OrgConfig>();
        org->name = "default";
        config.orgs["default"] = org;
    }
    Result<std::unique_ptr<App>> start() {
        return App::start(std::make_shared<config::ConfigSet>(config), nullptr);
    }
    plugin::TempFolder folder;
    config::ConfigSet config;
};

TEST_F(AppTest, AnswersInProcess) {
    auto app = start();
    ASSERT_TRUE(app) << app.error().message;
    auto tools = (*app)->request("tools/list", "{}");
    ASSERT_TRUE(tools) << tools.error().message;
    EXPECT_EQ(json::parse(*tools)["tools"], json::array());
    auto discovered = (*app)->request("server/discover", "");
    ASSERT_TRUE(discovered);
    EXPECT_EQ(json::parse(*discovered)["instructions"], "Be kind.");
}

TEST_F(AppTest, TheOrganisationsInstructionsFollowTheHosts) {
    auto org = std::make_shared<config::OrgConfig>();
    org->name = "default";
    org->instructions = "Prefer tools over guessing.";
    config.orgs["default"] = org;
    auto app = start();
    ASSERT_TRUE(app) << app.error().message;
    auto discovered = (*app)->request("server/discover", "");
    ASSERT_TRUE(discovered);
    EXPECT_EQ(json::parse(*discovered)["instructions"], "Be kind.\n\nPrefer tools over guessing.");
}

TEST_F(AppTest, SaysWhatIsWrongWithARequest) {
    auto app = start();
    ASSERT_TRUE(app);
    auto unknown = (*app)->request("tools/call", R"({"name":"nothing"})");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().message, "Unknown tool: nothing");
    EXPECT_FALSE((*app)->request("initialize", "{}"));
    EXPECT_FALSE((*app)->request("tools/list", "{"));
    EXPECT_FALSE((*app)->request("tools/list", "[]"));
}

TEST_F(AppTest, StartsAgainOnTheSameData) {
    for (int i = 0; i < 2; ++i)
        ASSERT_TRUE(start());
    struct stat key {};
    ASSERT_EQ(::stat((folder / "data/seal.key").c_str(), &key), 0);
    EXPECT_EQ(key.st_mode & 0777, 0600u);
}

TEST_F(AppTest, HostsThatStartTogetherAgreeOnTheKey) {
    for (int round = 0; round < 20; ++round) {
        const auto data = folder / std::to_string(round);
        std::filesystem::create_directory(data);
        std::vector<mcp::Seal::Key> keys(4);
        std::atomic<bool> go{false};
        std::vector<std::thread> hosts;
        for (auto& key : keys)
            hosts.emplace_back([&] {
                while (!go)
                    std::this_thread::yield();
                key = seal_key(data);
            });
        go = true;
        for (auto& host : hosts)
            host.join();
        for (const auto& key : keys)
            EXPECT_EQ(key, seal_key(data));
        std::filesystem::directory_iterator files(data);
        EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "nothing else is left there";
    }
}

TEST(Descriptors, TheLimitBecomesWhatIsAllowed) {
    rlimit before{}, after{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit low{std::min<rlim_t>(256, before.rlim_max), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(AppTest, SaysWhyItCannotStart) {
    plugin::write(folder / "file", "not a folder");
    config.host.data_dir = folder / "file/data";
    auto app = start();
    ASSERT_FALSE(app);
    EXPECT_NE(app.error().message.find("file/data"), std::string::npos) << app.error().message;
    config.host.data_dir = folder / "data";
    config.host.plugins.signature_keys = {folder / "no-such-key.pem"};
    app = start();
    ASSERT_FALSE(app);
    EXPECT_NE(app.error().message.find("no-such-key.pem"), std::string::npos);
}

}  // namespace
}  // namespace pb::app
