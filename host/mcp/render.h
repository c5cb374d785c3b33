// SPDX-License-Identifier: Apache-2.0
// Results and definitions as each protocol version has them. What is not of another version passes
// byte for byte; members of another era never leak.
#pragma once

#include <string>
#include <string_view>

#include "mcp/versions.h"

namespace pb::mcp {

// A provider's result object for a client of `version`. `server_info`: the Implementation object.
// method: tools/call, resources/read, prompts/get, completion/complete.
std::string render_result(Version version, std::string_view method, std::string_view result,
                          std::string_view server_info);

// A result of our own: `members` is the inside of an object, without braces, possibly empty.
std::string render_own(Version version, std::string_view members, std::string_view server_info);

enum class Listed { tool, resource, resource_template, prompt };

// A definition out of the catalog for a client of `version`.
std::string render_definition(Version version, Listed kind, std::string_view definition);

}  // namespace pb::mcp
