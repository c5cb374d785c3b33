// SPDX-License-Identifier: Apache-2.0
// How often: each credential, each organisation, each tool; and who has no bound.
#include "policy_world.h"

namespace pb::test {
namespace {

class LimitsTest : public PolicyWorld {
  protected:
    // How many requests of `who` come through at once.
    int requests(const runtime::CallerPtr& who, int most = 20) {
        int out = 0;
        while (out < most && !world.admission.charge(*who))
            ++out;
        return out;
    }
    static runtime::CallerPtr someone(const std::string& credential) {
        auto out = std::make_shared<runtime::Caller>(*with("mcp:read mcp:write"));
        out->credential = credential;
        return out;
    }
};

TEST_F(LimitsTest, ACredentialHasItsOwn) {
    configure([](auto& access) { access.limits.credential = {1, 3}; });
    EXPECT_EQ(requests(someone("a")), 3);
    EXPECT_EQ(requests(someone("a")), 0);
    EXPECT_EQ(requests(someone("b")), 3);
    EXPECT_EQ(requests(caller), 20) << "without a credential there is no bound";
    const auto wait = world.admission.charge(*someone("a"));
    ASSERT_TRUE(wait);
    EXPECT_GT(wait->count(), 0);
    EXPECT_LE(wait->count(), 60'000);
}

TEST_F(LimitsTest, WithoutAWordFromTheOrganisationItIsTwoHundredAMinute) {
    EXPECT_EQ(requests(someone("a"), 1000), 200);
}

TEST_F(LimitsTest, AnOrganisationHasOneForAll) {
    configure([](auto& access) { access.limits.org = {1, 4}; });
    EXPECT_EQ(requests(someone("a")), 4);
    EXPECT_EQ(requests(someone("b")), 0);
    EXPECT_EQ(requests(caller), 0);
}

TEST_F(LimitsTest, AToolHasItsOwn) {
    configure([](auto& access) { access.limits.tools = {{"ns__l*", {1, 2}}}; });
    EXPECT_EQ(tool("ns__look")->status(), Status::ok);
    EXPECT_EQ(tool("ns__look")->status(), Status::ok);
    const auto limited = tool("ns__look");
    EXPECT_EQ(limited->status(), Status::busy);
    EXPECT_EQ(limited->result()["code"], -32005);
    EXPECT_GT(limited->result()["data"]["retry_after_seconds"], 0);
    EXPECT_EQ(notes.last().outcome, "limited");
    EXPECT_EQ(tool("ns__change")->status(), Status::ok);
    // Who comes back with answers counts again.
    EXPECT_EQ(
        call("tools/call", "ns__look", {{"name", "ns__look"}, {"arguments", json::object()}}, true)
            ->status(),
        Status::busy);
}

TEST_F(LimitsTest, OverTheWireItSaysWhenToComeAgain) {
    configure([](auto& access) { access.limits.org = {1, 1}; });
    EXPECT_EQ(world.modern("tools/list")->http_status, 200);
    const auto limited = world.modern("tools/list");
    EXPECT_EQ(limited->http_status, 429);
    EXPECT_EQ(limited->reply["error"]["code"], -32005);
    EXPECT_GT(limited->hints.retry_after, 0);
    EXPECT_EQ(notes.last().outcome, "limited");
    EXPECT_EQ(notes.last().method, "tools/list");
}

}  // namespace
}  // namespace pb::test
