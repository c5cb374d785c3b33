// SPDX-License-Identifier: Apache-2.0
// Moments and durations as people write them. Moments are milliseconds since 1970, UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pb {

// "2026-11-22T04:51:02.120Z" (RFC 3339).
std::string iso_time(std::int64_t ms);

// The same, with any offset and with or without a fraction, or a day ("2026-11-22": its beginning).
// Nothing before 1970.
std::optional<std::int64_t> parse_time(std::string_view text);

// "90s", "15m", "24h", "30d" or "12w" in milliseconds; nothing longer than 100 years.
std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace pb
