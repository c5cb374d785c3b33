// SPDX-License-Identifier: Apache-2.0
// The host's own questions to providers: answers, reasons, and that nobody waits for ever.
#include "app/ask.h"

#include <gtest/gtest.h>

#include "support/fake_provider.h"

namespace pb::test {
namespace {

using std::chrono::milliseconds;

TEST(Waiter, GivesTheBody) {
    app::Waiter waiter;
    waiter.completed(Status::ok, R"({"a":1})");
    auto result = waiter.wait(milliseconds(0));
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, R"({"a":1})");
}

TEST(Waiter, GivesTheReason) {
    for (const auto& [status, kind] :
         std::map<Status, ErrorKind>{{Status::invalid, ErrorKind::invalid},
                                     {Status::not_found, ErrorKind::not_found},
                                     {Status::unsupported, ErrorKind::unsupported},
                                     {Status::denied, ErrorKind::denied},
                                     {Status::cancelled, ErrorKind::cancelled},
                                     {Status::deadline, ErrorKind::deadline},
                                     {Status::again, ErrorKind::busy},
                                     {Status::busy, ErrorKind::busy},
                                     {Status::gone, ErrorKind::gone},
                                     {Status::internal, ErrorKind::internal},
                                     {Status::input_required, ErrorKind::internal}}) {
        app::Waiter silent, speaking;
        silent.completed(status, {});
        speaking.completed(status, R"({"message":"because"})");
        auto why = silent.wait(milliseconds(0));
        ASSERT_FALSE(why);
        EXPECT_EQ(why.error().kind, kind);
        EXPECT_FALSE(why.error().message.empty());
        EXPECT_EQ(speaking.wait(milliseconds(0)).error().message, "because");
    }
}

TEST(Waiter, DoesNotWaitForEver) {
    app::Waiter waiter;
    auto result = waiter.wait(milliseconds(1));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::deadline);
}

class Ask : public testing::Test {
  protected:
    Ask() : calls(hasty()), provider(std::make_shared<FakeProvider>(calls)) {}
    ~Ask() override { calls.drain(milliseconds(1)); }
    static runtime::CallOptions hasty() {
        runtime::CallOptions out;
        out.grace = milliseconds(1);
        return out;
    }
    runtime::Calls calls;
    std::shared_ptr<FakeProvider> provider;
};

TEST_F(Ask, GoesToTheProviderInTheOrganisationsName) {
    json seen;
    provider->handlers["tools/list"] = [&](auto call, const json& params, const json& context) {
        seen = context;
        provider->ok(call, params);
    };
    auto answer = app::make_ask(calls, std::chrono::seconds(60))(provider, "acme", "tools/list",
                                                                 R"({"cursor":"2"})");
    ASSERT_TRUE(answer);
    EXPECT_EQ(*answer, R"({"cursor":"2"})");
    EXPECT_EQ(seen["org"], "acme");
    EXPECT_EQ(seen["principal"]["kind"], "service");
}

TEST_F(Ask, AProviderThatNeverAnswersIsGivenUp) {
    provider->handlers["tools/list"] = [](auto, const json&, const json&) {};
    auto answer = app::make_ask(calls, milliseconds(1))(provider, "acme", "tools/list", "{}");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::deadline);
    auto unknown = app::make_ask(calls, milliseconds(1))(provider, "acme", "nothing", "{}");
    EXPECT_EQ(unknown.error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace pb::test
