// SPDX-License-Identifier: Apache-2.0
// Writing through a temporary file beside the final one.
#include "plugin/write_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pb::plugin {
namespace {

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace

Result<void> write_file(const std::string& path, std::string_view bytes) {
    std::string temporary = path + ".XXXXXX";
    int fd = mkostemp(temporary.data(), O_CLOEXEC);
    if (fd < 0) return internal_error("'" + path + "' cannot be written: " + std::strerror(errno));
    bool written = write_all(fd, bytes) && fsync(fd) == 0;
    int failure = errno;
    close(fd);
    if (written && rename(temporary.c_str(), path.c_str()) == 0) return {};
    if (written) failure = errno;
    unlink(temporary.c_str());
    return internal_error("'" + path + "' cannot be written: " + std::strerror(failure));
}

}  // namespace pb::plugin
