// SPDX-License-Identifier: Apache-2.0
// What holds for every resource: paths, methods, bodies, pages; and the trail.
#include <algorithm>

#include "desk.h"

namespace pb::admin::testing {
namespace {

class ApiTest : public Desk {
  protected:
    const runtime::CallerPtr admin_ = as_key("mcp:read mcp:write mcp:admin");
};

TEST_F(ApiTest, CoversItsPathsAlone) {
    for (const auto* path : {"/api/users", "/api/users/usr_x", "/api/keys", "/api/orgs",
                             "/api/clients/", "/api/grants/a/b", "/api/audit"})
        EXPECT_TRUE(Api::covers(path)) << path;
    for (const auto* path : {"/api", "/api/", "/api/usersx", "/api/mcp-servers/x", "/users", "",
                             "/API/users", "//api/users"})
        EXPECT_FALSE(Api::covers(path)) << path;
}

TEST_F(ApiTest, PathsAndMethodsThatAreNone) {
    for (const auto* path : {"/api/users/", "/api/audit/x", "/api/keys/a/b", "/api/nothing"})
        EXPECT_EQ(ask(admin_, "DELETE", path).status, 404) << path;
    const auto refused = send(admin_, "PUT", "/api/users/usr_x", "{}");
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.allow, "GET, PATCH, DELETE");
    EXPECT_EQ(send(admin_, "POST", "/api/audit", "{}").allow, "GET");
    EXPECT_EQ(ask(admin_, "GET", "/api/keys/key_x").allow, "DELETE");
    EXPECT_EQ(ask(admin_, "HEAD", "/api/keys").status, 405);
}

TEST_F(ApiTest, BodiesThatAreNone) {
    EXPECT_EQ(
        send(admin_, "POST", "/api/keys", "name=x", "application/x-www-form-urlencoded").status,
        415);
    EXPECT_EQ(ask(admin_, "POST", "/api/keys").status, 415);
    EXPECT_EQ(send(admin_, "POST", "/api/keys", std::string(300'000, ' ')).status, 413);
    for (const auto& body :
         {std::string("{"), std::string("[]"), std::string("7"), std::string(R"({"a":1,"a":2})"),
          std::string(100, '['), std::string("{\"name\":\"\xff\"}")})
        EXPECT_EQ(send(admin_, "POST", "/api/keys", body).status, 400) << body;
    EXPECT_EQ(send(admin_, "DELETE", "/api/keys/x", "{}").status, 400);
    EXPECT_EQ(send(admin_, "GET", "/api/keys", "{}").status, 400);
    EXPECT_EQ(send(admin_, "POST", "/api/keys", "{}", "Application/JSON; charset=utf-8").status,
              400)
        << "it is understood, and lacks a name";
    EXPECT_TRUE(must(access_->keys.list("acme")).empty());
}

TEST_F(ApiTest, QueriesThatAreNone) {
    for (const auto* query : {"?limit=0", "?limit=1001", "?limit=x", "?limit=", "?mine=1",
                              "?after=key_none", "?x=1", "?limit=1&limit=2", "?limit=%zz"})
        EXPECT_EQ(ask(admin_, "GET", std::string("/api/keys") + query).status, 400) << query;
    EXPECT_EQ(ask(admin_, "DELETE", "/api/keys/x?force=true").status, 400);
    EXPECT_EQ(ask(admin_, "GET", "/api/keys?" + std::string(9000, 'x')).status, 400);
}

TEST_F(ApiTest, ListsArePaged) {
    std::vector<std::string> made;
    for (const auto* name : {"a", "b", "c", "d", "e"})
        must(access_->keys.make("acme", name, access::Scopes::everything(), "cli", {}));
    std::string after;
    for (int pages = 0; pages < 3; ++pages) {
        const auto got = ask(admin_, "GET", "/api/keys?limit=2" + after);
        for (const auto& key : got.body["keys"])
            made.push_back(key["name"]);
        if (!got.body.contains("next")) break;
        after = "&after=" + got.body["next"].get<std::string>();
    }
    std::sort(made.begin(), made.end());
    EXPECT_EQ(made, (std::vector<std::string>{"a", "b", "c", "d", "e"}));
}

TEST_F(ApiTest, TheTrailIsReadWithinTheOrganisation) {
    const auto got =
        ask(admin_, "GET",
            "/api/audit?from=2026-01-01&to=2026-02-01T00:00:00Z&tool=a__*&status=error&principal=p"
            "&method=tools%2Fcall&client=c&kind=call&cursor=x&limit=7");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body["records"].size(), 1U);
    EXPECT_EQ(asked_.org, "acme");
    EXPECT_EQ(asked_.to_ms.value() - asked_.from_ms.value(), 31LL * 86'400'000);
    EXPECT_EQ(asked_.tool, "a__*");
    EXPECT_EQ(asked_.status, "error");
    EXPECT_EQ(asked_.principal, "p");
    EXPECT_EQ(asked_.method, "tools/call");
    EXPECT_EQ(asked_.client, "c");
    EXPECT_EQ(asked_.kind, "call");
    EXPECT_EQ(asked_.cursor, "x");
    EXPECT_EQ(asked_.limit, 7U);
    EXPECT_EQ(ask(admin_, "GET", "/api/audit?cursor=bad").status, 400);
    EXPECT_EQ(ask(admin_, "GET", "/api/audit?from=yesterday").status, 400);
    EXPECT_EQ(ask(admin_, "GET", "/api/audit?org=other").status, 400);
    EXPECT_EQ(ask(as_key("mcp:read mcp:write"), "GET", "/api/audit").status, 403);
    // Who looked is in it.
    ASSERT_EQ(notes_.all().size(), 5U);
    for (const auto& each : notes_.all())
        EXPECT_EQ(each.method, "audit.read");
    EXPECT_EQ(notes_.all()[0].outcome, "ok");
    EXPECT_EQ(notes_.all()[1].outcome, "error");
    EXPECT_EQ(notes_.all()[4].outcome, "denied");
    EXPECT_EQ(notes_.all()[4].code, 403);
}

TEST_F(ApiTest, WhatIsNotThereIsInTheTrailAndMeasured) {
    EXPECT_EQ(ask(admin_, "GET", "/api/users/").status, 404);
    EXPECT_EQ(noted().method, "api.none");
    EXPECT_EQ(noted().name, "/api/users/");
    EXPECT_EQ(noted().code, 404);
    EXPECT_EQ(ask(admin_, "PUT", "/api/users").status, 405);
    EXPECT_EQ(noted().code, 405);
    EXPECT_EQ(measured_, (std::vector<std::string>{"api.none error", "api.none error"}));
    EXPECT_EQ(ask(admin_, "GET", "/api/users").status, 200);
    EXPECT_EQ(measured_.back(), "users.list ok");
    const auto acts = Api::acts();
    for (const char* act : {"users.list", "api.none"})
        EXPECT_NE(std::find(acts.begin(), acts.end(), act), acts.end()) << act;
}

TEST_F(ApiTest, WhatFailsInsideStaysThere) {
    options_.trail = [](const TrailQuery&) -> Result<std::string> {
        return internal_error("/var/lib/secret.db is broken");
    };
    const auto failed = ask(admin_, "GET", "/api/audit");
    EXPECT_EQ(failed.status, 500);
    EXPECT_EQ(failed.body["error"], "the request failed");
    options_.trail = [](const TrailQuery&) -> Result<std::string> {
        throw std::runtime_error("boom");
    };
    EXPECT_EQ(ask(admin_, "GET", "/api/audit").status, 500);
}

}  // namespace
}  // namespace pb::admin::testing
