// SPDX-License-Identifier: Apache-2.0
// Token buckets: so many at once, and so many a minute from then on. Nothing is kept of who has not
// come for a while: a full bucket is like none.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pb {

struct Rate {
    double per_minute = 0;  // 0: no bound
    double burst = 0;       // at once, one at least; 0: a minute's
    bool operator==(const Rate&) const = default;
};

class Buckets {
  public:
    using Clock = std::chrono::steady_clock;

    // [any thread] Takes one; otherwise how long it is until there is one.
    std::optional<std::chrono::milliseconds> take(std::string_view key, const Rate& rate,
                                                  Clock::time_point now = Clock::now());
    // For one that came to nothing.
    void give_back(std::string_view key, const Rate& rate);
    std::size_t size() const;

  private:
    struct Bucket {
        double left = 0;
        Clock::time_point at{};
        Rate rate;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<std::string, Bucket, Hash, std::equal_to<>> buckets;
        std::size_t sweep_at = 1024;
    };
    static void fill(Bucket& bucket, Clock::time_point now);
    static void sweep(Shard& shard, Clock::time_point now);
    Shard& shard(std::string_view key) { return shards_[Hash()(key) % shards_.size()]; }

    std::array<Shard, 16> shards_;
};

}  // namespace pb
