// SPDX-License-Identifier: Apache-2.0
// Secrets: values that are encrypted at rest, on top of the store. Each has a key of its own
// (AES-256-GCM), which a master key wraps; both are bound to the owner and the name, so that no
// record passes for another. The master key is PATCHBAY_MASTER_KEY in the environment (32 bytes as
// base64), or a file in the data directory that is made when the first secret is written.
//
// To change it: the new one in PATCHBAY_MASTER_KEY, the old one in PATCHBAY_MASTER_KEY_PREVIOUS. A
// value is under the new one from its next write; the file's key is readable beside one of the
// environment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/key_file.h"
#include "store/store.h"

namespace pb::store {

inline constexpr std::size_t max_secret = 64u << 10;

struct MasterKeys {
    std::string file;  // used and made where none is named
    std::optional<Key> named, previous;

    // An Error if the environment has what is no key.
    static Result<MasterKeys> of_environment(const std::string& data_dir);
};

class Secrets {
  public:
    Secrets(Store& store, MasterKeys keys) : store_(store), keys_(std::move(keys)) {}

    // [any thread], all of it. Names and versions are as in the store; no error and no log ever
    // holds a value.
    Result<Value> get(const Owner& owner, std::string_view name);
    Result<std::int64_t> put(const Owner& owner, std::string_view name, std::string_view value,
                             std::int64_t if_version = any_version);
    Result<void> remove(const Owner& owner, std::string_view name,
                        std::int64_t if_version = any_version);
    using Each = std::function<void(std::string_view name)>;
    Result<void> list(const Owner& owner, std::string_view prefix, std::string_view after,
                      std::uint32_t limit, const Each& each);

  private:
    Result<Key> writing_key() const;
    Result<Key> reading_key(std::string_view id) const;

    Store& store_;
    const MasterKeys keys_;
};

// The secrets of an organisation itself, which ${secret:name} in its file means.
inline Owner own_secrets(std::string org) { return {std::move(org), ""}; }

// [A-Za-z0-9_.-]{1,128}: what ${secret:name} can name.
bool is_secret_name(std::string_view name);

}  // namespace pb::store
