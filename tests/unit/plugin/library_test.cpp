// SPDX-License-Identifier: Apache-2.0
// Loading files: probe, copies, generations, other ABI versions.
#include "plugin/library.h"

#include "plugin/probe.h"
#include "support.h"

namespace pb::plugin {
namespace {

class LibraryTest : public testing::Test {
  protected:
    LoaderOptions options() {
        LoaderOptions made;
        made.data_dir = folder_ / "data";
        made.probe_command = {PROBE_PROGRAM};
        made.probe_timeout = long_enough;
        return made;
    }
    std::unique_ptr<Loader> loader(LoaderOptions with) {
        auto made = Loader::make(std::move(with));
        if (!made) throw std::runtime_error(made.error().message);
        return std::move(*made);
    }
    std::string put(const std::string& name) {
        std::string path = folder_ / (name + ".so");
        write(path, built(name));
        return path;
    }
    std::string refusal(const std::string& name) { return refusal(name, options()); }
    std::string refusal(const std::string& name, LoaderOptions with) {
        auto loaded = loader(std::move(with))->load(put(name));
        return loaded ? "accepted" : loaded.error().message;
    }
    std::string answer(const LibraryPtr& library) {
        static catalog::CallId call = 0;
        auto with = spec();
        with.capability = library->manifest.capabilities.front().name;
        auto instance = start_instance(library, with, host_.wiring);
        if (!instance) return instance.error().message;
        (*instance)->handle({++call, "tools/list", "{}", "{}", 0});
        return host_.calls.end_of(call).body;
    }

    TempFolder folder_;
    Host host_;
};

TEST_F(LibraryTest, LoadsTheCopyAndKeepsTheVerdict) {
    auto made = loader(options());
    auto library = made->load(put("plain"));
    ASSERT_TRUE(library.ok()) << library.error().message;
    EXPECT_EQ((*library)->label(), "plain@1.0.0#1");
    std::string stem = folder_ / "data/plugins/" + (*library)->sha256;
    EXPECT_EQ(read(stem + ".so"), built("plain"));
    EXPECT_EQ(read(stem + ".verdict"), "passed\n");
    // The file that it came from may change now.
    write((*library)->path, "gone");
    EXPECT_EQ(answer(*library), R"({"version":"1.0.0"})");
    // A second start of the host relies on the verdict: its probe would refuse.
    auto later = options();
    later.probe_command = {"/bin/false"};
    EXPECT_EQ(refusal("plain", later), "accepted");
    EXPECT_NE(refusal("other", later).find("exit code 1"), std::string::npos);
}

TEST_F(LibraryTest, CopiesThatNobodyLoadsAnyMoreGo) {
    const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 31);
    std::vector<std::string> stems;
    for (const char* name : {"plain", "other"}) {
        auto library = loader(options())->load(put(name));
        ASSERT_TRUE(library.ok());
        stems.push_back(folder_ / "data/plugins/" + (*library)->sha256);
    }
    auto running = loader(options());
    for (const auto& stem : stems)
        for (const char* ending : {".so", ".verdict"})
            std::filesystem::last_write_time(stem + ending, old);
    ASSERT_TRUE(running->load(put("plain")).ok());  // in use again
    loader(options());
    for (const char* ending : {".so", ".verdict"}) {
        EXPECT_TRUE(std::filesystem::exists(stems[0] + ending));
        EXPECT_FALSE(std::filesystem::exists(stems[1] + ending));
    }
}

TEST_F(LibraryTest, ADamagedCopyIsMadeAnew) {
    auto library = loader(options())->load(put("plain"));
    ASSERT_TRUE(library.ok());
    std::string copy = folder_ / "data/plugins/" + (*library)->sha256 + ".so";
    std::filesystem::remove(copy);
    write(copy, "half");
    EXPECT_EQ(refusal("plain"), "accepted");
    EXPECT_EQ(read(copy), built("plain"));
}

TEST_F(LibraryTest, GenerationsCountAndTheSameBytesAreReused) {
    auto made = loader(options());
    auto first = made->load(put("plain"));
    auto second = made->load(put("plain_again"));
    auto third = made->load(put("plain"));
    auto other = made->load(put("other"));
    ASSERT_TRUE(first.ok() && second.ok() && third.ok() && other.ok());
    EXPECT_EQ((*second)->label(), "plain@1.0.1#2");
    EXPECT_EQ((*third)->label(), "plain@1.0.0#1");
    EXPECT_EQ((*third)->entry, (*first)->entry);
    EXPECT_NE((*second)->entry, (*first)->entry);
    EXPECT_EQ((*other)->generation, 1u);
    EXPECT_EQ(made->images(), 3u);
    EXPECT_EQ(answer(*first), R"({"version":"1.0.0"})");
    EXPECT_EQ(answer(*second), R"({"version":"1.0.1"})");
}

TEST_F(LibraryTest, ImagesAreBounded) {
    auto with = options();
    with.max_images = 1;
    auto made = loader(with);
    ASSERT_TRUE(made->load(put("plain")).ok());
    auto refused = made->load(put("other"));
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("restart"), std::string::npos);
    EXPECT_TRUE(made->load(put("plain")).ok());
}

