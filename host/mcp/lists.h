// SPDX-License-Identifier: Apache-2.0
// The four lists: rendered once for each snapshot and version, cut into pages.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "catalog/snapshot.h"
#include "mcp/render.h"

namespace pb::mcp {

class Lists {
  public:
    Lists(std::size_t page_size, std::string server_info)
        : page_size_(page_size), server_info_(std::move(server_info)) {}

    // [any thread] The result object of a list method. cursor: the client's, empty for the first
    // page; a cursor that no longer fits is an error.
    Result<std::string> page(const catalog::SnapshotPtr& snapshot, Version version, Listed kind,
                             bool has_cursor, std::string_view cursor) const;

  private:
    std::string render(const catalog::Snapshot& snapshot, Version version, Listed kind,
                       std::size_t from, std::size_t to) const;

    std::size_t page_size_;
    std::string server_info_;
    // First pages, by organisation; an entry counts only for its own snapshot version.
    struct Cached {
        std::uint64_t snapshot_version = 0;
        std::string text;
    };
    mutable std::mutex mutex_;
    mutable std::map<std::pair<std::string, int>, Cached> first_pages_;
};

}  // namespace pb::mcp
