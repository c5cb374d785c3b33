// SPDX-License-Identifier: Apache-2.0
// Keys and the clients of machines: what they may do never goes beyond who makes them.
#include "base/times.h"
#include "desk.h"

namespace pb::admin::testing {
namespace {

class KeysTest : public Desk {
  protected:
    const runtime::CallerPtr admin_ = as_key("mcp:read mcp:write mcp:admin");
    const runtime::CallerPtr stranger_ = as_key("mcp:read mcp:write mcp:admin", "other");
};

TEST_F(KeysTest, AKeyIsShownOnceAndGoes) {
    const auto in_an_hour = access::now_ms() / 1000 * 1000 + 3'600'000;
    const auto made = ask(admin_, "POST", "/api/keys",
                          Json{{"name", "ci"},
                               {"scopes", {"mcp:read", "action:weather"}},
                               {"expires", iso_time(in_an_hour)}});
    ASSERT_EQ(made.status, 201) << made.text;
    const auto secret = made.body["secret"].get<std::string>();
    const auto id = made.body["id"].get<std::string>();
    const auto found = must(access_->keys.find(secret));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->scopes.text(), "mcp:read action:weather");
    EXPECT_EQ(found->expires_ms, in_an_hour);
    EXPECT_EQ(found->created_by, "key_x");
    EXPECT_EQ(noted().method, "keys.create");
    EXPECT_EQ(noted().name, id);
    EXPECT_FALSE(noted_anywhere(secret));

    const auto listed = ask(admin_, "GET", "/api/keys");
    EXPECT_EQ(listed.body["keys"][0]["expires"], iso_time(in_an_hour));
    EXPECT_EQ(listed.text.find(secret), std::string::npos);

