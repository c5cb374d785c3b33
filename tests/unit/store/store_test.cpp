// SPDX-License-Identifier: Apache-2.0
// The store: versions, confinement, order, limits, durability.
#include "store/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/files.h"

namespace pb::store {
namespace {

// A process that does not outlive the test.
struct Child {
    pid_t id;
    ~Child() { end(); }
    void end() {
        if (id <= 0) return;
        kill(id, SIGKILL);
        waitpid(id, nullptr, 0);
        id = 0;
    }
};

class StoreTest : public testing::Test {
  protected:
    StoreTest() { reopen(); }

    void reopen() {
        store_.reset();
        auto opened = open_store(path_);
        if (!opened) throw std::runtime_error(opened.error().message);
        store_ = std::move(*opened);
    }
    std::vector<std::string> keys(std::string_view prefix, std::string_view after = {},
                                  std::uint32_t limit = 1000) {
        std::vector<std::string> out;
        auto listed =
            store_->list(me_, prefix, after, limit,
                         [&](std::string_view key, std::string_view) { out.emplace_back(key); });
        EXPECT_TRUE(listed.ok());
        return out;
    }

    const test::TempFolder temporary_;
    const std::string folder_ = temporary_.path(), path_ = folder_ + "/store.db";
    const Owner me_{"acme", "notes"};
    std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, WhatIsPutIsThereAfterReopening) {
    std::string bytes("\0\xff\n", 3);
    auto version = store_->put(me_, "key", bytes);
    ASSERT_TRUE(version.ok());
    reopen();
    auto value = store_->get(me_, "key");
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(value->value, bytes);
    EXPECT_EQ(value->version, *version);
}

TEST_F(StoreTest, AbsentKeysAreNotFound) {
    EXPECT_EQ(store_->get(me_, "key").error().kind, ErrorKind::not_found);
    EXPECT_EQ(store_->remove(me_, "key").error().kind, ErrorKind::not_found);
}

TEST_F(StoreTest, VersionsGrowEvenAcrossRemoval) {
    auto first = store_->put(me_, "key", "1");
    auto second = store_->put(me_, "key", "2");
    ASSERT_TRUE(store_->remove(me_, "key").ok());
    auto third = store_->put(me_, "key", "3");
    EXPECT_GT(*first, 0);
    EXPECT_GT(*second, *first);
    EXPECT_GT(*third, *second);
}

TEST_F(StoreTest, IfVersionDecides) {
    EXPECT_EQ(store_->put(me_, "key", "x", 7).error().kind, ErrorKind::busy);
    auto first = store_->put(me_, "key", "1", 0);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(store_->put(me_, "key", "2", 0).error().kind, ErrorKind::busy);
    EXPECT_EQ(store_->get(me_, "key")->value, "1");
    auto second = store_->put(me_, "key", "2", *first);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(store_->remove(me_, "key", *first).error().kind, ErrorKind::busy);
    EXPECT_TRUE(store_->remove(me_, "key", *second).ok());
    EXPECT_EQ(store_->put(me_, "key", "x", -2).error().kind, ErrorKind::invalid);
}

TEST_F(StoreTest, OwnersDoNotSeeEachOther) {
    ASSERT_TRUE(store_->put(me_, "key", "mine").ok());
    for (const Owner& other :
         {Owner{"acme", "other"}, Owner{"other", "notes"}, Owner{"acm", "enotes"}}) {
        EXPECT_EQ(store_->get(other, "key").error().kind, ErrorKind::not_found);
        EXPECT_TRUE(store_->put(other, "key", "theirs", 0).ok());
        EXPECT_TRUE(store_->remove(other, "key").ok());
    }
    EXPECT_EQ(store_->get(me_, "key")->value, "mine");
}

TEST_F(StoreTest, ListsByPrefixInByteOrder) {
    for (const char* key : {"b", "a/2", "a/10", "a", "a0", "\xc3\xa9", "a/\xf4\x8f\xbf\xbf"})
        ASSERT_TRUE(store_->put(me_, key, key).ok());
    EXPECT_EQ(keys("a/"), (std::vector<std::string>{"a/10", "a/2", "a/\xf4\x8f\xbf\xbf"}));
    EXPECT_EQ(keys("").size(), 7u);
    EXPECT_EQ(keys("").back(), "\xc3\xa9");
    EXPECT_EQ(keys("a", "a/10", 2), (std::vector<std::string>{"a/2", "a/\xf4\x8f\xbf\xbf"}));
    EXPECT_TRUE(keys("zz").empty());
}

TEST_F(StoreTest, LargeListsComeWholeAndTheReceiverMayUseTheStore) {
    std::string large(1u << 20, 'x');
    for (int index = 0; index < 10; ++index)
        ASSERT_TRUE(store_->put(me_, "k" + std::to_string(index), large).ok());
    int seen = 0;
    auto listed =
        store_->list(me_, "k", "", 1000, [&](std::string_view key, std::string_view value) {
            EXPECT_EQ(value.size(), large.size());
            EXPECT_TRUE(store_->remove(me_, key).ok());
            ++seen;
        });
    EXPECT_TRUE(listed.ok());
    EXPECT_EQ(seen, 10);
    EXPECT_TRUE(keys("k").empty());
}

TEST_F(StoreTest, LimitsAreKept) {
    EXPECT_EQ(store_->put(me_, "", "x").error().kind, ErrorKind::invalid);
    EXPECT_TRUE(store_->put(me_, std::string(512, 'k'), "x").ok());
    EXPECT_EQ(store_->put(me_, std::string(513, 'k'), "x").error().kind, ErrorKind::invalid);
    EXPECT_EQ(store_->put(me_, "\xff", "x").error().kind, ErrorKind::invalid);
    EXPECT_EQ(store_->put(me_, "a\xed\xa0\x80", "x").error().kind, ErrorKind::invalid);
    EXPECT_TRUE(store_->put(me_, "big", std::string(max_value, 'v')).ok());
    EXPECT_EQ(store_->put(me_, "big", std::string(max_value + 1, 'v')).error().kind,
              ErrorKind::invalid);
    for (std::uint32_t limit : {0u, 1001u})
        EXPECT_FALSE(store_->list(me_, "", "", limit, [](auto, auto) {}).ok());
}

TEST_F(StoreTest, ConfirmedWritesSurviveAKill) {
    store_.reset();
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    Child child{fork()};
    if (child.id == 0) {
        auto opened = open_store(path_);
        bool written = opened.ok() && (*opened)->put(me_, "key", "value").ok();
        char answer = written ? 'y' : 'n';
        [[maybe_unused]] auto sent = write(ready[1], &answer, 1);
        pause();
        _exit(0);
    }
    close(ready[1]);  // so that the end of the child ends the reading
    char answer = 0;
    EXPECT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    close(ready[0]);
    child.end();
    reopen();
    auto value = store_->get(me_, "key");
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(value->value, "value");
}

TEST_F(StoreTest, ManyThreadsAndTwoConnectionsLoseNothing) {
    auto second = open_store(path_);
    ASSERT_TRUE(second.ok());
    auto count = [&](Store& store) {
        for (int done = 0; done < 50;) {
            auto value = store.get(me_, "counter");
            std::int64_t version = value ? value->version : 0;
            int number = value ? std::stoi(value->value) : 0;
            if (store.put(me_, "counter", std::to_string(number + 1), version)) ++done;
        }
    };
    std::vector<std::thread> threads;
    for (int index = 0; index < 2; ++index) {
        threads.emplace_back([&] { count(*store_); });
        threads.emplace_back([&] { count(**second); });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(store_->get(me_, "counter")->value, "200");
}

TEST_F(StoreTest, SomebodyElseMayBeAtANewFile) {
    const std::string path = folder_ + "/new.db";
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
    // It is about to write, as another host that begins.
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    std::filesystem::permissions(path, std::filesystem::perms::all);
    // What open_store() does before it first needs a lock.
    constexpr auto made_private =
        std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
    std::thread thread([&] {
        auto opened = open_store(path);
        EXPECT_TRUE(opened) << opened.error().message;
    });
    while (std::filesystem::status(path).permissions() != made_private)
        std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
    thread.join();
    sqlite3_close(other);
}

TEST_F(StoreTest, RefusesWhatItCannotRead) {
    EXPECT_NE(open_store(folder_ + "/absent/store.db").error().message.find("absent"),
              std::string::npos);
    store_.reset();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, "UPDATE schema SET version=99", nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(raw);
    EXPECT_EQ(open_store(path_).error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace pb::store
