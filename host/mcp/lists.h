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
    // is_private: it is this caller's alone.
    Result<std::string> page(const catalog::SnapshotPtr& snapshot, bool is_private, Version version,
                             Listed kind, bool has_cursor, std::string_view cursor) const;

  private:
    struct Page {
        bool is_private;
        Version version;
        Listed kind;
        std::size_t from, to;
    };
    std::string render(const catalog::Snapshot& snapshot, const Page& page) const;

    std::size_t page_size_;
    std::string server_info_;
    // First pages, by the snapshot's version and the kind of page. Those of old snapshots go when
    // there is no room left.
    mutable std::mutex mutex_;
    mutable std::map<std::pair<std::uint64_t, int>, std::string> first_pages_;
    mutable std::size_t kept_bytes_ = 0;
};

}  // namespace pb::mcp
