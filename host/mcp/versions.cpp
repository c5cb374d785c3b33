// SPDX-License-Identifier: Apache-2.0
#include "mcp/versions.h"

namespace pb::mcp {
namespace {
constexpr std::array<std::string_view, 4> names = {"2025-03-26", "2025-06-18", "2025-11-25",
                                                   "2026-07-28"};
constexpr std::array<std::string_view, 8> levels = {"debug", "info",     "notice", "warning",
                                                    "error", "critical", "alert",  "emergency"};
}  // namespace

std::string_view name_of(Version version) { return names[static_cast<std::size_t>(version)]; }

std::optional<Version> version_from(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return static_cast<Version>(i);
    return std::nullopt;
}

std::optional<int> log_severity(std::string_view level) {
    for (std::size_t i = 0; i < levels.size(); ++i)
        if (levels[i] == level) return static_cast<int>(i);
    return std::nullopt;
}

}  // namespace pb::mcp
