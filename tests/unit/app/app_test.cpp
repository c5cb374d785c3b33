// SPDX-License-Identifier: Apache-2.0
// A whole host in this process: it starts without plugins, answers, says why it cannot start, ends.
#include "app/app.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../plugin/support.h"

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
