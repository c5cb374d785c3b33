// SPDX-License-Identifier: Apache-2.0
// Reader: the trail page by page, the newest first. It only reads, beside the writer, from this
// program or another one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace pb::audit {

// What is left empty does not matter.
struct Filter {
    std::optional<std::string> org;              // nullopt: all, for who runs the host
    std::optional<std::int64_t> from_ms, to_ms;  // from <= began < to
    std::string kind, method;
    std::string name;     // the exposed one; "*" stands for anything: "github__*"
    std::string outcome;  // or "failed": all but "ok" and "input_required"
    std::string principal, client, credential, capability, trace_id;
};

struct Page {
    std::vector<std::string> records;  // JSON objects, each on one line
    // For the next page; empty: there is none. A page may hold few records, or none, and have a
    // next one: when they are rare, looking for them is done in portions.
    std::string next;
    // What the trail says was ever lost, of this organisation or of all.
    std::int64_t dropped = 0;

    std::string json() const;  // {"records":[...],"next":"...","dropped":0}
};

constexpr std::size_t most_per_page = 1000;

class Reader {
  public:
    // not_found if there is no trail in this folder yet. `time`: how long a page is looked for.
    static Result<std::unique_ptr<Reader>> open(
        const std::string& folder, std::chrono::milliseconds time = std::chrono::milliseconds(300));

    // [any thread] The records after `cursor` (a page's `next` under the same org; empty: the
    // newest). invalid for a filter, cursor or limit that is none; busy if others are reading.
    Result<Page> page(const Filter& filter, std::string_view cursor = {}, std::size_t limit = 100);

  private:
    // Lets the next one read.
    struct Turn {
        explicit Turn(Reader& of) : reader(of) {}
        ~Turn() {
            {
                const std::lock_guard lock(reader.mutex_);
                reader.reading_ = false;
            }
            reader.free_.notify_one();
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        Reader& reader;
    };

    Reader(store::Database database, std::chrono::milliseconds time)
        : time_(time), database_(std::move(database)) {}
    Result<Page> look_for(const Filter& filter, std::int64_t low, std::int64_t high,
                          std::size_t limit) const;
    Result<std::optional<std::int64_t>> floor(const Filter& filter, std::int64_t low,
                                              std::int64_t high) const;
    Result<std::int64_t> collect(const Filter& filter, std::int64_t low, std::int64_t high,
                                 std::size_t limit, Page& page, std::size_t& bytes) const;
    Result<std::int64_t> dropped(const Filter& filter) const;

    const std::chrono::milliseconds time_;
    std::mutex mutex_;
    std::condition_variable free_;
    bool reading_ = false;
    store::Database database_;
};

}  // namespace pb::audit
