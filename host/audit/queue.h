// SPDX-License-Identifier: Apache-2.0
// Queue: the records that wait for the writer. Bounded in number and bytes; whoever adds never
// waits for the disk: what finds no room is counted, for each organisation.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pb::audit {

// Some packed records, one behind the other.
struct Chunk {
    std::string bytes;
    std::size_t records = 0;
};

// What could not be kept, between two times.
struct Loss {
    std::int64_t from_ms = 0, to_ms = 0;
    std::uint64_t records = 0;
    std::map<std::string, std::uint64_t, std::less<>> by_org;
};

class Queue {
  public:
    using Clock = std::chrono::steady_clock;

    Queue(std::size_t most_records, std::size_t most_bytes)
        : most_records_(most_records), most_bytes_(most_bytes) {}

    // [any thread] False if there was no room: the first of a row of losses sets `first`.
    bool add(std::string_view packed, std::string_view org, std::int64_t now_ms, bool& first);
    // [any thread] The same for one that could not even be packed.
    void lose(std::string_view org, std::int64_t now_ms, bool& first);

    // [writer] All that waits, a moment (`gather`) after the first came or when there is much of
    // it; nothing if nothing came until `until`. They count as waiting until written() is told of
    // them.
    std::vector<Chunk> take(std::chrono::milliseconds gather, Clock::time_point until);
    void written(const Chunk& chunk);
    // [writer] What was lost since it was last forgiven.
    Loss loss() const;
    void forgive(const Loss& loss);

    // [any thread] Waits until all that was added before is written; false after `patience`.
    bool flush(std::chrono::milliseconds patience);
    // From now on take() waits for nothing, and nothing is added any more.
    void close();
    bool closed() const;
    // [writer] Sleeps, but not when closed.
    void pause(std::chrono::milliseconds time);

    struct Counts {
        std::size_t records = 0, bytes = 0;  // waiting
        std::uint64_t written = 0, lost = 0;
    };
    Counts counts() const;

  private:
    bool note_loss(std::string_view org, std::int64_t now_ms);

    const std::size_t most_records_, most_bytes_;
    mutable std::mutex mutex_;
    std::condition_variable wake_, done_;
    std::vector<Chunk> chunks_;
    std::size_t records_ = 0, bytes_ = 0;  // with what is taken and not yet written
    std::uint64_t added_ = 0, written_ = 0, lost_ = 0;
    std::size_t taken_ = 0;       // of records_
    std::uint64_t flush_to_ = 0;  // somebody waits until so many are written
    bool closed_ = false;
    Loss loss_;
};

}  // namespace pb::audit
