// SPDX-License-Identifier: Apache-2.0
// Checks the table that a plugin's entry point returned.
#pragma once

#include "base/result.h"
#include "patchbay/plugin.h"

namespace pb::plugin {

// True if the table is of an ABI that this host knows: only then may any other member be read.
inline bool known_abi(const patchbay_plugin& table) {
    return PATCHBAY_HAS(&table, patchbay_plugin, abi_minor) &&
           table.abi_major == PATCHBAY_ABI_MAJOR;
}

// A larger table of a newer minor version is fine, and so is a smaller one without optional
// members.
inline Result<void> check_table(const patchbay_plugin& table) {
    if (!known_abi(table))
        return invalid("its table is of plugin ABI " + std::to_string(table.abi_major) +
                       "; this host speaks " + std::to_string(PATCHBAY_ABI_MAJOR) + ".x");
    if (!PATCHBAY_HAS(&table, patchbay_plugin, handle))
        return invalid("its table is too small: struct_size is " +
                       std::to_string(table.struct_size));
    if (!table.start || !table.stop || !table.destroy || !table.handle)
        return invalid("its table lacks one of start, stop, destroy and handle");
    return {};
}

}  // namespace pb::plugin
