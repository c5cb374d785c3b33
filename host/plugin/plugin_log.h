// SPDX-License-Identifier: Apache-2.0
// What plugins write to the host's log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pb::plugin {

struct LogSource {
    std::string_view plugin, org, capability;
};

// Bounded: an overlong message is cut, malformed or surplus fields are left out.
void write_plugin_log(const LogSource& source, std::int32_t level, std::string_view message,
                      std::string_view fields);

// A message as part of an error sentence: cut to some hundred bytes.
std::string printable(std::string_view message);

}  // namespace pb::plugin
