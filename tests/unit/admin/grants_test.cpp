// SPDX-License-Identifier: Apache-2.0
#include "desk.h"

namespace pb::admin::testing {
namespace {

class GrantsTest : public Desk {
  protected:
    std::string grant(const std::string& org, const std::string& person) {
        access::Grant out;
        out.org = org;
        out.person = person;
        out.client = "cli_web";
        out.client_name = "Web";
        out.scopes = access::Scopes::everything();
        return must(access_->grants.add(out)).id;
    }

    const access::Person ann_ = person("ann", "acme", Role::owner);
    const access::Person bob_ = person("bob", "acme", Role::member);
    const std::string anns_ = grant("acme", ann_.id), bobs_ = grant("acme", bob_.id),
                      elsewhere_ = grant("other", bob_.id), machines_ = grant("acme", "");
};

TEST_F(GrantsTest, APersonSeesTheirOwnAnAdministratorAll) {
    const auto own = ask(as(bob_, Role::member, "mcp:read"), "GET", "/api/grants");
    ASSERT_EQ(own.body["grants"].size(), 1U) << own.text;
    EXPECT_EQ(own.body["grants"][0]["id"], bobs_);
    EXPECT_EQ(own.body["grants"][0]["client_name"], "Web");
    const auto owner = as(ann_, Role::owner);
    const auto all = ask(owner, "GET", "/api/grants");
    EXPECT_EQ(all.body["grants"].size(), 3U);
    EXPECT_EQ(all.text.find(elsewhere_), std::string::npos);
    EXPECT_EQ(ask(owner, "GET", "/api/grants?mine=true").body["grants"].size(), 1U);
    EXPECT_EQ(ask(as_key("mcp:read mcp:admin"), "GET", "/api/grants").body["grants"].size(), 3U);
    EXPECT_EQ(ask(as_key("mcp:read"), "GET", "/api/grants").status, 403);
}

TEST_F(GrantsTest, AreRevokedByThePersonAndByAdministrators) {
    const auto member = as(bob_, Role::member);
    EXPECT_EQ(ask(member, "DELETE", "/api/grants/" + anns_).status, 404);
    EXPECT_EQ(ask(member, "DELETE", "/api/grants/" + machines_).status, 404);
    EXPECT_EQ(ask(member, "DELETE", "/api/grants/" + elsewhere_).status, 404);
    EXPECT_EQ(ask(as(bob_, Role::member, "mcp:read"), "DELETE", "/api/grants/" + bobs_).status,
              403);
    EXPECT_EQ(ask(member, "DELETE", "/api/grants/" + bobs_).status, 200);
    EXPECT_EQ(noted().method, "grants.revoke");
    EXPECT_EQ(noted().name, bobs_);
    EXPECT_FALSE(must(access_->grants.find(bobs_)));
    EXPECT_EQ(ask(as_key("mcp:admin"), "DELETE", "/api/grants/" + machines_).status, 200);
    EXPECT_EQ(ask(as_key("mcp:admin"), "DELETE", "/api/grants/" + elsewhere_).status, 404);
    EXPECT_TRUE(must(access_->grants.find(elsewhere_)));
}

TEST_F(GrantsTest, ALowlyClientMayEndItself) {
    auto caller = std::make_shared<runtime::Caller>(*as(bob_, Role::member, "mcp:read"));
    caller->credential = bobs_;
    EXPECT_EQ(ask(caller, "DELETE", "/api/grants/" + bobs_).status, 200);
}

}  // namespace
}  // namespace pb::admin::testing
