// SPDX-License-Identifier: Apache-2.0
// Checks a plugin file before any of its code runs. The file is read once: hash, checks and the
// copy that is loaded later all see the same bytes, whatever happens to the file meanwhile.
#pragma once

#include <string>

#include "base/result.h"
#include "plugin/manifest.h"

namespace pb::plugin {

struct FilePolicy {
    // For development: a file or folder that others may write is loaded with a warning.
    bool insecure = false;
    std::size_t max_size = 256u << 20;
};

struct CheckedFile {
    std::string path;
    std::string bytes;
    std::string sha256;
    Manifest manifest;
};

// [any thread] An ordinary file (no link), owned by root or this user, writable by nobody else, in
// a folder of which the same is true; a whole ELF library for this machine; one valid manifest; an
// ABI that this host speaks.
Result<CheckedFile> check_file(const std::string& path, const FilePolicy& policy);

}  // namespace pb::plugin
