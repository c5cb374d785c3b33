// SPDX-License-Identifier: Apache-2.0
// The store: everything or an error at the start; afterwards bad files change nothing.
#include "config/config_store.h"

#include <condition_variable>

#include "files.h"

namespace pb::config {
namespace {

class ConfigStoreTest : public FilesTest {
  protected:
    ConfigStoreTest() {
        log::configure(log::Level::off, log::Format::text);
        overrides_.config_file = write("patchbay.json", R"({"drain_ms": 1})");
        write("orgs/acme.json", R"({"instructions": "Acme"})");
        write("orgs/beta.json", R"({"instructions": "Beta"})");
    }
    ~ConfigStoreTest() override { log::configure(log::Level::info, log::Format::text); }

    std::unique_ptr<ConfigStore> open() {
        auto store = ConfigStore::open(overrides_);
        EXPECT_TRUE(store) << store.error().message;
        return store ? std::move(*store) : nullptr;
    }

    Overrides overrides_;
};

TEST_F(ConfigStoreTest, LoadsTheHostAndEveryOrganisation) {
    write("orgs/.hidden.json", "not json");
    write("orgs/notes.txt", "not json");
    std::filesystem::create_directory(folder_ / "orgs/folder.json");
    const auto set = open()->current();
    EXPECT_EQ(set->host.drain, std::chrono::milliseconds(1));
    ASSERT_EQ(set->orgs.size(), 3U);
    EXPECT_EQ(set->orgs.at("acme")->instructions, "Acme");
    EXPECT_EQ(set->orgs.at("beta")->instructions, "Beta");
    EXPECT_EQ(set->orgs.at("default")->name, "default");  // nothing configured: everything
    EXPECT_TRUE(set->orgs.at("default")->capability("anything"));
}

TEST_F(ConfigStoreTest, NamesEveryBadFileAtTheStart) {
    write("orgs/acme.json", R"({"titel": 1})");
    write("orgs/beta.json", "{");
    auto store = ConfigStore::open(overrides_);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("acme.json:1: /titel"), std::string::npos)
        << store.error().message;
    EXPECT_NE(store.error().message.find("beta.json:1:"), std::string::npos)
        << store.error().message;
}

TEST_F(ConfigStoreTest, AnOrgFolderThatWasNamedMustExist) {
    overrides_.org_dir = path("absent");
    EXPECT_FALSE(ConfigStore::open(overrides_));
    overrides_.org_dir.reset();
    overrides_.config_file = write("patchbay.json", R"({"org_dir": "orgz"})");
    auto store = ConfigStore::open(overrides_);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find(path("orgz")), std::string::npos) << store.error().message;
    overrides_.org_dir = path("orgs");  // wins over the file
    EXPECT_TRUE(ConfigStore::open(overrides_));
}

TEST_F(ConfigStoreTest, WithoutAnOrgFolderTheAnonymousOrganisationHasEverything) {
    std::filesystem::remove_all(path("orgs"));
    auto store = open();
    EXPECT_EQ(store->current()->orgs.size(), 1U);
    EXPECT_EQ(store->reload(), "");
    write("orgs/acme.json", "{}");
    EXPECT_EQ(store->reload(), "");
    EXPECT_EQ(store->current()->orgs.count("acme"), 1U);
}

TEST_F(ConfigStoreTest, AnOrgFolderThatCannotBeReadIsNotAnEmptyOne) {
    write("orgs/default.json", R"({"capabilities": {}})");
    auto store = open();
    const auto before = store->current();
    std::filesystem::rename(path("orgs"), path("away"));
    EXPECT_NE(store->reload().find(path("orgs")), std::string::npos);
    EXPECT_EQ(store->current(), before);
    write("orgs", "a file");
    EXPECT_NE(store->reload().find(path("orgs")), std::string::npos);
    EXPECT_EQ(store->current(), before);
    EXPECT_FALSE(ConfigStore::open(overrides_));
}

TEST_F(ConfigStoreTest, ReloadReplacesWhatChangedAndOnlyThat) {
    auto store = open();
    const auto before = store->current();
    write("orgs/acme.json", R"({"instructions": "Acme & Sons"})");
    write("orgs/gamma.json", "{}");
    std::filesystem::remove(path("orgs/beta.json"));
    EXPECT_EQ(store->reload(), "");
    const auto now = store->current();
    EXPECT_EQ(now->orgs.at("acme")->instructions, "Acme & Sons");
    EXPECT_EQ(now->orgs.count("beta"), 0U);
    EXPECT_EQ(now->orgs.count("gamma"), 1U);
    EXPECT_EQ(now->orgs.at("default"), before->orgs.at("default"));  // the same object
    EXPECT_EQ(before->orgs.at("acme")->instructions, "Acme");
    EXPECT_EQ(before->orgs.count("beta"), 1U);
}

