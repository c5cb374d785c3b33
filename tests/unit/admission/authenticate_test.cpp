// SPDX-License-Identifier: Apache-2.0
// Who a caller is when nobody says so.
#include "admission/authenticate.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace pb::admission {
namespace {

using runtime::Standing;

// Records in a folder of their own, and who may come in with them.
class AuthenticateTest : public testing::Test {
  protected:
    AuthenticateTest() { EXPECT_TRUE(access_); }

    Authenticator make(Authenticator::Options options = {}) {
        options.anonymous_org = "home";
        return Authenticator(std::move(options), access_->get());
    }
    static runtime::CallerPtr caller_of(const Authenticated& answer) {
        const auto* caller = std::get_if<runtime::CallerPtr>(&answer);
        return caller ? *caller : nullptr;
    }
    static Refused refusal_of(const Authenticated& answer) {
        const auto* refused = std::get_if<Refused>(&answer);
        return refused ? *refused : Refused{0, "none", "it was let in"};
    }
    static access::Scopes scopes(const char* text) { return *access::Scopes::parse(text); }
    access::Keys::Made key(const std::string& org, const char* text = "mcp:read",
                           std::optional<access::Millis> expires = std::nullopt) {
        return *(*access_)->keys.make(org, "a key", scopes(text), "cli", expires);
    }
    // An access token of a person with this role.
    std::string token(access::Role role, const char* text,
                      const std::string& resource = "https://here/mcp") {
        auto& all = **access_;
        const auto person =
            *all.people.add("ada" + std::to_string(++people_), "Ada", "a long password");
        EXPECT_TRUE(all.people.join("acme", person.id, role));
        access::Grant grant;
        grant.org = "acme";
        grant.person = person.id;
        grant.client = "cli_1";
        grant.scopes = scopes(text);
        grant.resource = resource;
        grant_ = *all.grants.add(grant);
        return all.grants.issue(grant_, false)->access;
    }

