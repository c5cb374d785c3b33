// SPDX-License-Identifier: Apache-2.0
// Files that must not reach the loader.
#include "plugin/file_check.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "plugin/elf_check.h"
#include "support.h"

namespace pb::plugin {
namespace {

class FileCheckTest : public testing::Test {
  protected:
    FileCheckTest() { write(path_, built("plain")); }

    std::string refusal(const FilePolicy& policy = {}) const { return refusal(path_, policy); }
    std::string refusal(const std::string& path, const FilePolicy& policy = {}) const {
        auto checked = check_file(path, policy);
        return checked ? "accepted" : checked.error().message;
    }
    bool refused_for(const std::string& bytes, const std::string& reason) {
        write(path_, bytes);
        std::string message = refusal();
        EXPECT_NE(message.find(reason), std::string::npos) << message;
        return message != "accepted";
    }

    TempFolder folder_;
    const std::string path_ = folder_ / "plain.so";
};

TEST_F(FileCheckTest, AcceptsAPlugin) {
    auto checked = check_file(path_, {});
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->manifest.id, "plain");
    EXPECT_EQ(checked->bytes, built("plain"));
    EXPECT_EQ(checked->sha256.size(), 64u);
}

TEST_F(FileCheckTest, RefusesEveryTruncation) {
    std::string whole = built("plain");
    std::size_t step = std::max<std::size_t>(whole.size() / 200, 1);
    for (std::size_t size = 0; size < whole.size(); size += step)
        EXPECT_FALSE(check_elf(std::string_view(whole).substr(0, size)).ok()) << size;
    EXPECT_FALSE(check_elf(std::string_view(whole).substr(0, whole.size() - 1)).ok());
    EXPECT_TRUE(refused_for(whole.substr(0, whole.size() / 2), "cut off"));
}

TEST_F(FileCheckTest, SurvivesEveryFlippedHeaderByte) {
    std::string whole = built("plain");
    for (std::size_t at = 0; at < 1024; ++at)
        for (char bit : {'\x01', '\x80', '\xff'}) {
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ bit);
            (void)check_elf(flipped);
        }
    SUCCEED();
}

TEST_F(FileCheckTest, RefusesWhatIsNoLibraryForThisMachine) {
    std::string whole = built("plain");
    EXPECT_TRUE(refused_for("", "no ELF"));
    EXPECT_TRUE(refused_for("#!/bin/sh\necho hello\n", "no ELF"));
    std::string changed = whole;
    changed[4] = 1;  // 32 bits
    EXPECT_TRUE(refused_for(changed, "another machine"));
    changed = whole;
    changed[18] = 40;  // another processor
    changed[19] = 0;
    EXPECT_TRUE(refused_for(changed, "another machine"));
    changed = whole;
    changed[16] = 1;  // an object file
    EXPECT_TRUE(refused_for(changed, "-shared"));
}

TEST_F(FileCheckTest, RefusesASecondDynamicSection) {
    std::string changed = built("plain");
    Elf64_Ehdr header;
    std::memcpy(&header, changed.data(), sizeof header);
    for (std::size_t index = 0; index < header.e_phnum; ++index) {
        char* segment = &changed[header.e_phoff + index * sizeof(Elf64_Phdr)];
        Elf64_Word type;
        std::memcpy(&type, segment, sizeof type);
        const Elf64_Word dynamic = PT_DYNAMIC;
        if (type != PT_LOAD) std::memcpy(segment, &dynamic, sizeof dynamic);
    }
    EXPECT_TRUE(refused_for(changed, "more than one dynamic section"));
}

TEST_F(FileCheckTest, RefusesWrongCapsules) {
    std::string whole = built("plain");
    std::string magic(PATCHBAY_MANIFEST_MAGIC, PATCHBAY_MANIFEST_MAGIC_SIZE);
    std::size_t at = whole.find(magic);
    ASSERT_NE(at, std::string::npos);
    auto changed = [&](std::size_t offset, const std::string& bytes) {
        std::string copy = whole;
        copy.replace(at + offset, bytes.size(), bytes);
        return copy;
    };
    EXPECT_TRUE(refused_for(changed(3, "X"), "no Patchbay manifest"));
    EXPECT_TRUE(refused_for(whole + whole.substr(at, 100), "more than one"));
    EXPECT_TRUE(refused_for(changed(16, "ffffffff"), "larger than"));
    EXPECT_TRUE(refused_for(changed(24, "x"), "not valid JSON"));
    EXPECT_TRUE(refused_for(built("next_major"), "this host loads 1.x"));
}

TEST_F(FileCheckTest, RefusesWhatIsNoOrdinaryFile) {
    EXPECT_NE(refusal(folder_ / "absent.so").find("no such file"), std::string::npos);
    ASSERT_EQ(symlink(path_.c_str(), (folder_ / "link.so").c_str()), 0);
    EXPECT_NE(refusal(folder_ / "link.so").find("symbolic link"), std::string::npos);
    ASSERT_EQ(mkfifo((folder_ / "fifo.so").c_str(), 0600), 0);
    EXPECT_NE(refusal(folder_ / "fifo.so").find("no ordinary file"), std::string::npos);
    ASSERT_EQ(mkdir((folder_ / "folder.so").c_str(), 0700), 0);
    EXPECT_NE(refusal(folder_ / "folder.so").find("no ordinary file"), std::string::npos);
    EXPECT_NE(refusal({.max_size = 1000}).find("larger than 1000"), std::string::npos);
}

TEST_F(FileCheckTest, RefusesWhatOthersMayWriteUnlessToldNotTo) {
    for (mode_t mode : {0664, 0646}) {
        chmod(path_.c_str(), mode);
        EXPECT_NE(refusal().find("the file can be written by others"), std::string::npos);
        EXPECT_EQ(refusal({.insecure = true}), "accepted");
    }
    chmod(path_.c_str(), 0644);
    chmod(folder_.path().c_str(), 0777);
    EXPECT_NE(refusal().find("its folder can be written by others"), std::string::npos);
    EXPECT_EQ(refusal({.insecure = true}), "accepted");
    chmod(folder_.path().c_str(), 0700);
    if (chown(path_.c_str(), 12345, 12345) == 0) {
        EXPECT_NE(refusal().find("belongs to another user"), std::string::npos);
    }
}

TEST_F(FileCheckTest, RefusesADynamicLibcxx) {
    // The name of a library in the dynamic string table, changed in place.
    std::string whole = built("needs");
    auto elf = check_elf(whole);
    ASSERT_TRUE(elf.ok());
    ASSERT_FALSE(elf->needed.empty());
    const std::string& name = elf->needed.front();
    std::size_t at = whole.find('\0' + name + '\0');
    ASSERT_NE(at, std::string::npos);
    ASSERT_GE(name.size(), 9u) << name;
    std::string other = "libc++.so" + std::string(name.size() - 9, 'x');
    whole.replace(at + 1, other.size(), other);
    EXPECT_TRUE(refused_for(whole, "libc++.so"));
}

}  // namespace
}  // namespace pb::plugin