TEST_F(ConfigStoreTest, AReloadWithoutChangeKeepsTheSet) {
    auto store = open();
    const auto before = store->current();
    EXPECT_EQ(store->reload(), "");
    EXPECT_EQ(store->current(), before);
}

TEST_F(ConfigStoreTest, ABadFileKeepsWhatItSaidBefore) {
    auto store = open();
    write("orgs/acme.json", R"({"instructions": 7})");
    write("orgs/beta.json", R"({"instructions": "New"})");
    write("patchbay.json", "{\n\"drain_ms\": \"long\"}");
    const std::string refused = store->reload();
    EXPECT_NE(refused.find("acme.json:1: /instructions"), std::string::npos) << refused;
    EXPECT_NE(refused.find("patchbay.json:2: /drain_ms"), std::string::npos) << refused;
    EXPECT_EQ(store->current()->orgs.at("acme")->instructions, "Acme");
    EXPECT_EQ(store->current()->orgs.at("beta")->instructions, "New");
    EXPECT_EQ(store->current()->host.drain, std::chrono::milliseconds(1));
}

TEST_F(ConfigStoreTest, WhereCallersBelongDoesNotMoveWhileTheyAreServed) {
    auto store = open();
    write("patchbay.json", R"({"anonymous_org": "acme", "org_dir": ".", "drain_ms": 2})");
    EXPECT_EQ(store->reload(), "");
    const auto now = store->current();
    EXPECT_EQ(now->host.drain, std::chrono::milliseconds(2));
    EXPECT_EQ(now->host.anonymous_org, "default");
    EXPECT_EQ(now->orgs.count("default"), 1U);
    EXPECT_EQ(now->orgs.count("beta"), 1U);
}

TEST_F(ConfigStoreTest, AHostFileThatIsGoneIsNotAWishForTheDefaults) {
    auto store = open();
    std::filesystem::remove(path("patchbay.json"));
    EXPECT_NE(store->reload().find("patchbay.json"), std::string::npos);
    EXPECT_EQ(store->current()->host.drain, std::chrono::milliseconds(1));
}

TEST_F(ConfigStoreTest, TheUsualHostFileThatIsGoneIsNotEither) {
    const auto where = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
    write("etc/patchbay.json", R"({"drain_ms": 3})");
    overrides_.config_file.reset();
    auto store = open();
    std::filesystem::remove(path("etc/patchbay.json"));
    EXPECT_NE(store->reload(), "");
    EXPECT_EQ(store->current()->host.drain, std::chrono::milliseconds(3));
    std::filesystem::current_path(where);
}

TEST_F(ConfigStoreTest, ARefusalIsLoggedWithTheReason) {
    auto store = open();
    write("orgs/acme.json", R"({"instructions": 7})");
    log::configure(log::Level::info, log::Format::text);
    ::testing::internal::CaptureStderr();
    store->reload();
    const std::string logged = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(logged.find(" error event=config.refused file="), std::string::npos) << logged;
    EXPECT_NE(logged.find("/instructions"), std::string::npos) << logged;
}

TEST_F(ConfigStoreTest, WatchTellsOfANewSet) {
    auto store = open();
    std::mutex mutex;
    std::condition_variable told;
    std::vector<std::string> texts;
    auto watching = store->watch([&](const ConfigSetPtr& before, const ConfigSetPtr& now) {
        const std::lock_guard lock(mutex);
        EXPECT_NE(before, now);
        texts.push_back(now->orgs.at("acme")->instructions);
        told.notify_all();
    });
    ASSERT_TRUE(watching) << watching.error().message;
    write("orgs/acme.json", R"({"instructions": "Seen"})");
    std::unique_lock lock(mutex);
    ASSERT_TRUE(told.wait_for(lock, std::chrono::seconds(60),
                              [&] { return !texts.empty() && texts.back() == "Seen"; }));
    EXPECT_EQ(store->current()->orgs.at("acme")->instructions, "Seen");
}

TEST_F(ConfigStoreTest, WatchSeesWhatChangedBeforeIt) {
    auto store = open();
    write("orgs/acme.json", R"({"instructions": "Between"})");
    std::string seen;
    ASSERT_TRUE(store->watch([&](const ConfigSetPtr&, const ConfigSetPtr& now) {
        seen = now->orgs.at("acme")->instructions;
    }));
    EXPECT_EQ(store->current()->orgs.at("acme")->instructions, "Between");
    store.reset();  // no call comes any more
    EXPECT_EQ(seen, "Between");
}

}  // namespace
}  // namespace pb::config