    EXPECT_TRUE(ask(stranger_, "GET", "/api/keys").body["keys"].empty());
    EXPECT_EQ(ask(stranger_, "DELETE", "/api/keys/" + id).status, 404);
    EXPECT_EQ(ask(admin_, "DELETE", "/api/keys/" + id).status, 200);
    EXPECT_EQ(noted().name, id);
    EXPECT_FALSE(must(access_->keys.find(secret)));
    EXPECT_EQ(ask(admin_, "DELETE", "/api/keys/" + id).status, 404);
}

TEST_F(KeysTest, NobodyMakesMoreThanTheyAre) {
    const auto few = as_key("mcp:read mcp:admin");
    for (const auto* path : {"/api/keys", "/api/clients"}) {
        const auto refused =
            ask(few, "POST", path, Json{{"name", "x"}, {"scopes", {"mcp:read", "mcp:write"}}});
        EXPECT_EQ(refused.status, 403);
        EXPECT_NE(refused.text.find("mcp:read mcp:admin"), std::string::npos);
        EXPECT_EQ(ask(few, "POST", path, Json{{"name", "x"}, {"scopes", {"mcp:read"}}}).status,
                  201);
        EXPECT_EQ(ask(as_key("mcp:read mcp:write"), "POST", path,
                      Json{{"name", "x"}, {"scopes", {"mcp:read"}}})
                      .status,
                  403);
        EXPECT_EQ(ask(as_key("mcp:read mcp:admin action:a"), "POST", path,
                      Json{{"name", "x"}, {"scopes", {"mcp:read"}}})
                      .status,
                  403);
    }
}

TEST_F(KeysTest, TheMakersRoleGoesWithIt) {
    const auto eve = person("eve", "acme", Role::admin);
    const auto owner = person("olga", "acme", Role::owner);
    for (const auto* path : {"/api/keys", "/api/clients"}) {
        const Json body{{"name", "x"}, {"scopes", {"mcp:read"}}};
        EXPECT_EQ(ask(as(eve, Role::admin), "POST", path, body).body["role"], "admin") << path;
        EXPECT_EQ(ask(admin_, "POST", path, body).body["role"], nullptr) << path;
    }
    // A key of an owner has no more authority over people for it than other keys.
    auto key = *as_key("mcp:read mcp:write mcp:admin");
    key.role = "owner";
    const auto owners = std::make_shared<const runtime::Caller>(key);
    EXPECT_EQ(ask(owners, "PATCH", "/api/users/" + owner.id, Json{{"role", "member"}}).status, 403);
    const auto made =
        ask(owners, "POST", "/api/keys", Json{{"name", "y"}, {"scopes", {"mcp:read"}}});
    EXPECT_EQ(must(access_->keys.find(made.body["secret"].get<std::string>()))->role, "owner");
}

TEST_F(KeysTest, WhatIsWrongIsSaid) {
    const std::pair<Json, const char*> cases[] = {
        {{{"name", "x"}}, "scopes"},
        {{{"scopes", {"mcp:read"}}}, "name"},
        {{{"name", "x"}, {"scopes", "mcp:read"}}, "a list"},
        {{{"name", "x"}, {"scopes", {"mcp:red"}}}, "mcp:red"},
        {{{"name", "x"}, {"scopes", Json::array()}}, "may do nothing"},
        {{{"name", "x"}, {"scopes", {"mcp:read"}}, {"expires", "tomorrow"}}, "a time like"},
        {{{"name", "x"}, {"scopes", {"mcp:read"}}, {"expires", "2001-01-01"}}, "in the future"},
        {{{"name", "x"}, {"scopes", {"mcp:read"}}, {"org", "other"}},
         "there are: expires, name, scopes"},
    };
    for (const auto& [body, why] : cases) {
        const auto refused = ask(admin_, "POST", "/api/keys", body);
        EXPECT_EQ(refused.status, 400) << body;
        EXPECT_NE(refused.text.find(why), std::string::npos) << refused.text;
    }
    EXPECT_TRUE(must(access_->keys.list("acme")).empty());
}

TEST_F(KeysTest, APersonSeesAndRevokesTheirOwn) {
    const auto bob = person("bob", "acme", Role::member);
    const auto own =
        must(access_->keys.make("acme", "own", access::Scopes::everything(), bob.id, {}));
    const auto other =
        must(access_->keys.make("acme", "other", access::Scopes::everything(), "cli", {}));
    const auto listed = ask(as(bob, Role::member, "mcp:read"), "GET", "/api/keys");
    ASSERT_EQ(listed.body["keys"].size(), 1U);
    EXPECT_EQ(listed.body["keys"][0]["id"], own.key.id);
    EXPECT_EQ(ask(admin_, "GET", "/api/keys").body["keys"].size(), 2U);
    EXPECT_EQ(ask(admin_, "GET", "/api/keys?mine=true").body["keys"].size(), 0U);
    EXPECT_EQ(ask(as_key("mcp:read"), "GET", "/api/keys").status, 403);

    EXPECT_EQ(ask(as(bob, Role::member), "DELETE", "/api/keys/" + other.key.id).status, 404);
    EXPECT_EQ(ask(as(bob, Role::member, "mcp:read"), "DELETE", "/api/keys/" + own.key.id).status,
              403);
    EXPECT_EQ(ask(as(bob, Role::member), "DELETE", "/api/keys/" + own.key.id).status, 200);
    EXPECT_EQ(must(access_->keys.list("acme")).size(), 1U);
}

TEST_F(KeysTest, AMachineHasASecretThatIsShownOnce) {
    const auto made =
        ask(admin_, "POST", "/api/clients", Json{{"name", "robot"}, {"scopes", {"mcp:read"}}});
    ASSERT_EQ(made.status, 201) << made.text;
    const auto id = made.body["id"].get<std::string>();
    const auto secret = made.body["secret"].get<std::string>();
    EXPECT_TRUE(must(access_->clients.has_secret(id, secret)));
    const auto kept = must(access_->clients.find(id));
    EXPECT_TRUE(kept->is_machine());
    EXPECT_EQ(kept->org, "acme");
    EXPECT_EQ(kept->scopes.text(), "mcp:read");
    EXPECT_FALSE(noted_anywhere(secret));
    EXPECT_EQ(ask(admin_, "GET", "/api/clients").text.find(secret), std::string::npos);
    EXPECT_TRUE(ask(stranger_, "GET", "/api/clients").body["clients"].empty());
    EXPECT_EQ(ask(stranger_, "DELETE", "/api/clients/" + id).status, 404);
    EXPECT_EQ(ask(admin_, "DELETE", "/api/clients/" + id).status, 200);
    EXPECT_FALSE(must(access_->clients.find(id)));
}

TEST_F(KeysTest, AClientOfPeopleIsNobodysToRemove) {
    const auto open = must(access_->clients.add(access::OAuthClient()));
    EXPECT_EQ(ask(admin_, "DELETE", "/api/clients/" + open.client.id).status, 404);
    EXPECT_TRUE(ask(admin_, "GET", "/api/clients").body["clients"].empty());
    for (const auto& body :
         {Json{{"name", "x\n"}, {"scopes", {"mcp:read"}}}, Json{{"name", "x"}},
          Json{{"name", std::string(101, 'x')}, {"scopes", {"mcp:read"}}},
          Json{{"name", "x"}, {"scopes", {"mcp:read"}}, {"redirect_uris", Json::array()}}})
        EXPECT_EQ(ask(admin_, "POST", "/api/clients", body).status, 400) << body;
}

}  // namespace
}  // namespace pb::admin::testing
