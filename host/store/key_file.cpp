// SPDX-License-Identifier: Apache-2.0
#include "store/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.h"

namespace pb::store {
namespace {

Error unusable(const std::string& path, const std::string& why) {
    return internal_error("the key file '" + path + "' " + why);
}

// A key appears whole under its name, and one that is there stays: a link replaces nothing.
void keep(const std::string& path, const Key& key) {
    std::string temporary = path + ".XXXXXX";
    const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // readable by this user alone
    if (file.get() < 0) return;
    const auto written = ::write(file.get(), key.data(), key.size());
    if (written == static_cast<ssize_t>(key.size()) && ::fsync(file.get()) == 0) [[maybe_unused]]
        const int linked = ::link(temporary.c_str(), path.c_str());
    ::unlink(temporary.c_str());
}

}  // namespace

Result<std::optional<Key>> read_key(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() < 0) {
        if (errno == ENOENT) return std::optional<Key>();
        return unusable(path, std::string("cannot be read: ") + std::strerror(errno));
    }
    struct stat about {};
    if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode))
        return unusable(path, "is no ordinary file");
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return unusable(path, "can be read by others; chmod 600 it");
    Key key{};
    if (about.st_size != static_cast<off_t>(key.size()) ||
        ::read(file.get(), key.data(), key.size()) != static_cast<ssize_t>(key.size()))
        return unusable(path, "does not hold a key of 32 bytes");
    return std::optional<Key>(key);
}

Result<Key> kept_key(const std::string& path) {
    for (const bool made : {false, true}) {
        auto kept = read_key(path);
        if (!kept) return kept.error();
        if (*kept) return **kept;
        if (!made) keep(path, aes_gcm::random_key());
    }
    return unusable(path, "cannot be written");
}

}  // namespace pb::store
