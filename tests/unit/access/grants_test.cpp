// SPDX-License-Identifier: Apache-2.0
#include "access/grants.h"

#include "support.h"

namespace pb::access::testing {
namespace {

class GrantsTest : public WithRecords {
  protected:
    Grant add(const std::string& person = "usr_1", const std::string& client = "app") {
        Grant grant;
        grant.org = "acme";
        grant.person = person;
        grant.client = client;
        grant.client_name = "App";
        grant.scopes = must(Scopes::parse("mcp:read mcp:write"));
        grant.resource = "https://host/mcp";
        return must(grants_.add(std::move(grant)));
    }
    bool works(const std::string& access) { return must(grants_.find_access(access)).has_value(); }
    static void denied(const Result<Grants::Tokens>& tokens) {
        ASSERT_FALSE(tokens);
        EXPECT_EQ(tokens.error().kind, ErrorKind::denied);
    }

    Grants grants_{records_, {}};
};

TEST_F(GrantsTest, ACodeBecomesTokens) {
    const auto grant = add();
    const auto code = must(grants_.issue_code(grant, {"http://127.0.0.1/cb", "challenge", "n"}));
    // Looking costs nothing.
    for (int i = 0; i < 2; ++i) {
        const auto shown = must(grants_.find_code(code, "app"));
        EXPECT_EQ(shown.grant.id, grant.id);
        EXPECT_EQ(shown.binding.redirect_uri, "http://127.0.0.1/cb");
        EXPECT_EQ(shown.binding.code_challenge, "challenge");
        EXPECT_EQ(shown.binding.nonce, "n");
    }
    EXPECT_FALSE(grants_.find_code(code, "other"));
    EXPECT_FALSE(grants_.find_refresh(code, "app"));
    const auto tokens = must(grants_.redeem_code(code, "app"));
    EXPECT_EQ(tokens.grant.id, grant.id);
    const auto access = must(grants_.find_access(tokens.access));
    ASSERT_TRUE(access);
    EXPECT_EQ(access->grant.person, "usr_1");
    EXPECT_EQ(access->grant.resource, "https://host/mcp");
    EXPECT_EQ(access->scopes.text(), "mcp:read mcp:write");
    EXPECT_FALSE(works(tokens.refresh)) << "a refresh token opens nothing";
    EXPECT_FALSE(works(code));
}

TEST_F(GrantsTest, ACodeThatIsUsedTwiceEndsTheGrant) {
    const auto grant = add();
    const auto code = must(grants_.issue_code(grant, {}));
    const auto tokens = must(grants_.redeem_code(code, "app"));
    EXPECT_TRUE(works(tokens.access));
    EXPECT_FALSE(grants_.redeem_code(code, "app"));
    EXPECT_FALSE(works(tokens.access));
    denied(grants_.refresh(tokens.refresh, "app", {}, ""));
    EXPECT_FALSE(must(grants_.find(grant.id)));
}

TEST_F(GrantsTest, LookingAtWhatIsSpentEndsTheGrantToo) {
    const auto code = must(grants_.issue_code(add(), {}));
    const auto tokens = must(grants_.redeem_code(code, "app"));
    std::optional<Grant> reused;
    EXPECT_FALSE(grants_.find_code(code, "app", &reused));
    ASSERT_TRUE(reused);
    EXPECT_EQ(reused->id, tokens.grant.id);
    EXPECT_FALSE(works(tokens.access));
}

// A code that was not turned into tokens is as good as before: whoever tries again has not stolen
// it.
TEST_F(GrantsTest, ACodeIsSpentForTokensOrNotAtAll) {
    const auto code = must(grants_.issue_code(add(), {}));
    ASSERT_TRUE(
        records_->use()->run("CREATE TRIGGER full BEFORE INSERT ON token"
                             " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"));
    const auto failed = grants_.redeem_code(code, "app");
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().kind, ErrorKind::denied);
    ASSERT_TRUE(records_->use()->run("DROP TRIGGER full"));
    EXPECT_TRUE(works(must(grants_.redeem_code(code, "app")).access));
}

TEST_F(GrantsTest, AnotherClientsCodeIsLeftAlone) {
    const auto code = must(grants_.issue_code(add(), {}));
    EXPECT_FALSE(grants_.redeem_code(code, "other"));
    EXPECT_TRUE(grants_.redeem_code(code, "app"));
}

TEST_F(GrantsTest, WhatHasExpiredIsOfNoUse) {
    Grants brief(records_, {.code = -1, .access = -1, .refresh = -1});
    const auto grant = add();
    EXPECT_FALSE(brief.redeem_code(must(brief.issue_code(grant, {})), "app"));
    const auto tokens = must(brief.issue(grant, true));
    EXPECT_FALSE(works(tokens.access));
    denied(brief.refresh(tokens.refresh, "app", {}, ""));
    EXPECT_TRUE(must(grants_.find(grant.id))) << "nobody has stolen anything";
}

TEST_F(GrantsTest, ARefreshTokenIsGoodOnce) {
    const auto first = must(grants_.issue(add(), true));
    const auto second = must(grants_.refresh(first.refresh, "app", {}, ""));
    EXPECT_NE(second.refresh, first.refresh);
    EXPECT_TRUE(works(second.access));
    const auto third = must(grants_.refresh(second.refresh, "app", {}, "https://host/mcp"));
    EXPECT_TRUE(works(third.access));
    denied(grants_.refresh(first.refresh, "app", {}, ""));
    EXPECT_FALSE(works(third.access)) << "one of the two has stolen it";
    denied(grants_.refresh(third.refresh, "app", {}, ""));
}

// Whoever refreshes all day does not fill the disk.
TEST_F(GrantsTest, SpentRefreshTokensAreFewInTheEnd) {
    Lifetimes few;
    few.most_spent = 3;
    Grants brief(records_, few);
    std::vector<std::string> spent;
    auto last = must(brief.issue(add(), true));
    for (int i = 0; i < 6; ++i) {
        spent.push_back(last.refresh);
        last = must(brief.refresh(last.refresh, "app", {}, ""));
    }
    const auto count =
        must(records_->use()->row("SELECT count(*) FROM token WHERE kind='refresh'",
                                  [](const store::Statement& row) { return row.integer(0); }));
    EXPECT_EQ(count, 3 + 1);
    denied(brief.refresh(spent[2], "app", {}, ""));
    EXPECT_TRUE(works(last.access)) << "it is forgotten, and no good";
    denied(brief.refresh(spent[3], "app", {}, ""));
    EXPECT_FALSE(works(last.access)) << "it is known to be spent";
}

TEST_F(GrantsTest, ARefreshMayAskForLess) {
    const auto first = must(grants_.issue(add(), true));
    const auto more = grants_.refresh(first.refresh, "app", Scopes::everything(), "");
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().kind, ErrorKind::invalid);
    EXPECT_FALSE(grants_.refresh(first.refresh, "app", {}, "https://other/mcp"));
    EXPECT_FALSE(grants_.refresh(first.refresh, "other", {}, ""));
    const auto less =
        must(grants_.refresh(first.refresh, "app", must(Scopes::parse("mcp:read")), ""));
    EXPECT_EQ(must(grants_.find_access(less.access))->scopes.text(), "mcp:read");
    const auto whole = must(grants_.refresh(less.refresh, "app", {}, ""));
    EXPECT_EQ(whole.scopes.text(), "mcp:read mcp:write");
}