TEST_F(LibraryTest, AFileWithoutAnEntryPointCountsOnceHoweverOftenItIsTried) {
    auto unprobed = options();
    unprobed.probe_command.clear();
    auto made = loader(unprobed);
    std::string path = put("no_entry");
    for (int round = 0; round < 3; ++round) {
        auto refused = made->load(path);
        ASSERT_FALSE(refused.ok());
        EXPECT_NE(refused.error().message.find("patchbay_plugin_v1"), std::string::npos);
    }
    EXPECT_EQ(made->images(), 1u);
}

TEST_F(LibraryTest, OtherMinorVersionsLoadAndOtherMajorsDoNot) {
    auto made = loader(options());
    for (const char* name : {"newer", "older"}) {
        auto library = made->load(put(name));
        ASSERT_TRUE(library.ok()) << library.error().message;
        EXPECT_EQ(answer(*library), R"({"version":"1.0.0"})");
        auto with = spec();
        with.capability = "plain";
        auto instance = start_instance(*library, with, host_.wiring);
        ASSERT_TRUE(instance.ok());
        (*instance)->cancel(1);
    }
    EXPECT_NE(refusal("next_major").find("plugin ABI 2.0"), std::string::npos);
    EXPECT_NE(refusal("next_major_table").find("plugin ABI 2"), std::string::npos);
    auto unprobed = options();
    unprobed.probe_command.clear();
    auto library = loader(unprobed)->load(put("next_major_table"));
    ASSERT_TRUE(library.ok());
    EXPECT_NE(answer(*library).find("plugin ABI 2"), std::string::npos);
}

TEST_F(LibraryTest, TheProbeCatchesWhatHarmsTheProcess) {
    EXPECT_NE(refusal("no_entry").find("patchbay_plugin_v1"), std::string::npos);
    EXPECT_NE(refusal("exits").find("ended the process"), std::string::npos);
    EXPECT_NE(refusal("crashes").find("while it was loaded"), std::string::npos);
    EXPECT_NE(refusal("refuses").find("refused to make an instance"), std::string::npos);
    auto impatient = options();
    impatient.probe_timeout = std::chrono::milliseconds(300);
    EXPECT_NE(refusal("hangs", impatient).find("hung"), std::string::npos);
}

TEST_F(LibraryTest, TheProbeHasTheServicesOfTheHost) { EXPECT_EQ(refusal("demands"), "accepted"); }

TEST_F(LibraryTest, ACrashIsRememberedAndOtherRefusalsAreNot) {
    EXPECT_EQ(refusal("crashes").find("remembered"), std::string::npos);
    EXPECT_NE(refusal("crashes").find("remembered"), std::string::npos);
    EXPECT_EQ(refusal("no_entry").find("remembered"), std::string::npos);
    EXPECT_EQ(refusal("no_entry").find("remembered"), std::string::npos);
}

TEST_F(LibraryTest, TrustAndIsolationAreAsked) {
    auto picky = options();
    picky.trust.sha256 = {std::string(64, '0')};
    EXPECT_NE(refusal("plain", picky).find("not on the list"), std::string::npos);
    EXPECT_NE(refusal("isolated").find("process of its own"), std::string::npos);
}

}  // namespace
}  // namespace pb::plugin
