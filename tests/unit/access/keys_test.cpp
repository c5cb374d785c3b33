// SPDX-License-Identifier: Apache-2.0
#include "access/keys.h"

#include <fstream>
#include <sstream>

#include "support.h"

namespace pb::access::testing {
namespace {

class KeysTest : public WithRecords {
  protected:
    Keys::Made make(const std::string& org, std::optional<Millis> expires = std::nullopt) {
        return must(
            keys_.make(org, "build", must(Scopes::parse("mcp:read action:ci")), "usr_1", expires));
    }

    Keys keys_{records_};
};

TEST_F(KeysTest, AreFoundByTheirSecretAlone) {
    const auto made = make("acme");
    EXPECT_TRUE(made.secret.starts_with("pb_"));
    EXPECT_EQ(made.secret.size(), 3U + 43U) << "256 random bits";
    const auto found = must(keys_.find(made.secret));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, made.key.id);
    EXPECT_EQ(found->org, "acme");
    EXPECT_EQ(found->scopes.text(), "mcp:read action:ci");
    EXPECT_FALSE(must(keys_.find(made.key.id)));
    EXPECT_FALSE(must(keys_.find(made.secret + "a")));
    EXPECT_FALSE(must(keys_.find("")));
}

TEST_F(KeysTest, TheirSecretIsNowhereInTheFile) {
    const auto made = make("acme");
    for (const std::string name : {"access.db", "access.db-wal"}) {
        std::ifstream file(folder_.path() + "/" + name, std::ios::binary);
        std::stringstream bytes;
        bytes << file.rdbuf();
        EXPECT_EQ(bytes.str().find(made.secret.substr(3)), std::string::npos) << name;
    }
}

TEST_F(KeysTest, ExpireAndAreRevoked) {
    EXPECT_FALSE(keys_.make("acme", "late", Scopes::everything(), "cli", now_ms() - 1));
    const auto made = make("acme", now_ms() + 3'600'000);
    EXPECT_TRUE(must(keys_.find(made.secret)));
    must(Result<void>(records_->use()->run("UPDATE api_key SET expires_ms=1").ok()
                          ? Result<void>()
                          : invalid("no update")));
    EXPECT_FALSE(must(keys_.find(made.secret)));
    const auto other = make("acme");
    EXPECT_FALSE(keys_.revoke("globex", other.key.id)) << "another organisation's";
    EXPECT_TRUE(must(keys_.find(other.secret)));
    must(keys_.revoke("acme", other.key.id));
    EXPECT_FALSE(must(keys_.find(other.secret)));
}

TEST_F(KeysTest, AreListedByOrganisationWithTheirLastUse) {
    const auto made = make("acme");
    make("globex");
    keys_.used(made.key.id, 42);
    const auto all = must(keys_.list("acme"));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].id, made.key.id);
    EXPECT_EQ(all[0].used_ms, 42);
    EXPECT_EQ(all[0].created_by, "usr_1");
}

TEST_F(KeysTest, HaveANameAndMayDoSomething) {
    EXPECT_FALSE(keys_.make("acme", "", Scopes::everything(), "cli", {}));
    EXPECT_FALSE(keys_.make("acme", "a\nb", Scopes::everything(), "cli", {}));
    EXPECT_FALSE(keys_.make("acme", "a", Scopes(), "cli", {}));
}

}  // namespace
}  // namespace pb::access::testing
