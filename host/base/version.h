// SPDX-License-Identifier: Apache-2.0
// What this build is: the one place that knows versions.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace pb {

// Protocol revisions that the host speaks, newest first.
inline constexpr std::array<std::string_view, 4> protocol_versions{"2026-07-28", "2025-11-25",
                                                                   "2025-06-18", "2025-03-26"};

struct BuildInfo {
    std::string_view version;  // "0.1.0"
    std::string_view
        commit;  // short hash when the build was configured; "unknown" outside a checkout
    std::string_view build_type;  // "Release"
    std::string_view compiler;    // "GNU 12.2.0"
    std::string_view sanitizers;  // "address,undefined", mostly empty
    std::string_view plugin_abi;  // "1.0"
};

const BuildInfo& build_info();

// "patchbay 0.1.0 (abc1234, Release, GNU 12.2.0), plugin ABI 1.0, MCP 2026-07-28, 2025-11-25, ..."
std::string version_line();

}  // namespace pb
