// SPDX-License-Identifier: Apache-2.0
#include "desk.h"

namespace pb::admin::testing {
namespace {

class UsersTest : public Desk {
  protected:
    const access::Person ann_ = person("ann", "acme", Role::owner);
    const runtime::CallerPtr owner_ = as(ann_, Role::owner);
};

TEST_F(UsersTest, AnAdministratorAddsListsChangesAndRemoves) {
    const auto added = ask(owner_, "POST", "/api/users",
                           Json{{"login", "bob"}, {"name", "Bob"}, {"role", "admin"}});
    ASSERT_EQ(added.status, 201) << added.text;
    const auto id = added.body["id"].get<std::string>();
    const auto first = added.body["password"].get<std::string>();
    EXPECT_TRUE(access_->people.sign_in("bob", first));
    EXPECT_EQ(noted().method, "users.add");
    EXPECT_EQ(noted().name, id);
    EXPECT_EQ(noted().kind, "admin");
    EXPECT_EQ(noted().principal, ann_.id);
    EXPECT_EQ(noted().address, "127.0.0.1");

    const auto listed = ask(owner_, "GET", "/api/users");
    ASSERT_EQ(listed.body["users"].size(), 2U);
    EXPECT_EQ(listed.body["users"][1]["login"], "bob");
    EXPECT_EQ(listed.text.find("password"), std::string::npos);
    EXPECT_EQ(ask(owner_, "GET", "/api/users/" + id).body["role"], "admin");

    const auto changed = ask(
        owner_, "PATCH", "/api/users/" + id,
        Json{{"role", "member"}, {"name", "B."}, {"disabled", true}, {"password", "another one!"}});
    EXPECT_EQ(changed.status, 200) << changed.text;
    EXPECT_EQ(changed.body["role"], "member");
    EXPECT_EQ(changed.body["name"], "B.");
    EXPECT_EQ(changed.body["disabled"], true);
    EXPECT_FALSE(access_->people.sign_in("bob", "another one!")) << "disabled";
    EXPECT_EQ(ask(owner_, "PATCH", "/api/users/" + id, Json{{"disabled", false}}).status, 200);
    EXPECT_TRUE(access_->people.sign_in("bob", "another one!"));

    must(access_->keys.make("acme", "bob's", access::Scopes::everything(), id, {}));
    const auto removed = ask(owner_, "DELETE", "/api/users/" + id);
    EXPECT_EQ(removed.status, 200);
    EXPECT_EQ(removed.body["removed_account"], true);
    EXPECT_EQ(removed.body["keys_left"].size(), 1U);
    EXPECT_FALSE(must(access_->people.find("bob")));
    EXPECT_EQ(ask(owner_, "DELETE", "/api/users/" + id).status, 404);
    EXPECT_FALSE(noted_anywhere(first));
    EXPECT_FALSE(noted_anywhere("another one!"));
}

TEST_F(UsersTest, NobodyGoesAboveTheirOwnRole) {
    const auto bob = person("bob", "acme", Role::admin), eve = person("eve", "acme", Role::member);
    const auto admin = as(bob, Role::admin);
    const std::string ann = "/api/users/" + ann_.id, own = "/api/users/" + bob.id;
    for (const auto& caller : {admin, as_key("mcp:read mcp:write mcp:admin")}) {
        for (const auto& change :
             {Json{{"role", "member"}}, Json{{"role", "owner"}}, Json{{"disabled", true}},
              Json{{"password", "another one!"}}, Json{{"name", "x"}}})
            EXPECT_EQ(ask(caller, "PATCH", ann, change).status, 403) << change;
        EXPECT_EQ(ask(caller, "DELETE", ann).status, 403);
        EXPECT_EQ(ask(caller, "PATCH", "/api/users/" + eve.id, Json{{"role", "owner"}}).status,
                  403);
        EXPECT_EQ(ask(caller, "POST", "/api/users", Json{{"login", "x"}, {"role", "owner"}}).status,
                  403);
    }
    EXPECT_EQ(ask(admin, "PATCH", own, Json{{"role", "owner"}}).status, 403);
    EXPECT_EQ(noted().outcome, "denied");
    EXPECT_EQ(noted().code, 403);
    EXPECT_EQ(noted().reason, "nobody gives a role above their own");
    EXPECT_EQ(must(access_->people.role("acme", ann_.id)), Role::owner);
    EXPECT_TRUE(access_->people.sign_in("ann", password));
    EXPECT_EQ(ask(admin, "PATCH", "/api/users/" + eve.id, Json{{"role", "admin"}}).status, 200);
    EXPECT_EQ(ask(owner_, "PATCH", "/api/users/" + eve.id, Json{{"role", "owner"}}).status, 200);
}

TEST_F(UsersTest, TheLastOwnerStays) {
    const std::string ann = "/api/users/" + ann_.id;
    EXPECT_EQ(ask(owner_, "DELETE", ann).status, 409);
    EXPECT_EQ(ask(owner_, "PATCH", ann, Json{{"role", "admin"}}).status, 409);
    EXPECT_EQ(ask(owner_, "PATCH", ann, Json{{"disabled", true}}).status, 409);
    person("bob", "acme", Role::owner);
    EXPECT_EQ(ask(owner_, "PATCH", ann, Json{{"role", "admin"}}).status, 200);
}

TEST_F(UsersTest, WithoutTheScopeOnlyOneself) {
    const auto bob = person("bob", "acme", Role::member);
    const auto member = as(bob, Role::member);
    const std::string own = "/api/users/" + bob.id;
    const std::vector<runtime::CallerPtr> callers{
        member, as(ann_, Role::owner, "mcp:read mcp:write"), as_key("mcp:read mcp:write"),
        as(ann_, Role::owner, "mcp:admin action:weather"), as_key("mcp:admin source:x")};
    for (const auto& caller : callers) {
        const auto refused = ask(caller, "GET", "/api/users");
        EXPECT_EQ(refused.status, 403);
        EXPECT_NE(refused.challenge.find("scope=\"mcp:admin\""), std::string::npos);
        EXPECT_EQ(ask(caller, "POST", "/api/users", Json{{"login", "x"}}).status, 403);
        EXPECT_EQ(ask(caller, "DELETE", own).status, 403);
        EXPECT_EQ(ask(caller, "PATCH", own, Json{{"role", "member"}}).status, 403);
        EXPECT_EQ(ask(caller, "PATCH", own, Json{{"disabled", false}}).status, 403);
    }
    EXPECT_EQ(ask(member, "GET", "/api/users/" + ann_.id).status, 403);
    EXPECT_EQ(ask(member, "GET", own).body["login"], "bob");
    EXPECT_EQ(ask(member, "PATCH", own, Json{{"name", "Bob"}}).body["name"], "Bob");
    const auto reader = ask(as(bob, Role::member, "mcp:read"), "PATCH", own, Json{{"name", "x"}});
    EXPECT_EQ(reader.status, 403);
    EXPECT_NE(reader.challenge.find("scope=\"mcp:write\""), std::string::npos);
}

TEST_F(UsersTest, OnesOwnPasswordNeedsTheOneBefore) {
    for (const auto& caller : {owner_, as(ann_, Role::owner, "mcp:read")}) {
        Json change{{"password", "another one!"}};
        EXPECT_EQ(ask(caller, "PATCH", "/api/users/" + ann_.id, change).status, 403);
        change["current_password"] = "a wrong one!";
        EXPECT_EQ(ask(caller, "PATCH", "/api/users/" + ann_.id, change).status, 403);
    }
    EXPECT_EQ(ask(owner_, "PATCH", "/api/users/" + ann_.id,
                  Json{{"password", "another one!"}, {"current_password", password}})
                  .status,
              200);
    EXPECT_TRUE(access_->people.sign_in("ann", "another one!"));
}

TEST_F(UsersTest, AnAccountOfOthersTooIsNotTheirs) {
    const auto zoe = person("zoe", "other", Role::owner);
    EXPECT_EQ(ask(owner_, "GET", "/api/users/" + zoe.id).status, 404);
    EXPECT_EQ(ask(owner_, "PATCH", "/api/users/" + zoe.id, Json{{"role", "member"}}).status, 404);
    EXPECT_EQ(ask(owner_, "DELETE", "/api/users/" + zoe.id).status, 404);
    EXPECT_EQ(ask(owner_, "POST", "/api/users", Json{{"login", "ZOE"}}).status, 409);
    EXPECT_EQ(ask(owner_, "POST", "/api/users", Json{{"id", "zoe"}}).status, 404);

    const auto joined = ask(owner_, "POST", "/api/users", Json{{"id", zoe.id}});
    ASSERT_EQ(joined.status, 201) << joined.text;
    EXPECT_FALSE(joined.body.contains("password"));
    EXPECT_EQ(ask(owner_, "POST", "/api/users", Json{{"id", zoe.id}}).status, 409);
    for (const auto& change :
         {Json{{"password", "another one!"}}, Json{{"disabled", true}}, Json{{"name", "x"}}})
        EXPECT_EQ(ask(owner_, "PATCH", "/api/users/" + zoe.id, change).status, 403);
    EXPECT_TRUE(access_->people.sign_in("zoe", password));
    EXPECT_EQ(ask(owner_, "PATCH", "/api/users/" + zoe.id, Json{{"role", "admin"}}).status, 200);
    EXPECT_EQ(must(access_->people.role("other", zoe.id)), Role::owner);
    EXPECT_EQ(ask(owner_, "DELETE", "/api/users/" + zoe.id).body["removed_account"], false);
    EXPECT_TRUE(must(access_->people.find("zoe")));
}

TEST_F(UsersTest, WhatIsWrongIsSaid) {
    const std::pair<Json, const char*> cases[] = {
        {Json::object(), "login"},
        {{{"login", "bob"}, {"rôle", "admin"}}, "there are: id, login, name, password, role"},
        {{{"login", 7}}, "a string"},
        {{{"login", "bob"}, {"role", "root"}}, "member, admin or owner"},
        {{{"login", "bob"}, {"password", "short"}}, "10 to 1024 bytes"},
        {{{"login", "a b"}}, "no spaces"},
        {{{"login", "bob"}, {"id", ann_.id}}, "either"},
    };
    for (const auto& [body, why] : cases) {
        const auto refused = ask(owner_, "POST", "/api/users", body);
        EXPECT_EQ(refused.status, 400) << body;
        EXPECT_NE(refused.text.find(why), std::string::npos) << refused.text;
        EXPECT_EQ(noted().outcome, "error");
    }
    EXPECT_EQ(ask(owner_, "PATCH", "/api/users/" + ann_.id, Json::object()).status, 400);
    EXPECT_EQ(must(access_->people.members("acme")).size(), 1U);
}

}  // namespace
}  // namespace pb::admin::testing
