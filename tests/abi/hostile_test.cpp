// SPDX-License-Identifier: Apache-2.0
// Files that must not be served: each is refused with one clear line, and the others are served.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "abi/bench.h"

namespace pb::abi {
namespace {

namespace fs = std::filesystem;
using plugin::write;

// A plugins folder full of trouble, with what the host has to say about each file.
class HostileFolder {
  public:
    HostileFolder() {
        fs::create_directory(plugins_);
        damaged();
        ill_behaved();
        no_files();
    }

    const std::string& path() const { return plugins_; }
    std::string data() const { return temporary_ / "data"; }
    // By file name: a part of the reason.
    const std::map<std::string, std::string>& reasons() const { return reasons_; }

  private:
    std::string put(const std::string& name, const std::string& bytes, const std::string& reason) {
        const std::string path = plugins_ + "/" + name;
        write(path, bytes);
        if (!reason.empty()) reasons_[name] = reason;
        return path;
    }
    void damaged() {
        const std::string good = built("older");
        const std::string magic(PATCHBAY_MANIFEST_MAGIC, PATCHBAY_MANIFEST_MAGIC_SIZE);
        auto changed = [&good](std::size_t at, std::string_view bytes) {
            std::string copy = good;
            return copy.replace(at, bytes.size(), bytes);
        };
        const std::size_t capsule = good.find(magic);
        put("text.so", "I am a letter, not a library.\n", "no ELF file");
        put("empty.so", "", "no ELF file");
        put("half.so", good.substr(0, good.size() / 2), "cut off");
        put("arm.so", built("arm"), "another machine");
        put("windows.so", built("windows"), "no ELF file");
        put("wrong_magic.so", changed(capsule + 3, "X"), "no Patchbay manifest");
        put("wrong_json.so", changed(capsule + 24, "?"), "not valid JSON");
        put("two_capsules.so", good + good.substr(capsule, 200), "more than one");
        // A good plugin whose manifest, but not whose table, comes from the future.
        put("wrong_abi.so", changed(good.find("\"abi\":\"1.0\"") + 7, "7"), "plugin ABI 7.0");
    }
    void ill_behaved() {
        for (const auto& [name, reason] : std::map<std::string, std::string>{
                 {"no_entry", "does not export patchbay_plugin_v1"},
                 {"undefined", "nowhere_to_be_found"},
                 {"exits", "ended the process while it was loaded"},
                 // AddressSanitizer catches the signal itself and ends the process.
                 {"crashes", SANITIZED ? "while it was loaded"
                                       : "crashed while it was loaded: Segmentation fault"},
                 {"hangs", "hung while it was loaded"},
                 {"next_major", "plugin ABI 2"},
                 {"only_version", "too small"}})
            put(name + ".so", built(name), reason);
        put("thrower.so", built("thrower"), "");
        put("thrower_again.so", built("thrower") + "again", "thrower.so");
    }
    void no_files() {
        chmod(put("open_to_all.so", built("runtime_host"), "can be written by others").c_str(),
              0666);
        write(temporary_ / "elsewhere", built("runtime_host"));
        symlink((temporary_ / "elsewhere").c_str(), (plugins_ + "/link.so").c_str());
        reasons_["link.so"] = "symbolic link";
        mkfifo((plugins_ + "/fifo.so").c_str(), 0600);
        reasons_["fifo.so"] = "no ordinary file";
        fs::create_directory(plugins_ + "/folder.so");
        reasons_["folder.so"] = "no ordinary file";
    }

    TempFolder temporary_;
    const std::string plugins_ = temporary_ / "plugins";
    std::map<std::string, std::string> reasons_;
};

// The refusals in a host's log of JSON lines: reason by file name, of which each may come once.
std::map<std::string, std::string> refusals_in(const std::string& log) {
    std::map<std::string, std::string> found;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        const json event = json::parse(line, nullptr, false);
        if (!event.is_object() || event.value("event", "") != "plugin.refused") continue;
        const std::string name = fs::path(event.value("path", "")).filename();
        EXPECT_TRUE(found.emplace(name, event.value("reason", "")).second) << line;
    }
    return found;
}

TEST(Hostile, EachFileIsRefusedWithOneLineAndTheRestServe) {
    HostileFolder folder;
    auto end = patchbay({"tools", "call", "--plugins", folder.path(), "--data", folder.data(),
                         "--log-format", "json", "thrower__fine"});
    EXPECT_EQ(end.exit_code, 0) << end.errors;
    EXPECT_NE(end.output.find("fine"), std::string::npos) << end.output;
    const auto found = refusals_in(end.errors);
    for (const auto& [name, reason] : folder.reasons()) {
        ASSERT_TRUE(found.contains(name)) << name << "\n" << end.errors;
        EXPECT_NE(found.at(name).find(reason), std::string::npos) << name << ": " << found.at(name);
        EXPECT_EQ(found.at(name).find('\n'), std::string::npos) << name << ": " << found.at(name);
    }
    EXPECT_EQ(found.size(), folder.reasons().size());
}

TEST(Hostile, TheCheckCommandSaysTheSameOfASingleFile) {
    TempFolder folder;
    write(folder / "no_entry.so", built("no_entry"));
    auto refused =
        patchbay({"plugins", "check", folder / "no_entry.so", "--data", folder / "data", "--json"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_NE(refused.output.find("does not export"), std::string::npos) << refused.output;
    write(folder / "thrower.so", built("thrower"));
    auto accepted =
        patchbay({"plugins", "check", folder / "thrower.so", "--data", folder / "data", "--json"});
    EXPECT_EQ(accepted.exit_code, 0) << accepted.output;
}

// Without a probe, so that what gets past the checks is mapped here: a mistake ends this process.
TEST(Hostile, NoTruncationReachesTheLoader) {
    TempFolder folder;
    plugin::LoaderOptions options;
    options.data_dir = folder / "data";
    auto loader = std::move(*plugin::Loader::make(options));
    const std::string whole = built("runtime_host");
    std::set<std::size_t> sizes{0, 1, 15, 16, 63, 64, 65, whole.size() - 1};
    for (std::size_t part = 1; part < 100; ++part)
        sizes.insert(whole.size() * part / 100);
    for (std::size_t page = 0; page < 8; ++page)
        sizes.insert({page * 4096, page * 4096 + 1});
    for (const std::size_t size : sizes) {
        write(folder / "cut.so", whole.substr(0, size));
        auto loaded = loader->load(folder / "cut.so");
        ASSERT_FALSE(loaded.ok()) << size;
        EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
    }
    write(folder / "cut.so", whole);
    EXPECT_TRUE(loader->load(folder / "cut.so").ok());
}

}  // namespace
}  // namespace pb::abi
