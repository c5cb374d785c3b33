// SPDX-License-Identifier: Apache-2.0
// Store: the durable key-value store that capabilities keep their state in, confined by
// organisation and capability. What put() has confirmed survives the end of the process, however it
// ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::store {

// Who keeps something.
struct Owner {
    std::string org;
    std::string capability;
};

inline constexpr std::size_t max_key = 512;
inline constexpr std::size_t max_value = 16u << 20;
inline constexpr std::uint32_t max_list = 1000;
inline constexpr std::int64_t any_version = -1;  // for if_version: whatever is there

struct Value {
    std::string value;
    std::int64_t version = 0;
};

class Store {
  public:
    virtual ~Store() = default;

    // [any thread], all of it. Keys: 1 to max_key bytes of UTF-8 (invalid otherwise).

    // not_found if there is none.
    virtual Result<Value> get(const Owner& owner, std::string_view key) = 0;

    // The new version, which is larger than every earlier one of this key. if_version: the version
    // that must be there now, 0 for none; otherwise busy, and nothing is written.
    virtual Result<std::int64_t> put(const Owner& owner, std::string_view key,
                                     std::string_view value,
                                     std::int64_t if_version = any_version) = 0;

    // not_found if there was nothing to remove; busy as in put.
    virtual Result<void> remove(const Owner& owner, std::string_view key,
                                std::int64_t if_version = any_version) = 0;

    // Keys that start with prefix, in byte order, those after `after`, at most `limit` (1 to
    // max_list). `each` may use the store. Memory stays bounded however large the values are.
    using Each = std::function<void(std::string_view key, std::string_view value)>;
    virtual Result<void> list(const Owner& owner, std::string_view prefix, std::string_view after,
                              std::uint32_t limit, const Each& each) = 0;
};

// Opens or makes the file (SQLite); its folder must exist. The error names the file.
Result<std::unique_ptr<Store>> open_store(const std::string& path);

}  // namespace pb::store