    test::TempFolder folder_;
    Result<std::unique_ptr<access::Access>> access_ = access::Access::open(folder_.path());
    access::Grant grant_;
    int people_ = 0;
};

TEST_F(AuthenticateTest, WithoutCredentialsOnlyFromThisMachine) {
    auto authenticator = make();
    const auto local = caller_of(authenticator.authenticate({.loopback = true}));
    ASSERT_TRUE(local);
    EXPECT_EQ(local->org, "home");
    EXPECT_EQ(local->principal, "anonymous");
    EXPECT_EQ(local->principal_kind, "anonymous");
    EXPECT_TRUE(local->permits.is_everything());
    const auto far = refusal_of(authenticator.authenticate({.loopback = false}));
    EXPECT_EQ(far.status, 401);
    EXPECT_EQ(far.error, "");  // RFC 6750, 3: no error where no credentials came
    EXPECT_FALSE(far.description.empty());
    // A proxy on this machine is no reason to let in whoever is behind it.
    const auto behind =
        refusal_of(authenticator.authenticate({.loopback = true, .forwarded = true}));
    EXPECT_EQ(behind.status, 401);
    EXPECT_EQ(behind.error, "");
    EXPECT_NE(behind.description.find("X-Forwarded-*"), std::string::npos) << behind.description;
    auto strict = make({.anonymous = false});
    EXPECT_EQ(refusal_of(strict.authenticate({.loopback = true})).status, 401);
}

TEST_F(AuthenticateTest, AKeyComesInEitherHeaderAndNotInSeveral) {
    auto authenticator = make();
    const auto made = key("acme", "mcp:read action:notes");
    const auto as_bearer = "Bearer " + made.secret;
    for (const auto& presented :
         {Presented{.authorization = as_bearer}, Presented{.api_key = made.secret},
          Presented{.api_key = made.secret, .org = "acme"}}) {
        const auto caller = caller_of(authenticator.authenticate(presented));
        ASSERT_TRUE(caller);
        EXPECT_EQ(caller->org, "acme");
        EXPECT_EQ(caller->principal, made.key.id);
        EXPECT_EQ(caller->credential, made.key.id);
        EXPECT_EQ(caller->principal_kind, "key");
        EXPECT_EQ(caller->scopes, (std::vector<std::string>{"mcp:read", "action:notes"}));
    }
    const struct {
        Presented presented;
        int status;
        std::string_view error;
    } wrong[] = {
        {{.authorization = as_bearer, .api_key = made.secret}, 400, "invalid_request"},
        {{.authorization = as_bearer, .repeated = true}, 400, "invalid_request"},
        {{.authorization = "Basic YTpi"}, 401, ""},
        {{.authorization = "Bearer"}, 401, ""},
        {{.authorization = "Bearer pb_unknown"}, 401, "invalid_token"},
        {{.api_key = "something"}, 401, "invalid_token"},
        {{.api_key = made.secret, .org = "other"}, 400, "invalid_request"},
        {{.url_key = made.secret}, 401, "invalid_token"},
        // Whoever says something wrong is not let in for being here.
        {{.api_key = "pb_unknown", .loopback = true}, 401, "invalid_token"},
        {{.authorization = "Basic YTpi", .loopback = true}, 401, ""},
        {{.org = "other", .loopback = true}, 400, "invalid_request"},
    };
    for (const auto& each : wrong) {
        const auto refused = refusal_of(authenticator.authenticate(each.presented));
        EXPECT_EQ(refused.status, each.status) << refused.description;
        EXPECT_EQ(refused.error, each.error) << refused.description;
        EXPECT_EQ(refused.description.find(made.secret), std::string::npos);
    }
}

TEST_F(AuthenticateTest, AKeyInTheUrlOnlyWhereTheOrganisationTakesThem) {
    auto authenticator =
        make({.takes_url_keys = [](std::string_view org) { return org == "acme"; }});
    const auto own = key("acme"), other = key("other");
    EXPECT_TRUE(caller_of(authenticator.authenticate({.url_key = own.secret})));
    EXPECT_EQ(refusal_of(authenticator.authenticate({.url_key = other.secret})).status, 401);
    // Having been seen in a header does not change that.
    EXPECT_TRUE(caller_of(authenticator.authenticate({.api_key = other.secret})));
    EXPECT_EQ(refusal_of(authenticator.authenticate({.url_key = other.secret})).status, 401);
}

TEST_F(AuthenticateTest, WhatIsRevokedOrExpiredIsOfNoUseFromTheNextRequestOn) {
    auto authenticator = make();
    const auto made = key("acme");
    const Presented presented{.api_key = made.secret};
    const auto caller = caller_of(authenticator.authenticate(presented));
    ASSERT_TRUE(caller);
    EXPECT_EQ(authenticator.standing(*caller), Standing::good);
    ASSERT_TRUE((*access_)->keys.revoke("acme", made.key.id));
    EXPECT_EQ(refusal_of(authenticator.authenticate(presented)).error, "invalid_token");
    EXPECT_EQ(authenticator.standing(*caller), Standing::gone);

    const auto text = "Bearer " + token(access::Role::member, "mcp:read");
    const auto person = caller_of(authenticator.authenticate({.authorization = text}));
    ASSERT_TRUE(person);
    ASSERT_TRUE((*access_)->grants.revoke(grant_.id));
    EXPECT_EQ(refusal_of(authenticator.authenticate({.authorization = text})).error,
              "invalid_token");
    EXPECT_EQ(authenticator.standing(*person), Standing::gone);
}

TEST_F(AuthenticateTest, ATokenThatEndsAloneIsNotTheEndOfItsGrant) {
    auto authenticator = make();
    const auto secret = token(access::Role::member, "mcp:read");
    const auto text = "Bearer " + secret;
    const auto first = caller_of(authenticator.authenticate({.authorization = text}));
    ASSERT_TRUE(first);
    EXPECT_GT(first->expires_ms, access::now_ms());
    EXPECT_EQ(first->token.find(secret), std::string::npos);
    const auto next = "Bearer " + (*access_)->grants.issue(grant_, false)->access;
    const auto second = caller_of(authenticator.authenticate({.authorization = next}));
    ASSERT_TRUE(second);
    // RFC 7009, with the access token.
    ASSERT_TRUE((*access_)->grants.revoke_token(secret, "cli_1"));
    EXPECT_EQ(authenticator.standing(*first), Standing::stale);
    EXPECT_EQ(authenticator.standing(*second), Standing::good);
    EXPECT_EQ(refusal_of(authenticator.authenticate({.authorization = text})).status, 401);
    auto later = *second;
    later.expires_ms = access::now_ms() - 1;
    EXPECT_EQ(Authenticator::in_time(later), Standing::stale);
    EXPECT_EQ(authenticator.standing(later), Standing::stale);
    ASSERT_TRUE((*access_)->grants.revoke(grant_.id));
    EXPECT_EQ(authenticator.standing(later), Standing::gone);
}

TEST_F(AuthenticateTest, WhatExpiresSaysSo) {
    auto authenticator = make();
    const auto made = key("acme", "mcp:read", access::now_ms() + 3'600'000);
    auto caller = *caller_of(authenticator.authenticate({.api_key = made.secret}));
    EXPECT_EQ(caller.expires_ms, made.key.expires_ms);
    EXPECT_EQ(authenticator.standing(caller), Standing::good);
    caller.expires_ms = access::now_ms() - 1;
    EXPECT_EQ(authenticator.standing(caller), Standing::gone) << "a key has no successor";
    // Whom somebody else has signed for.
    auto theirs = *Authenticator::external("acme", "ext_1", scopes("mcp:read"), "", 1);
    EXPECT_EQ(authenticator.standing(theirs), Standing::stale);
    theirs.expires_ms = 0;
    EXPECT_EQ(authenticator.standing(theirs), Standing::good);
    EXPECT_EQ(authenticator.standing(*authenticator.local()), Standing::good);
}

TEST_F(AuthenticateTest, ATokenPermitsNoMoreThanThePersonsRole) {
    auto authenticator = make();
    const auto text = "Bearer " + token(access::Role::member, "mcp:read mcp:write mcp:admin");
    const auto caller = caller_of(authenticator.authenticate({.authorization = text}));
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->principal, grant_.person);
    EXPECT_EQ(caller->principal_kind, "user");
    EXPECT_EQ(caller->role, "member");
    EXPECT_EQ(caller->client, "cli_1");
    EXPECT_FALSE(caller->permits.has(access::Level::admin));
    EXPECT_TRUE(caller->permits.has(access::Level::write));
    // Who is no member any more has nothing, at once.
    const auto owner = *(*access_)->people.add("owner", "Owner", "a long password");
    ASSERT_TRUE((*access_)->people.join("acme", owner.id, access::Role::owner));
    ASSERT_TRUE((*access_)->people.leave("acme", grant_.person));
    EXPECT_EQ(refusal_of(authenticator.authenticate({.authorization = text})).status, 401);
}

