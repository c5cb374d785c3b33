// SPDX-License-Identifier: Apache-2.0
// File: audit.db as its one writer sees it. A record's id holds its time, so that time needs no
// index of its own, the newest are written at the end and the oldest deleted from the beginning.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/packed.h"
#include "audit/queue.h"
#include "base/result.h"
#include "store/database.h"

namespace pb::audit {

// The id is its time in milliseconds and, below that, 22 bits that tell apart what happened in one.
constexpr int id_shift = 22;
constexpr std::int64_t latest_ms = (std::int64_t{1} << 41) - 1;
constexpr std::int64_t id_at(std::int64_t ms) {
    return (ms < 0 ? 0 : ms > latest_ms ? latest_ms : ms) << id_shift;
}

constexpr std::int64_t schema_version = 1;

class File {
  public:
    // Opens or makes it; its folder must exist.
    static Result<File> open(const std::string& path);

    // All of them or none.
    Result<void> append(const std::vector<Chunk>& chunks, std::size_t from, std::size_t count);
    // One record for each organisation that lost some: "audit.dropped".
    Result<void> append(const Loss& loss);
    // Removes some of the oldest, at most `most`: those that are older than `keep`, then, while the
    // file takes more than `keep_bytes`, those of the organisation that has most; 0 is no bound.
    // How many it removed.
    Result<std::int64_t> remove_oldest(std::chrono::milliseconds keep, std::int64_t keep_bytes,
                                       std::int64_t now_ms, std::int64_t most);
    // The file grows to so many pages and no further, as if the disk were full; 0: no bound.
    Result<void> bound_pages(std::int64_t pages);

  private:
    File(store::Database database, store::Statement insert, store::Statement insert_many);
    using Sizes = std::map<std::string_view, std::int64_t>;  // by organisation

    int insert(const store::Statement& statement, std::span<const Packed> records);
    Result<void> insert(std::span<const Packed> records);
    Result<void> hold(const Sizes& sizes);
    Result<std::int64_t> remove(std::string_view sql, std::int64_t below, std::int64_t most);
    Result<std::int64_t> number(std::string_view sql);

    store::Database database_;
    store::Statement insert_, insert_many_;
    std::int64_t next_;  // the lower bits of the next id
};

}  // namespace pb::audit
