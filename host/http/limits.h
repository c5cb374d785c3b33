// SPDX-License-Identifier: Apache-2.0
// The bounds that are not a matter of configuration.
#pragma once

#include <chrono>
#include <cstddef>

namespace pb::http {

inline constexpr std::size_t max_target = 8u << 10;        // bytes of a request's target
inline constexpr std::size_t max_fields = 128;             // header fields of a request
inline constexpr std::size_t max_chunk_header = 8u << 10;  // a chunk's size line, or all trailers
inline constexpr std::size_t read_size = 64u << 10;        // one read
inline constexpr std::size_t reads_in_a_row = 16;      // then the other connections have their turn
inline constexpr std::size_t copied_body = 16u << 10;  // a smaller answer leaves in one buffer
inline constexpr std::size_t drained_bytes = 4u << 20;  // read and dropped after a refusal
inline constexpr std::chrono::milliseconds drain_time{2'000};
inline constexpr std::size_t refused_at_once = 64;  // connections beyond the bound that hear a 503

inline constexpr std::chrono::milliseconds tick_length{20};
inline constexpr int ticks_between_scans = 10;     // for deadlines
inline constexpr int ticks_before_retiring = 100;  // surplus workers stay that long

}  // namespace pb::http
