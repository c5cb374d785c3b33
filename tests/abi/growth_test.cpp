// SPDX-License-Identifier: Apache-2.0
// What came with 1.1, used by a plugin in plain C against a whole host; and plugins of 1.0, which
// know nothing of it.
#include "abi/bench.h"

namespace pb::abi {
namespace {

class Growth : public testing::Test {
  protected:
    bool lists(const std::string& tool) {
        const auto listed = house_.request("tools/list");
        return listed.body.find("\"" + tool + "\"") != std::string::npos;
    }
    std::string state() { return house_.tool("growth__state").text(); }

    House house_{{"growth"}};
};

TEST_F(Growth, VirtualCapabilitiesComeAndGo) {
    EXPECT_TRUE(lists("one__ping"));
    EXPECT_EQ(house_.tool("one__ping").text(), "pong of one");
    EXPECT_FALSE(lists("two__ping"));
    EXPECT_EQ(house_.tool("growth__offer").text(), "offered");
    ASSERT_TRUE(eventually([&] { return lists("two__ping"); }));
    EXPECT_EQ(house_.tool("two__ping").text(), "pong of two");
    EXPECT_NE(house_.tool("growth__clash").text().find("mcp:one"), std::string::npos);
    EXPECT_EQ(house_.tool("growth__withdraw").text(), "0");
    ASSERT_TRUE(eventually([&] { return !lists("two__ping"); }));
    EXPECT_TRUE(lists("one__ping"));
    house_.remove("growth.so");
    ASSERT_TRUE(eventually([&] { return !lists("one__ping"); }));
}

TEST_F(Growth, TheConfigurationIsTakenOver) {
    EXPECT_NE(state().find("1 starts, 0 configures"), std::string::npos) << state();
    EXPECT_NE(state().find(R"("outbound":{"allow_private_cidrs":[],"allow_stdio":false})"),
              std::string::npos)
        << state();
    EXPECT_NE(state().find(R"("config":{"mcpServers":{}})"), std::string::npos) << state();
    house_.configure({{"mcpServers", {{"hub", {{"url", "https://hub.example"}}}}}});
    ASSERT_TRUE(eventually([&] { return state().find("hub.example") != std::string::npos; }));
    EXPECT_NE(state().find("1 starts, 1 configures"), std::string::npos) << state();
    house_.configure({{"mcpServers", {{"refuse", json::object()}}}});
    ASSERT_TRUE(eventually([&] { return state().find("refuse") != std::string::npos; }));
    EXPECT_NE(state().find("1 starts, 0 configures"), std::string::npos) << "a new instance";
    EXPECT_TRUE(lists("one__ping"));
}

TEST_F(Growth, SecretsNotesAndScopes) {
    EXPECT_EQ(house_.tool("growth__keep").text(), "0 0 hidden 0");
    EXPECT_EQ(house_.tool("growth__scoped").text(), "hub__ping is there");
    EXPECT_EQ(house_.tool("growth__scoped").text(), "hub__ping is there") << "at hand now";
    EXPECT_FALSE(lists("hub__ping"));
}

// A table of 1.0, on the edge of a page: whoever looks for configure() in it dies.
TEST(GrowthOfOthers, A10TableHasNoConfigure) {
    Bench bench;
    auto provider = bench.start("first");
    auto instance = std::dynamic_pointer_cast<plugin::Instance>(provider);
    ASSERT_TRUE(instance);
    EXPECT_EQ(instance->configure("{}", long_enough).error().kind, ErrorKind::unsupported);
    EXPECT_TRUE(instance->offered().empty());
    instance.reset();
    EXPECT_EQ(bench.call(provider, "anything", {{"a", 1}}).body, R"({"a":1})");
    EXPECT_TRUE(bench.end(provider));
}

}  // namespace
}  // namespace pb::abi
