// SPDX-License-Identifier: Apache-2.0
// Protocol versions and their two eras: modern (2026-07-28: every request carries its own metadata)
// and legacy (an initialize handshake and sessions).
// https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace pb::mcp {

enum class Version { v2025_03_26, v2025_06_18, v2025_11_25, v2026_07_28 };

inline constexpr Version newest_legacy = Version::v2025_11_25;
inline constexpr Version newest = Version::v2026_07_28;

constexpr bool is_modern(Version version) { return version >= Version::v2026_07_28; }
std::string_view name_of(Version version);
std::optional<Version> version_from(std::string_view name);

// The modern versions, as a JSON array: what server/discover and -32022 list.
inline constexpr std::string_view supported_modern = "[\"2026-07-28\"]";

// The severities of notifications/message in order, or nullopt for an unknown name.
std::optional<int> log_severity(std::string_view level);

}  // namespace pb::mcp
