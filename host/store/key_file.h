// SPDX-License-Identifier: Apache-2.0
// A key in a file: random bytes of this user alone, made when they are first needed.
#pragma once

#include <optional>
#include <string>

#include "base/aes_gcm.h"
#include "base/result.h"

namespace pb::store {

using aes_gcm::Key;

// The key that the file holds; nothing if there is no such file. Refused: one that others can read,
// or that is no key.
Result<std::optional<Key>> read_key(const std::string& path);

// The same, made if there is none. Processes that start at the same time agree on one.
Result<Key> kept_key(const std::string& path);

}  // namespace pb::store
