// SPDX-License-Identifier: Apache-2.0
#include "app/seal_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/log.h"

namespace pb::app {
namespace {

using Key = mcp::Seal::Key;

std::optional<Key> read_key(const std::string& path) {
    Key key{};
    std::ifstream in(path, std::ios::binary);
    if (!in.read(reinterpret_cast<char*>(key.data()), static_cast<std::streamsize>(key.size())))
        return std::nullopt;
    return key;
}

// A key appears whole under its name, and one that is there stays: a link replaces nothing.
void keep_key(const std::string& path, const Key& key) {
    std::string temporary = path + ".XXXXXX";
    const int file = ::mkostemp(temporary.data(), O_CLOEXEC);  // readable by this user alone
    if (file < 0) return;
    const auto written = ::write(file, key.data(), key.size());
    if (written == static_cast<ssize_t>(key.size()) && ::fsync(file) == 0) [[maybe_unused]]
        const int linked = ::link(temporary.c_str(), path.c_str());
    ::close(file);
    ::unlink(temporary.c_str());
}

}  // namespace

Key seal_key(const std::string& data_dir) {
    const std::string path = data_dir + "/seal.key";
    if (const auto kept = read_key(path)) return *kept;
    const auto made = mcp::Seal::random_key();
    keep_key(path, made);
    if (const auto kept = read_key(path)) return *kept;
    log::warning("seal.key_not_kept", {{"path", path}});
    return made;
}

}  // namespace pb::app
