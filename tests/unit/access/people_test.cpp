// SPDX-License-Identifier: Apache-2.0
#include "access/people.h"

#include "access/passwords.h"
#include "support.h"

namespace pb::access::testing {
namespace {

constexpr const char* password = "correct horse battery";

class PeopleTest : public WithRecords {
  protected:
    Person add(const std::string& login) { return must(people_.add(login, "Ann", password)); }

    People people_{records_};
};

TEST_F(PeopleTest, SignInWithTheirOwnPassword) {
    const auto ann = add("ann@example.com");
    EXPECT_TRUE(ann.id.starts_with("usr_"));
    EXPECT_EQ(must(people_.sign_in("ANN@example.com", password)).id, ann.id);
    for (const auto& [login, word] : {std::pair{"ann@example.com", "correct horse batterz"},
                                      {"ann@example.com", ""},
                                      {"bob@example.com", password},
                                      {"", ""}}) {
        const auto refused = people_.sign_in(login, word);
        ASSERT_FALSE(refused) << login;
        EXPECT_EQ(refused.error().kind, ErrorKind::denied);
        EXPECT_EQ(refused.error().message, "the login or the password is wrong");
    }
    must(people_.disable(ann.id, true));
    EXPECT_FALSE(people_.sign_in("ann@example.com", password));
}

TEST_F(PeopleTest, AreThereAfterARestart) {
    EXPECT_FALSE(must(people_.any()));
    const auto ann = add("ann");
    People again(open());
    EXPECT_TRUE(must(again.any()));
    EXPECT_EQ(must(again.find("ann"))->id, ann.id);
    EXPECT_EQ(must(again.find(ann.id))->login, "ann");
    EXPECT_FALSE(must(again.find("bob")));
}

TEST_F(PeopleTest, HaveLoginsAndPasswordsThatAreSome) {
    add("ann");
    const auto taken = people_.add("Ann", "", password);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().kind, ErrorKind::busy);
    for (const auto& login :
         std::vector<std::string>{"", "a b", "a\n", "usr_x", std::string(255, 'a')})
        EXPECT_FALSE(people_.add(login, "", password)) << login;
    EXPECT_FALSE(people_.add("bob", "", "too short"));
    EXPECT_FALSE(people_.add("bob", "", std::string(2000, 'a')));
    EXPECT_FALSE(people_.add("bob", "a\x01", password));
    const auto bob = add("bob");
    must(people_.rename(bob.id, "Bob B."));
    EXPECT_EQ(must(people_.find("bob"))->name, "Bob B.");
    EXPECT_FALSE(people_.rename(bob.id, "a\x01"));
    EXPECT_FALSE(people_.rename("usr_nobody", "Bob"));
}

TEST_F(PeopleTest, ABrowserIsSignedInUntilItIsOver) {
    const auto ann = add("ann");
    const auto cookie = must(people_.open_browser(ann.id, 60'000));
    EXPECT_EQ(must(people_.browser(cookie))->id, ann.id);
    EXPECT_FALSE(must(people_.browser(cookie + "x")));
    EXPECT_FALSE(must(people_.browser(must(people_.open_browser(ann.id, -1)))));
    must(people_.close_browser(cookie));
    EXPECT_FALSE(must(people_.browser(cookie)));
    const auto other = must(people_.open_browser(ann.id, 60'000));
    must(people_.set_password(ann.id, "another password"));
    EXPECT_FALSE(must(people_.browser(other))) << "whoever knew the old one is out";
    EXPECT_TRUE(people_.sign_in("ann", "another password"));
}

TEST_F(PeopleTest, AnOrganisationKeepsAnOwner) {
    const auto ann = add("ann"), bob = add("bob");
    must(people_.join("acme", ann.id, Role::owner));
    must(people_.join("acme", bob.id, Role::member));
    EXPECT_FALSE(people_.leave("acme", ann.id));
    EXPECT_FALSE(people_.join("acme", ann.id, Role::admin));
    EXPECT_FALSE(people_.remove(ann.id));
    EXPECT_FALSE(people_.disable(ann.id, true));
    must(people_.join("acme", bob.id, Role::owner));
    must(people_.disable(bob.id, true));
    EXPECT_FALSE(people_.leave("acme", ann.id)) << "the other owner can do nothing";
    must(people_.disable(bob.id, false));
    must(people_.join("acme", ann.id, Role::admin));
    EXPECT_EQ(must(people_.role("acme", ann.id)), Role::admin);
    must(people_.remove(ann.id));
    EXPECT_EQ(must(people_.members("acme")).size(), 1U);
    EXPECT_FALSE(must(people_.role("acme", ann.id)));
    EXPECT_FALSE(must(people_.role("other", bob.id)));
}

TEST_F(PeopleTest, AMemberMayGrantNoAdministration) {
    EXPECT_EQ(most_of(Role::member).text(), "mcp:read mcp:write");
    EXPECT_TRUE(most_of(Role::admin).is_everything());
    EXPECT_TRUE(most_of(Role::owner).is_everything());
    EXPECT_EQ(role_from("owner"), Role::owner);
    EXPECT_FALSE(role_from("root"));
}

TEST(Passwords, AreKeptByArgon2idEachWithItsSalt) {
    const auto one = must(passwords::hash(password)), two = must(passwords::hash(password));
    EXPECT_TRUE(one.starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << one;
    EXPECT_NE(one, two);
    EXPECT_TRUE(passwords::matches(password, one));
    EXPECT_FALSE(passwords::matches(password, ""));
    EXPECT_FALSE(passwords::matches("", ""));
    EXPECT_FALSE(passwords::matches(password, "$argon2id$nonsense"));
}

}  // namespace
}  // namespace pb::access::testing
