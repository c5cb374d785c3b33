// SPDX-License-Identifier: Apache-2.0
// What this server says it can do. The same in every version that it speaks: everything here is
// served by the host itself, whatever is plugged in, and lists may grow while a client looks on.
#pragma once

#include <string_view>

namespace pb::mcp {

inline constexpr std::string_view server_capabilities =
    "{\"tools\":{\"listChanged\":true},\"resources\":{\"subscribe\":true,\"listChanged\":true},"
    "\"prompts\":{\"listChanged\":true},\"completions\":{},\"logging\":{}}";

}  // namespace pb::mcp
