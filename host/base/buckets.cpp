// SPDX-License-Identifier: Apache-2.0
#include "base/buckets.h"

#include <algorithm>
#include <cmath>

namespace pb {
namespace {

// With room for less than one nothing would ever be served.
double burst_of(const Rate& rate) {
    return std::max(1.0, rate.burst > 0 ? rate.burst : rate.per_minute);
}

}  // namespace

void Buckets::fill(Bucket& bucket, Clock::time_point now) {
    const std::chrono::duration<double, std::ratio<60>> minutes = now - bucket.at;
    if (minutes.count() <= 0) return;
    bucket.left =
        std::min(burst_of(bucket.rate), bucket.left + minutes.count() * bucket.rate.per_minute);
    bucket.at = now;
}

std::optional<std::chrono::milliseconds> Buckets::take(std::string_view key, const Rate& rate,
                                                       Clock::time_point now) {
    if (rate.per_minute <= 0) return std::nullopt;
    Shard& own = shard(key);
    std::lock_guard lock(own.mutex);
    auto found = own.buckets.find(key);
    if (found == own.buckets.end()) {
        if (own.buckets.size() >= own.sweep_at) sweep(own, now);
        found = own.buckets.emplace(key, Bucket{burst_of(rate), now, rate}).first;
    }
    Bucket& bucket = found->second;
    fill(bucket, now);
    // A rate that was configured anew counts from now on.
    bucket.rate = rate;
    bucket.left = std::min(bucket.left, burst_of(rate));
    if (bucket.left >= 1) {
        bucket.left -= 1;
        return std::nullopt;
    }
    const double minutes = (1 - bucket.left) / rate.per_minute;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(minutes * 60'000)));
}

void Buckets::give_back(std::string_view key, const Rate& rate) {
    Shard& own = shard(key);
    std::lock_guard lock(own.mutex);
    const auto found = own.buckets.find(key);
    if (found == own.buckets.end()) return;
    found->second.left = std::min(found->second.left + 1, burst_of(rate));
}

void Buckets::sweep(Shard& shard, Clock::time_point now) {
    std::erase_if(shard.buckets, [&](const auto& entry) {
        Bucket bucket = entry.second;
        fill(bucket, now);
        return bucket.left >= burst_of(bucket.rate);
    });
    shard.sweep_at = std::max<std::size_t>(1024, 2 * shard.buckets.size());
}

std::size_t Buckets::size() const {
    std::size_t out = 0;
    for (const Shard& each : shards_) {
        std::lock_guard lock(each.mutex);
        out += each.buckets.size();
    }
    return out;
}

}  // namespace pb
