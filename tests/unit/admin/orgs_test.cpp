// SPDX-License-Identifier: Apache-2.0
#include "desk.h"

namespace pb::admin::testing {
namespace {

class OrgsTest : public Desk {
  protected:
    const access::Person ann_ = person("ann", "acme", Role::owner);
    const runtime::CallerPtr owner_ = as(ann_, Role::owner);
    // The same, signed in there.
    const runtime::CallerPtr at_lab_ = as(ann_, Role::owner, "", "lab");
};

TEST_F(OrgsTest, AnOwnerMakesAFurtherOneAndIsItsOwner) {
    const auto made = ask(owner_, "POST", "/api/orgs",
                          Json{{"name", "lab"}, {"config", {{"instructions", "Hi"}}}});
    ASSERT_EQ(made.status, 201) << made.text;
    EXPECT_EQ(noted().method, "orgs.add");
    EXPECT_EQ(noted().name, "lab");
    EXPECT_EQ(must(access_->people.role("lab", ann_.id)), Role::owner);
    EXPECT_EQ(ask(owner_, "GET", "/api/orgs").body["orgs"].size(), 2U);
    EXPECT_EQ(ask(at_lab_, "GET", "/api/orgs/lab").body["config"]["instructions"], "Hi");

    const auto changed =
        ask(at_lab_, "PATCH", "/api/orgs/lab", Json{{"config", {{"instructions", "Ho"}}}});
    EXPECT_EQ(changed.body["config"]["instructions"], "Ho");
    EXPECT_EQ(ask(at_lab_, "DELETE", "/api/orgs/lab").status, 200);
    EXPECT_TRUE(must(access_->orgs.list()).empty());
    EXPECT_FALSE(must(access_->people.role("lab", ann_.id)));
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "lab"}}).status, 409)
        << "what was stored under the name may be there still";
}

TEST_F(OrgsTest, AnotherOneIsNotThereForAnyCredential) {
    must(access_->orgs.add("lab", R"({"instructions":"secret"})"));
    for (const auto& caller : {owner_, as_key("mcp:read mcp:write mcp:admin")}) {
        EXPECT_EQ(ask(caller, "GET", "/api/orgs/lab").status, 404);
        EXPECT_EQ(ask(caller, "PATCH", "/api/orgs/lab", Json{{"config", Json::object()}}).status,
                  404);
        EXPECT_EQ(ask(caller, "DELETE", "/api/orgs/lab").status, 404);
        EXPECT_EQ(ask(caller, "GET", "/api/orgs").text.find("lab"), std::string::npos);
    }
    EXPECT_EQ(must(access_->orgs.list()).size(), 1U);
}

TEST_F(OrgsTest, OnlyAPersonWhoIsAnOwner) {
    const auto bob = person("bob", "acme", Role::admin);
    must(access_->orgs.add("lab", R"({"instructions":"secret"})"));
    must(access_->people.join("lab", ann_.id, Role::owner));
    for (const auto& caller : {as(bob, Role::admin), as_key("mcp:read mcp:write mcp:admin"),
                               as(ann_, Role::owner, "mcp:read mcp:write")})
        EXPECT_EQ(ask(caller, "POST", "/api/orgs", Json{{"name", "new"}}).status, 403);
    const auto admin = as(bob, Role::admin, "", "lab");
    EXPECT_EQ(ask(admin, "PATCH", "/api/orgs/lab", Json{{"config", Json::object()}}).status, 403);
    EXPECT_EQ(ask(admin, "DELETE", "/api/orgs/lab").status, 403);
    EXPECT_EQ(ask(admin, "GET", "/api/orgs/lab").text.find("secret"), std::string::npos);
}

TEST_F(OrgsTest, WhatAFileDescribesIsTheFiles) {
    EXPECT_EQ(ask(owner_, "GET", "/api/orgs/acme").body["has_file"], true);
    EXPECT_EQ(ask(owner_, "PATCH", "/api/orgs/acme", Json{{"config", Json::object()}}).status, 409);
    EXPECT_EQ(ask(owner_, "DELETE", "/api/orgs/acme").status, 409);
}

TEST_F(OrgsTest, ANameThatWasSomebodysIsNotFree) {
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "acme"}}).status, 409);
    must(access_->keys.make("old", "ci", access::Scopes::everything(), "cli", {}));
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "old"}}).status, 409);
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "new"}}).status, 201);
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "new"}}).status, 409);
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "new2"}}).status, 201);
    const auto third = ask(owner_, "POST", "/api/orgs", Json{{"name", "new3"}});
    EXPECT_EQ(third.status, 409);
    EXPECT_NE(third.text.find("at most 2"), std::string::npos);
}

TEST_F(OrgsTest, AConfigurationThatIsNoneIsRefused) {
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "a b"}}).status, 400);
    EXPECT_EQ(ask(owner_, "POST", "/api/orgs", Json{{"name", "lab"}, {"config", 7}}).status, 400);
    const Json nosy{{"capabilities", {{"w", {{"config", {{"key", {"a", "x${env:HOME}"}}}}}}}}};
    const auto refused = ask(owner_, "POST", "/api/orgs", Json{{"name", "lab"}, {"config", nosy}});
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.text.find("environment"), std::string::npos);
    EXPECT_TRUE(must(access_->orgs.list()).empty());
}

}  // namespace
}  // namespace pb::admin::testing
