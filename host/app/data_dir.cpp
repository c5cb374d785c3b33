// SPDX-License-Identifier: Apache-2.0
#include "app/data_dir.h"

#include <filesystem>

namespace pb::app {
namespace fs = std::filesystem;

Result<void> make_data_dir(const std::string& path) {
    std::error_code fault;
    const bool is_new = fs::create_directories(path, fault);
    if (is_new) fs::permissions(path, fs::perms::owner_all, fault);
    if (fault) return internal_error("data directory " + path + ": " + fault.message());
    return {};
}

}  // namespace pb::app
