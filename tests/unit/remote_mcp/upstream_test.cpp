// SPDX-License-Identifier: Apache-2.0
// What is kept of a server, so that a restart finds it without the server.
#include "upstream.h"

#include "client/support.h"
#include "sdk/fake_host.h"

namespace pb::remote {
namespace {

using client::testing::Got;
using client::testing::Out;
using client::testing::soon;
using client::testing::TestServer;

TestServer::Serve listing(const std::string& tools) {
    return [tools](const Got& got, const Out& out) {
        if (!client::testing::modern(got, out)) out.result("{\"tools\":[" + tools + "]}");
    };
}

class UpstreamTest : public testing::Test {
  protected:
    UpstreamTest() {
        sdk_test::services::reset();
        host_.offer(PATCHBAY_SERVICE_CAPABILITIES, sdk_test::services::capabilities());
        host_.offer(PATCHBAY_SERVICE_STORE, sdk_test::services::store());
    }
    UpstreamPtr make() {
        auto settings = read_settings("docs", Json{{"url", server_.url()}}, facts_);
        auto out =
            std::make_shared<Upstream>(Surroundings{Port(host_.table()), *engine_, facts_, "acme"},
                                       std::move(*settings), Origin::config);
        out->restore(false);
        return out;
    }
    patchbay::Store::Entry kept(const char* key) {
        return patchbay::Store(host_.table()).get(key).value_or(patchbay::Store::Entry());
    }

    sdk_test::FakeHost host_;
    const HostFacts facts_;
    TestServer server_{listing(R"({"name":"a"})")};
    const std::unique_ptr<client::Engine> engine_ = client::testing::local_engine();
};

TEST_F(UpstreamTest, ListsAreWrittenWhenTheyChangeAndTheTimeAtEveryLook) {
    const auto upstream = make();
    ASSERT_TRUE(upstream->sync(soon()));
    const auto lists = kept("lists/docs"), synced = kept("synced/docs");
    ASSERT_TRUE(upstream->sync(soon()));
    EXPECT_EQ(kept("lists/docs").version, lists.version);
    EXPECT_GT(kept("synced/docs").version, synced.version);
    server_.serve(listing(R"({"name":"a"},{"name":"b"})"));
    ASSERT_TRUE(upstream->sync(soon()));
    EXPECT_GT(kept("lists/docs").version, lists.version);
    upstream->stop();
}

TEST_F(UpstreamTest, WhatIsKeptIsServedUntilItIsTooOld) {
    const auto before = make();
    ASSERT_TRUE(before->sync(soon()));
    before->stop();
    const auto after = make();
    EXPECT_EQ(after->exposed()->tool_count, 1U);
    EXPECT_EQ(after->status()["synced_ms"].dump(), kept("synced/docs").value);
    patchbay::Store(host_.table()).put("synced/docs", "1");
    EXPECT_EQ(make()->exposed()->tool_count, 0U);
}

}  // namespace
}  // namespace pb::remote
