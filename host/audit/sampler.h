// SPDX-License-Identifier: Apache-2.0
// Sampler: what anybody can bring about as often as they like - requests over their limit,
// malformed ones, credentials that are not good - is recorded so many times a minute of each of
// them, so that nobody fills the trail with it. What is left out is counted.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/buckets.h"

namespace pb::audit {

class Sampler {
  public:
    static constexpr Rate rate{30, 30};

    // [any thread] `who`: a credential, an address. Nothing: leave it out. Otherwise how many were
    // left out since the last one of them that was not.
    std::optional<std::uint64_t> take(std::string_view who);

  private:
    Buckets buckets_;
    std::mutex mutex_;
    std::map<std::string, std::uint64_t, std::less<>> left_out_;
};

// A reason that says how many more there were.
std::string with_left_out(std::string_view reason, std::uint64_t left_out);

}  // namespace pb::audit
