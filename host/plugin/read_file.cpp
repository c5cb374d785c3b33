// SPDX-License-Identifier: Apache-2.0
// Reading files with a look at who may write them.
#include "plugin/read_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/descriptor.h"
#include "base/log.h"

namespace pb::plugin {
namespace {

// Why others could change it; empty if they cannot.
std::string exposure(const struct stat& info, const std::string& what) {
    if (info.st_uid != 0 && info.st_uid != geteuid())
        return what + " belongs to another user; it must belong to root or to the host's user";
    if (info.st_mode & (S_IWGRP | S_IWOTH))
        return what + " can be written by others; remove that with chmod go-w";
    return {};
}

Result<void> check_exposure(const struct stat& file, const std::string& path, Guard guard) {
    if (guard == Guard::none) return {};
    auto folder_path = std::filesystem::absolute(path).parent_path();
    struct stat folder {};
    if (stat(folder_path.c_str(), &folder) != 0)
        return invalid(std::string("its folder cannot be read: ") + std::strerror(errno));
    std::string problem = exposure(file, "the file");
    if (problem.empty()) problem = exposure(folder, "its folder");
    if (problem.empty()) return {};
    if (guard == Guard::demanded) return Error{ErrorKind::denied, problem};
    log::warning("plugin.insecure", {{"path", path}, {"reason", problem}});
    return {};
}

bool same(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

Result<std::string> read_all(int fd, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        ssize_t count = read(fd, bytes.data() + filled, size - filled);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return invalid(std::string("it cannot be read: ") + std::strerror(errno));
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    bytes.resize(filled);
    return bytes;
}

}  // namespace

Result<std::string> read_guarded(const std::string& path, std::size_t max_size, Guard guard) {
    // Without O_NONBLOCK the opening of a FIFO would wait for a writer.
    const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0) {
        if (errno == ELOOP) return invalid("it is a symbolic link; put the file itself there");
        if (errno == ENOENT) return not_found("there is no such file");
        return invalid(std::string("it cannot be opened: ") + std::strerror(errno));
    }
    struct stat before {
    }, after{};
    if (fstat(file.get(), &before) != 0)
        return invalid(std::string("it cannot be examined: ") + std::strerror(errno));
    if (!S_ISREG(before.st_mode)) return invalid("it is no ordinary file");
    auto size = static_cast<std::uint64_t>(before.st_size);
    if (size > max_size) return invalid("it is larger than " + std::to_string(max_size) + " bytes");
    auto guarded = check_exposure(before, path, guard);
    if (!guarded) return guarded.error();
    auto bytes = read_all(file.get(), static_cast<std::size_t>(size));
    if (!bytes) return bytes.error();
    bool still = fstat(file.get(), &after) == 0 && after.st_size == before.st_size &&
                 same(after.st_mtim, before.st_mtim) && bytes->size() == size;
    if (!still) return Error{ErrorKind::busy, "it changed while it was read"};
    return bytes;
}

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        return {};
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned index = 0; index < size; ++index) {
        out += digits[digest[index] >> 4];
        out += digits[digest[index] & 15];
    }
    return out;
}

}  // namespace pb::plugin
