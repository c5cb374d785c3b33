// SPDX-License-Identifier: Apache-2.0
// Secrets: what is on the disk is not the value, a record is good in its own place alone, and the
// master key can be changed.
#include "store/secrets.h"

#include <sys/stat.h>

#include "../support/files.h"

namespace pb::store {
namespace {

Key key_of(unsigned char byte) {
    Key key;
    key.fill(byte);
    return key;
}

class SecretsTest : public testing::Test {
  protected:
    std::string path() const { return folder_ / "master.key"; }
    Secrets with(std::optional<Key> named, std::optional<Key> previous = {}) {
        return {*store_, {path(), named, previous}};
    }
    // The store's own record of a secret.
    std::string record(const std::string& name) {
        return store_->get({"acme", "secret:mail"}, name)->value;
    }

    test::TempFolder folder_;
    std::unique_ptr<Store> store_ = std::move(*open_store(folder_ / "store.db"));
    const Owner mail_{"acme", "mail"};
};

TEST_F(SecretsTest, AreKeptAndVersionedLikeTheStoresValues) {
    auto secrets = with({});
    const std::string bytes("a\0b\xff", 4);
    const auto first = secrets.put(mail_, "token", bytes, 0);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(secrets.get(mail_, "token")->value, bytes);
    EXPECT_EQ(secrets.get(mail_, "token")->version, *first);
    EXPECT_EQ(secrets.put(mail_, "token", "c", 0).error().kind, ErrorKind::busy);
    ASSERT_TRUE(secrets.put(mail_, "token", "", *first));
    EXPECT_EQ(secrets.get(mail_, "token")->value, "");
    ASSERT_TRUE(secrets.put(mail_, "other", "d"));
    std::vector<std::string> names;
    ASSERT_TRUE(secrets.list(mail_, "", "", 10, [&](auto name) { names.emplace_back(name); }));
    EXPECT_EQ(names, (std::vector<std::string>{"other", "token"}));
    EXPECT_EQ(secrets.get({"acme", "wiki"}, "token").error().kind, ErrorKind::not_found);
    EXPECT_EQ(secrets.get({"other", "mail"}, "token").error().kind, ErrorKind::not_found);
    EXPECT_EQ(store_->get(mail_, "token").error().kind, ErrorKind::not_found);
    ASSERT_TRUE(secrets.remove(mail_, "token"));
    EXPECT_EQ(secrets.remove(mail_, "token").error().kind, ErrorKind::not_found);
    EXPECT_EQ(secrets.put(mail_, "", "v").error().kind, ErrorKind::invalid);
    EXPECT_TRUE(secrets.put(mail_, "long", std::string(max_secret, 'x')));
    EXPECT_EQ(secrets.put(mail_, "long", std::string(max_secret + 1, 'x')).error().kind,
              ErrorKind::invalid);
}

TEST_F(SecretsTest, TheDiskHoldsNoValue) {
    auto secrets = with({});
    ASSERT_TRUE(secrets.put(mail_, "token", "correct horse battery staple"));
    const auto first = record("token");
    EXPECT_EQ(first.find("horse"), std::string::npos);
    ASSERT_TRUE(secrets.put(mail_, "token", "correct horse battery staple"));
    EXPECT_NE(record("token"), first) << "each with a key of its own";
    store_.reset();
    for (const char* file : {"store.db", "store.db-wal"})
        EXPECT_EQ(test::read(folder_ / file).find("horse"), std::string::npos) << file;
}

TEST_F(SecretsTest, ARecordIsGoodInItsOwnPlaceAlone) {
    auto secrets = with({});
    ASSERT_TRUE(secrets.put(mail_, "a", "of a"));
    const auto good = record("a");
    const auto moved = [&](const std::string& org, const std::string& capability,
                           const std::string& name, const std::string& bytes) {
        EXPECT_TRUE(store_->put({org, "secret:" + capability}, name, bytes));
        return secrets.get({org, capability}, name);
    };
    EXPECT_TRUE(moved("acme", "mail", "a", good));
    EXPECT_FALSE(moved("acme", "mail", "b", good));
    EXPECT_FALSE(moved("acme", "wiki", "a", good));
    EXPECT_FALSE(moved("other", "mail", "a", good));
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        EXPECT_FALSE(moved("acme", "mail", "a", bad)) << at;
        EXPECT_FALSE(moved("acme", "mail", "a", good.substr(0, at))) << at;
    }
}

TEST_F(SecretsTest, TheMasterKeyIsAFileOfThisUserAloneMadeAtFirstUse) {
    auto secrets = with({});
    EXPECT_EQ(secrets.get(mail_, "token").error().kind, ErrorKind::not_found);
    EXPECT_FALSE(std::filesystem::exists(path())) << "a look makes none";
    ASSERT_TRUE(secrets.put(mail_, "token", "v"));
    struct stat about {};
    ASSERT_EQ(stat(path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
    EXPECT_EQ(with({}).get(mail_, "token")->value, "v") << "another host of the same folder";
    ASSERT_EQ(chmod(path().c_str(), 0640), 0);
    const auto refused = secrets.get(mail_, "token");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
    EXPECT_FALSE(secrets.put(mail_, "token", "w"));
}

TEST_F(SecretsTest, TheMasterKeyCanBeChanged) {
    ASSERT_TRUE(with({}).put(mail_, "file", "under the file's"));
    auto first = with(key_of(1));
    EXPECT_EQ(first.get(mail_, "file")->value, "under the file's");
    ASSERT_TRUE(first.put(mail_, "token", "v"));
    auto both = with(key_of(2), key_of(1));
    EXPECT_EQ(both.get(mail_, "token")->value, "v");
    auto second = with(key_of(2));
    const auto lost = second.get(mail_, "token");
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().kind, ErrorKind::internal);
    EXPECT_NE(lost.error().message.find("PATCHBAY_MASTER_KEY_PREVIOUS"), std::string::npos);
    ASSERT_TRUE(both.put(mail_, "token", "v"));
    EXPECT_EQ(second.get(mail_, "token")->value, "v") << "from its next write";
}

class MasterKeysTest : public testing::Test {
  protected:
    ~MasterKeysTest() override {
        unsetenv("PATCHBAY_MASTER_KEY");
        unsetenv("PATCHBAY_MASTER_KEY_PREVIOUS");
    }
};

TEST_F(MasterKeysTest, AreReadFromTheEnvironment) {
    EXPECT_FALSE(MasterKeys::of_environment("d")->named);
    setenv("PATCHBAY_MASTER_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", 1);
    setenv("PATCHBAY_MASTER_KEY_PREVIOUS", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=", 1);
    const auto keys = MasterKeys::of_environment("d");
    ASSERT_TRUE(keys) << keys.error().message;
    EXPECT_EQ(keys->file, "d/master.key");
    EXPECT_EQ(keys->named, key_of(1));
    EXPECT_EQ(keys->previous, key_of(2));
}

TEST_F(MasterKeysTest, WhatIsNoKeyIsRefusedAndNotRepeated) {
    for (const char* wrong : {"secretsecret", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
                              "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAA==",
                              "AQEBAQEBAQEBAQEBAQEB*QEBAQEBAQEBAQEBAQEBAQE="}) {
        setenv("PATCHBAY_MASTER_KEY", wrong, 1);
        const auto keys = MasterKeys::of_environment("d");
        ASSERT_FALSE(keys) << wrong;
        EXPECT_NE(keys.error().message.find("PATCHBAY_MASTER_KEY"), std::string::npos);
        EXPECT_EQ(keys.error().message.find(wrong), std::string::npos);
    }
}

TEST(SecretNames, AreWhatAReferenceCanHold) {
    for (const char* good : {"a", "API_KEY", "a.b-c", "7"})
        EXPECT_TRUE(is_secret_name(good)) << good;
    for (const char* bad : {"", "a b", "a/b", "a}", "\xc3\xa4"})
        EXPECT_FALSE(is_secret_name(bad)) << bad;
    EXPECT_TRUE(is_secret_name(std::string(128, 'a')));
    EXPECT_FALSE(is_secret_name(std::string(129, 'a')));
}

}  // namespace
}  // namespace pb::store
