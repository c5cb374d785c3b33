// SPDX-License-Identifier: Apache-2.0
#include "access/leaving.h"

#include "support.h"

namespace pb::access::testing {
namespace {

class LeavingTest : public ::testing::Test {
  protected:
    Person add(const std::string& login, const std::string& org, Role role) {
        auto out = must(access_->people.add(login, "", "correct horse battery"));
        must(access_->people.join(org, out.id, role));
        return out;
    }
    Grant grant(const std::string& org, const Person& person) {
        Grant out;
        out.org = org;
        out.person = person.id;
        out.client = "cli_x";
        out.scopes = Scopes::everything();
        return must(access_->grants.add(out));
    }

    test::TempFolder folder_;
    std::unique_ptr<Access> access_ = must(Access::open(folder_.path()));
};

TEST_F(LeavingTest, APersonGoesWithTheLastMembership) {
    const auto ann = add("ann", "acme", Role::owner), bob = add("bob", "acme", Role::member);
    must(access_->people.join("other", bob.id, Role::member));
    const auto here = grant("acme", bob), there = grant("other", bob);

    EXPECT_FALSE(must(remove_member(*access_, "acme", bob.id)));
    EXPECT_FALSE(must(access_->grants.find(here.id)));
    EXPECT_TRUE(must(access_->grants.find(there.id)));
    EXPECT_TRUE(must(access_->people.find("bob")));
    EXPECT_FALSE(remove_member(*access_, "acme", bob.id)) << "no member any more";

    EXPECT_TRUE(must(remove_member(*access_, "other", bob.id)));
    EXPECT_FALSE(must(access_->people.find("bob")));
    EXPECT_FALSE(remove_member(*access_, "acme", ann.id)) << "the last owner";
    EXPECT_TRUE(must(access_->people.find("ann")));
}

TEST_F(LeavingTest, AnOrganisationTakesItsOwnPeopleAlong) {
    must(access_->orgs.add("acme", "{}"));
    const auto ann = add("ann", "acme", Role::owner), bob = add("bob", "acme", Role::member);
    must(access_->people.join("other", bob.id, Role::owner));
    EXPECT_TRUE(must(anything_of(*access_, "acme")));
    must(access_->keys.make("acme", "ci", Scopes::everything(), "cli", {}));
    must(remove_org(*access_, "acme"));
    EXPECT_FALSE(must(access_->people.find("ann")));
    EXPECT_TRUE(must(access_->people.find("bob")));
    EXPECT_FALSE(must(anything_of(*access_, "acme")));
    EXPECT_TRUE(must(anything_of(*access_, "other")));
    EXPECT_FALSE(remove_org(*access_, "acme"));
    EXPECT_TRUE(must(access_->orgs.list()).empty());
    EXPECT_FALSE(access_->orgs.configure("acme", "{}"));
    EXPECT_FALSE(access_->orgs.add("acme", "{}")) << "a name is not given twice";
    EXPECT_FALSE(remove_org(*access_, "other")) << "not made at run time";
    EXPECT_TRUE(must(access_->people.find("bob")));
}

}  // namespace
}  // namespace pb::access::testing
