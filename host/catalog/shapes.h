// SPDX-License-Identifier: Apache-2.0
// Shapes: of which type the specification says that a definition's optional members are. A strict
// client refuses a whole list for one that is not, and with it what everybody else has listed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pb::catalog {

// `definition` (a checked JSON object) without the members that are of another type than they have
// to be, null among them; `dropped` gets a sentence on each. `list` says what is defined: tools,
// resources, resourceTemplates, prompts. Members that are not the specification's stay as they are.
std::string sound_definition(std::string_view list, std::string_view definition,
                             std::vector<std::string>& dropped);

}  // namespace pb::catalog
