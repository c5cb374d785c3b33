// SPDX-License-Identifier: Apache-2.0
// The plugins folder: what is in the set after every kind of change.
#include "plugin/folder.h"

#include <algorithm>

#include "support.h"

namespace pb::plugin {
namespace {

namespace fs = std::filesystem;

class FolderTest : public testing::Test {
  protected:
    FolderTest() {
        LoaderOptions options;
        options.data_dir = temporary_ / "data";
        loader_ = std::move(*Loader::make(options));
    }

    void start(bool watch = true) {
        folder_ = std::make_unique<PluginFolder>(
            plugins_, *loader_,
            [this](const FolderState& state) {
                std::lock_guard lock(mutex_);
                states_.push_back(describe(state));
                changed_.notify_all();
            },
            std::chrono::milliseconds(20));
        auto started = folder_->start(watch);
        ASSERT_TRUE(started.ok()) << started.error().message;
    }
    // "a.so=plain@1.0.0#1 b.so!", a refusal with '!'.
    static std::string describe(const FolderState& state) {
        std::vector<std::string> parts;
        for (const auto& each : state.libraries)
            parts.push_back(fs::path(each->path).filename().string() + "=" + each->label());
        for (const auto& each : state.refusals)
            parts.push_back(fs::path(each.path).filename().string() + "!");
        std::string text;
        for (const auto& part : parts)
            text += (text.empty() ? "" : " ") + part;
        return text;
    }
    void put(const std::string& name, const std::string& bytes) {
        write(temporary_ / "new", bytes);
        fs::rename(temporary_ / "new", plugins_ + "/" + name);
    }
    // True once the set is that.
    bool becomes(const std::string& expected) {
        std::unique_lock lock(mutex_);
        bool reached = changed_.wait_for(
            lock, long_enough, [&] { return !states_.empty() && states_.back() == expected; });
        EXPECT_EQ(states_.empty() ? "" : states_.back(), expected);
        return reached;
    }
    std::string reason() { return folder_->state().refusals.at(0).reason; }

    TempFolder temporary_;
    const std::string plugins_ = temporary_ / "plugins";
    std::unique_ptr<Loader> loader_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> states_;
    std::unique_ptr<PluginFolder> folder_;
};

TEST_F(FolderTest, AnAbsentFolderIsEmptyUntilItComes) {
    start();
    EXPECT_EQ(states_, (std::vector<std::string>{""}));
    fs::create_directory(plugins_);
    put("a.so", built("plain"));
    EXPECT_TRUE(becomes("a.so=plain@1.0.0#1"));
    EXPECT_EQ(folder_->state().with_capability("plain")->manifest.id, "plain");
    EXPECT_EQ(folder_->state().with_capability("other"), nullptr);
    fs::remove_all(plugins_);
    EXPECT_TRUE(becomes(""));
}

TEST_F(FolderTest, OnlyPluginNamesCount) {
    fs::create_directory(plugins_);
    for (const char* name : {".hidden.so", "readme.txt", "a.so.tmp", "#a.so", "~a.so", ".so"})
        put(name, built("plain"));
    put("a.so", built("plain"));
    start(false);
    EXPECT_EQ(describe(folder_->state()), "a.so=plain@1.0.0#1");
}

TEST_F(FolderTest, AReplacedFileIsANewGenerationAndABrokenOneKeepsTheOld) {
    fs::create_directory(plugins_);
    put("a.so", built("plain"));
    start();
    put("a.so", built("plain_again"));
    EXPECT_TRUE(becomes("a.so=plain@1.0.1#2"));
    put("a.so", built("plain").substr(0, 5000));
    EXPECT_TRUE(becomes("a.so=plain@1.0.1#2 a.so!"));
    EXPECT_NE(reason().find("cut off"), std::string::npos);
    put("a.so", built("plain"));
    EXPECT_TRUE(becomes("a.so=plain@1.0.0#1"));
    fs::remove(plugins_ + "/a.so");
    EXPECT_TRUE(becomes(""));
}

TEST_F(FolderTest, AFileThatIsWrittenInPiecesLoadsInTheEnd) {
    fs::create_directory(plugins_);
    start();
    std::string whole = built("plain");
    std::string path = plugins_ + "/a.so";
    write(path, whole.substr(0, whole.size() / 2));
    EXPECT_TRUE(becomes("a.so!"));
    EXPECT_NE(reason().find("cut off"), std::string::npos);
    std::ofstream(path, std::ios::binary | std::ios::app) << whole.substr(whole.size() / 2);
    EXPECT_TRUE(becomes("a.so=plain@1.0.0#1"));
}

TEST_F(FolderTest, AFolderThatCannotBeReadChangesNothing) {
    auto point_to = [this](const char* target) {
        fs::create_symlink(target, temporary_ / "link");
        fs::rename(temporary_ / "link", plugins_);
    };
    fs::create_directory(temporary_ / "real");
    point_to("real");
    put("a.so", built("plain"));
    start(false);
    EXPECT_EQ(states_.back(), "a.so=plain@1.0.0#1");
    point_to("plugins");  // to itself: not even root can read that
    folder_->rescan();
    folder_->settle();
    EXPECT_EQ(states_.back(), "a.so=plain@1.0.0#1");
    // It is tried again without being asked to.
    fs::rename(temporary_ / "real/a.so", temporary_ / "real/b.so");
    point_to("real");
    EXPECT_TRUE(becomes("b.so=plain@1.0.0#1"));
}

TEST_F(FolderTest, WhatWasRefusedIsTriedAgain) {
    fs::create_directory(plugins_);
    put("a.so", built("plain"));
    fs::permissions(plugins_, fs::perms(0777));
    start(false);
    EXPECT_EQ(states_.back(), "a.so!");
    EXPECT_NE(reason().find("folder can be written by others"), std::string::npos);
    fs::permissions(plugins_, fs::perms(0755));
    EXPECT_TRUE(becomes("a.so=plain@1.0.0#1"));
}

TEST_F(FolderTest, OfTwoFilesWithOneIdTheFirstWins) {
    fs::create_directory(plugins_);
    put("b.so", built("plain"));
    put("c.so", built("plain_again"));
    put("d.so", built("other"));
    start();
    EXPECT_TRUE(becomes("b.so=plain@1.0.0#1 d.so=other@1.0.0#1 c.so!"));
    EXPECT_NE(reason().find("b.so"), std::string::npos);
    EXPECT_NE(reason().find("'plain'"), std::string::npos);
    put("a.so", built("plain_again"));
    EXPECT_TRUE(becomes("a.so=plain@1.0.1#2 d.so=other@1.0.0#1 b.so! c.so!"));
    fs::remove(plugins_ + "/a.so");
    EXPECT_TRUE(becomes("b.so=plain@1.0.0#1 d.so=other@1.0.0#1 c.so!"));
    fs::remove(plugins_ + "/b.so");
    EXPECT_TRUE(becomes("c.so=plain@1.0.1#2 d.so=other@1.0.0#1"));
}

TEST_F(FolderTest, ATouchedFileIsNoChangeForARescan) {
    fs::create_directory(plugins_);
    put("a.so", built("plain"));
    start(false);
    EXPECT_EQ(states_, (std::vector<std::string>{"a.so=plain@1.0.0#1"}));
    put("a.so", built("plain"));
    folder_->rescan();
    folder_->settle();
    EXPECT_EQ(states_.size(), 1u);
    put("b.so", built("other"));
    folder_->rescan();
    folder_->settle();
    EXPECT_EQ(states_.back(), "a.so=plain@1.0.0#1 b.so=other@1.0.0#1");
}

}  // namespace
}  // namespace pb::plugin
