// SPDX-License-Identifier: Apache-2.0
// Reading a file that decides what runs: once, without following links, and only if nobody else
// could have written it. Also the digest of its bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::plugin {

// What is asked of who may write a file and its folder.
enum class Guard {
    demanded,  // only root and this user
    advised,   // the same, but others only cost a warning in the log
    none,
};

// The bytes of an ordinary file. busy: it changed meanwhile.
Result<std::string> read_guarded(const std::string& path, std::size_t max_size, Guard guard);

// 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace pb::plugin
