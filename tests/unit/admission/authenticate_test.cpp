// SPDX-License-Identifier: Apache-2.0
// Who a caller is when nobody says so.
#include "admission/authenticate.h"

#include <gtest/gtest.h>

namespace pb::admission {
namespace {

TEST(Authenticate, WithoutCredentialsOnlyFromThisMachine) {
    const Authenticator authenticator("home");
    const auto local = authenticator.anonymous(true);
    ASSERT_TRUE(local);
    EXPECT_EQ((*local)->org, "home");
    EXPECT_EQ((*local)->principal, "anonymous");
    EXPECT_EQ((*local)->principal_kind, "anonymous");
    const auto far = authenticator.anonymous(false);
    ASSERT_FALSE(far);
    EXPECT_EQ(far.error().kind, ErrorKind::denied);
    EXPECT_FALSE(far.error().message.empty());
}

TEST(Authenticate, ACapabilityIsAServiceOfItsOrganisation) {
    const auto caller = Authenticator::service("acme", "agents");
    EXPECT_EQ(caller->org, "acme");
    EXPECT_EQ(caller->principal, "service:agents");
    EXPECT_EQ(caller->principal_kind, "service");
}

}  // namespace
}  // namespace pb::admission
