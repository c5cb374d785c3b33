// SPDX-License-Identifier: Apache-2.0
// The values come from CMake as definitions of this one file, so that a new commit recompiles
// nothing else.
#include "base/version.h"

#include <patchbay/plugin.h>

#ifndef PATCHBAY_COMMIT
#define PATCHBAY_COMMIT "unknown"
#endif

#define PATCHBAY_TEXT_(x) #x
#define PATCHBAY_TEXT(x) PATCHBAY_TEXT_(x)

namespace pb {

const BuildInfo& build_info() {
    static constexpr BuildInfo info{
        .version = PATCHBAY_VERSION,
        .commit = PATCHBAY_COMMIT,
        .build_type = PATCHBAY_BUILD_TYPE,
        .compiler = PATCHBAY_COMPILER,
        .sanitizers = PATCHBAY_SANITIZERS,
        .plugin_abi = PATCHBAY_TEXT(PATCHBAY_ABI_MAJOR) "." PATCHBAY_TEXT(PATCHBAY_ABI_MINOR),
    };
    return info;
}

std::string version_line() {
    const BuildInfo& info = build_info();
    std::string line = "patchbay ";
    line.append(info.version).append(" (").append(info.commit).append(", ");
    line.append(info.build_type).append(", ").append(info.compiler);
    if (!info.sanitizers.empty()) line.append(", sanitizers ").append(info.sanitizers);
    line.append("), plugin ABI ").append(info.plugin_abi).append(", MCP");
    for (std::size_t i = 0; i < protocol_versions.size(); ++i) {
        line.append(i == 0 ? " " : ", ").append(protocol_versions[i]);
    }
    return line;
}

}  // namespace pb
