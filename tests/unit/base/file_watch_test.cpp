// SPDX-License-Identifier: Apache-2.0
// Watching files and folders through everything that editors and deployments do to them.
#include "base/file_watch.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>

#include "support/files.h"

namespace pb {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
  protected:
    void watch(std::vector<std::string> paths) {
        auto started = FileWatch::start(
            std::move(paths),
            [this] {
                std::lock_guard lock(mutex_);
                ++notices_;
                changed_.notify_all();
            },
            std::chrono::milliseconds(10));
        ASSERT_TRUE(started.ok()) << started.error().message;
        watch_ = std::move(*started);
    }
    // A notice that comes after `action`.
    template <class Action>
    bool notices(Action action) {
        std::unique_lock lock(mutex_);
        int before = notices_;
        lock.unlock();
        action();
        lock.lock();
        return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return notices_ > before; });
    }
    int count() {
        std::lock_guard lock(mutex_);
        return notices_;
    }
    void write(const fs::path& path, const char* text = "x") { std::ofstream(path) << text; }

    const test::TempFolder folder_;
    const fs::path root_ = folder_.path();
    std::mutex mutex_;
    std::condition_variable changed_;
    int notices_ = 0;
    std::unique_ptr<FileWatch> watch_;
};

TEST_F(FileWatchTest, SeesAFileWrittenRenamedOverAndRemoved) {
    auto file = root_ / "config.json";
    write(file);
    watch({file});
    EXPECT_TRUE(notices([&] { write(file, "y"); }));
    for (int round = 0; round < 3; ++round)
        EXPECT_TRUE(notices([&] {
            write(root_ / "new");
            fs::rename(root_ / "new", file);
        }));
    EXPECT_TRUE(notices([&] { fs::remove(file); }));
    EXPECT_TRUE(notices([&] { write(file); }));
}

TEST_F(FileWatchTest, IgnoresOtherFilesBesideAWatchedOne) {
    write(root_ / "mine");
    std::mutex mutex;
    std::condition_variable changed;
    bool seen = false;
    auto beside = FileWatch::start({root_ / "other"}, [&] {
        std::lock_guard lock(mutex);
        seen = true;
        changed.notify_all();
    });
    ASSERT_TRUE(beside.ok());
    watch({root_ / "mine"});
    write(root_ / "other");
    {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return seen; }));
    }
    // One event, so one notice: a second would be that of the other file.
    EXPECT_TRUE(notices([&] { fs::permissions(root_ / "mine", fs::perms::owner_read); }));
    EXPECT_EQ(count(), 1);
}

TEST_F(FileWatchTest, FollowsAFolderThroughItsRemovalAndReturn) {
    auto folder = root_ / "a" / "plugins";
    watch({folder});
    EXPECT_TRUE(notices([&] { fs::create_directories(folder); }));
    EXPECT_TRUE(notices([&] { write(folder / "one.so"); }));
    EXPECT_TRUE(notices([&] { fs::remove_all(root_ / "a"); }));
    EXPECT_TRUE(notices([&] { fs::create_directories(folder); }));
    // The new folder is watched once its own notice has come; until then the write is part of it.
    EXPECT_TRUE(notices([&] { write(folder / "two.so"); }));
}

TEST_F(FileWatchTest, AReceiverThatThrowsIsToldAgain) {
    write(root_ / "file");
    std::mutex mutex;
    std::condition_variable changed;
    int told = 0;
    auto thrower = FileWatch::start(
        {root_ / "file"},
        [&] {
            std::lock_guard lock(mutex);
            ++told;
            changed.notify_all();
            throw std::runtime_error("no memory for this");
        },
        std::chrono::milliseconds(10));
    ASSERT_TRUE(thrower.ok());
    for (int round = 1; round <= 2; ++round) {
        write(root_ / "file");
        std::unique_lock lock(mutex);
        ASSERT_TRUE(
            changed.wait_for(lock, std::chrono::seconds(30), [&] { return told >= round; }));
    }
}

TEST_F(FileWatchTest, ABurstIsFewNotices) {
    auto folder = root_ / "plugins";
    fs::create_directory(folder);
    watch({folder});
    EXPECT_TRUE(notices([&] {
        for (int index = 0; index < 500; ++index)
            write(folder / std::to_string(index));
    }));
    EXPECT_LT(count(), 500);
}

}  // namespace
}  // namespace pb