// What is forbidden to a role is so for the keys and machines of those who have it.
TEST_F(AuthenticateTest, AKeyAndAMachineHaveTheirMakersRole) {
    auto authenticator = make();
    auto& all = **access_;
    const auto operators = caller_of(authenticator.authenticate({.api_key = key("acme").secret}));
    const auto made = *all.keys.make("acme", "x", scopes("mcp:read"), "usr_1", {}, "admin");
    const auto admins = caller_of(authenticator.authenticate({.api_key = made.secret}));
    ASSERT_TRUE(operators && admins);
    EXPECT_EQ(operators->role, "");
    EXPECT_EQ(admins->role, "admin");
    EXPECT_NE(operators->permissions, admins->permissions) << "they would share a view";

    access::OAuthClient robot;
    robot.name = "robot";
    robot.org = "acme";
    robot.scopes = scopes("mcp:read");
    robot.role = "owner";
    robot.auth_method = "client_secret_basic";
    const auto machine = *all.clients.add(robot);
    access::Grant grant;
    grant.org = "acme";
    grant.client = machine.client.id;
    grant.scopes = robot.scopes;
    const auto issued = *all.grants.issue(*all.grants.add(grant), false);
    const auto text = "Bearer " + issued.access;
    const auto caller = caller_of(authenticator.authenticate({.authorization = text}));
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->principal_kind, "service");
    EXPECT_EQ(caller->role, "owner");
    EXPECT_EQ(authenticator.standing(*caller), Standing::good);
}

TEST_F(AuthenticateTest, ATokenForAnotherResourceIsNoneHere) {
    auto authenticator =
        make({.is_ours = [](std::string_view resource) { return resource == "https://here/mcp"; }});
    const auto ours = "Bearer " + token(access::Role::owner, "mcp:read");
    const auto theirs = "Bearer " + token(access::Role::owner, "mcp:read", "https://there/mcp");
    EXPECT_TRUE(caller_of(authenticator.authenticate({.authorization = ours})));
    EXPECT_EQ(refusal_of(authenticator.authenticate({.authorization = theirs})).error,
              "invalid_token");
}

TEST(Authenticate, ACapabilityIsAServiceOfItsOrganisation) {
    const auto caller = Authenticator::service("acme", "agents");
    EXPECT_EQ(caller->org, "acme");
    EXPECT_EQ(caller->principal, "service:agents");
    EXPECT_EQ(caller->principal_kind, "service");
}

}  // namespace
}  // namespace pb::admission
