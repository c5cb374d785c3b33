// SPDX-License-Identifier: Apache-2.0
#include "audit/sampler.h"

namespace pb::audit {
namespace {

// Those beyond are left out without being counted.
constexpr std::size_t most_counted = 10'000;

}  // namespace

std::optional<std::uint64_t> Sampler::take(std::string_view who) {
    const bool left_out = buckets_.take(who, rate).has_value();
    const std::lock_guard lock(mutex_);
    const auto found = left_out_.find(who);
    if (left_out) {
        if (found != left_out_.end())
            ++found->second;
        else if (left_out_.size() < most_counted)
            left_out_.emplace(who, 1);
        return std::nullopt;
    }
    if (found == left_out_.end()) return 0;
    const auto count = found->second;
    left_out_.erase(found);
    return count;
}

std::string with_left_out(std::string_view reason, std::uint64_t left_out) {
    std::string out(reason);
    if (left_out == 0) return out;
    out += out.empty() ? "" : " ";
    return out + "(" + std::to_string(left_out) + " more before this one are not recorded)";
}

}  // namespace pb::audit
