// SPDX-License-Identifier: Apache-2.0
#include "audit/queue.h"

#include <algorithm>
#include <utility>

namespace pb::audit {
namespace {

// Small enough for the allocator's heap, which keeps its pages; hundreds of records long.
constexpr std::size_t chunk_bytes = 64u << 10;
// So many do not wait for others.
constexpr std::size_t enough = 8192;
// Organisations that are counted one by one in a row of losses.
constexpr std::size_t most_orgs = 1000;

}  // namespace

bool Queue::note_loss(std::string_view org, std::int64_t now_ms) {
    const bool first = loss_.records == 0;
    if (first) loss_.from_ms = now_ms;
    loss_.to_ms = now_ms;
    ++loss_.records;
    ++lost_;
    const bool known = loss_.by_org.size() < most_orgs || loss_.by_org.count(org) != 0;
    ++loss_.by_org[known ? std::string(org) : std::string()];
    return first;
}

bool Queue::add(std::string_view packed, std::string_view org, std::int64_t now_ms, bool& first) {
    bool wake = false;
    {
        std::lock_guard lock(mutex_);
        if (closed_ || records_ >= most_records_ || bytes_ + packed.size() > most_bytes_) {
            first = note_loss(org, now_ms);
            return false;
        }
        if (chunks_.empty() || chunks_.back().bytes.size() + packed.size() > chunk_bytes) {
            chunks_.emplace_back();
            chunks_.back().bytes.reserve(std::max(chunk_bytes, packed.size()));
        }
        chunks_.back().bytes.append(packed);
        ++chunks_.back().records;
        bytes_ += packed.size();
        ++added_;
        const std::size_t waiting = ++records_ - taken_;
        wake = waiting == 1 || waiting == enough;
    }
    if (wake) wake_.notify_one();
    return true;
}

void Queue::lose(std::string_view org, std::int64_t now_ms, bool& first) {
    std::lock_guard lock(mutex_);
    first = note_loss(org, now_ms);
}

std::vector<Chunk> Queue::take(std::chrono::milliseconds gather, Clock::time_point until) {
    std::unique_lock lock(mutex_);
    const auto hurried = [this] { return closed_ || written_ < flush_to_; };
    wake_.wait_until(lock, until, [&] { return !chunks_.empty() || hurried(); });
    wake_.wait_for(lock, chunks_.empty() ? gather.zero() : gather,
                   [&] { return records_ - taken_ >= enough || hurried(); });
    taken_ = records_;
    return std::exchange(chunks_, {});
}

void Queue::written(const Chunk& chunk) {
    std::lock_guard lock(mutex_);
    records_ -= chunk.records;
    taken_ -= chunk.records;
    bytes_ -= chunk.bytes.size();
    written_ += chunk.records;
    done_.notify_all();
}

Loss Queue::loss() const {
    std::lock_guard lock(mutex_);
    return loss_;
}

void Queue::forgive(const Loss& loss) {
    std::lock_guard lock(mutex_);
    loss_.records -= loss.records;
    loss_.from_ms = loss.to_ms;
    for (const auto& [org, records] : loss.by_org) {
        const auto found = loss_.by_org.find(org);
        if ((found->second -= records) == 0) loss_.by_org.erase(found);
    }
}

bool Queue::flush(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    const auto all = added_;
    flush_to_ = all;
    wake_.notify_one();
    return done_.wait_for(lock, patience, [&] { return written_ >= all; });
}

void Queue::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    wake_.notify_all();
}

bool Queue::closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
}

void Queue::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, time, [this] { return closed_; });
}

Queue::Counts Queue::counts() const {
    std::lock_guard lock(mutex_);
    return {records_, bytes_, written_, lost_};
}

}  // namespace pb::audit