TEST_F(GrantsTest, WhatARefreshDoesNotNameStaysAsItIs) {
    auto narrow = add();
    narrow.scopes = must(Scopes::parse("mcp:read mcp:write action:a"));
    const auto first = must(grants_.issue(must(grants_.add(narrow)), true));
    for (const char* more : {"mcp:admin", "mcp:read action:b"})
        EXPECT_FALSE(grants_.refresh(first.refresh, "app", must(Scopes::parse(more)), "")) << more;
    const auto less =
        must(grants_.refresh(first.refresh, "app", must(Scopes::parse("mcp:read")), ""));
    EXPECT_EQ(less.scopes.text(), "mcp:read action:a");
}

TEST_F(GrantsTest, AreRevokedAtOnce) {
    const auto grant = add(), other = add();
    const auto tokens = must(grants_.issue(grant, true)), others = must(grants_.issue(other, true));
    must(grants_.revoke_token(tokens.access, "other"));
    EXPECT_TRUE(works(tokens.access)) << "not theirs";
    must(grants_.revoke_token(tokens.access, "app"));
    EXPECT_FALSE(works(tokens.access));
    const auto again = must(grants_.refresh(tokens.refresh, "app", {}, ""));
    must(grants_.revoke_token(again.refresh, "app"));
    EXPECT_FALSE(works(again.access));
    EXPECT_TRUE(works(others.access));
    must(grants_.revoke(other.id));
    EXPECT_FALSE(works(others.access));
    EXPECT_FALSE(grants_.revoke(other.id));
    must(grants_.revoke_token("nonsense", "app"));
}

TEST_F(GrantsTest, AreListed) {
    const auto mine = add("usr_1");
    add("usr_2");
    EXPECT_EQ(must(grants_.of_person("usr_1")).size(), 1U);
    EXPECT_EQ(must(grants_.of_org("acme")).size(), 2U);
    EXPECT_TRUE(must(grants_.of_org("globex")).empty());
    grants_.used(mine.id, 7);
    EXPECT_EQ(must(grants_.find(mine.id))->used_ms, 7);
    must(grants_.revoke_person("acme", "usr_1"));
    EXPECT_TRUE(must(grants_.of_person("usr_1")).empty());
}

TEST_F(GrantsTest, AnOldFileIsSwept) {
    Grants brief(records_, {.code = -1, .access = -1, .refresh = -1});
    const auto grant = add();
    must(brief.issue(grant, true));
    brief.sweep();
    EXPECT_FALSE(must(grants_.find(grant.id)));
    const auto alive = add();
    const auto tokens = must(grants_.issue(alive, true));
    grants_.sweep();
    EXPECT_TRUE(works(tokens.access));
}

}  // namespace
}  // namespace pb::access::testing
