// SPDX-License-Identifier: Apache-2.0
// Manifest: what a plugin says about itself before any of its code runs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/snapshot.h"

namespace pb::plugin {

// The member of an organisation's file with its remote MCP servers.
inline constexpr std::string_view mcp_servers = "mcpServers";

// Something that an organisation can enable.
struct Capability {
    std::string name;  // a namespace: the default prefix of its names
    std::string title;
    std::string description;
    std::string config_schema;  // JSON Schema as text; empty: any object
    catalog::ListPolicy lists;
    std::vector<catalog::Route> routes;
    std::vector<std::string> takes;  // members of an organisation's file that go into its config
    catalog::Choices choices;        // its "access"
};

enum class Threading { concurrent, serial };
enum class Isolation { any, process };

struct Manifest {
    std::string id;
    std::string version;
    int abi_major = 0;
    int abi_minor = 0;
    Threading threading = Threading::concurrent;
    Isolation isolation = Isolation::any;
    std::string title;
    std::string description;
    std::string homepage;
    std::string license;
    std::vector<Capability> capabilities;  // never empty

    // Null if the plugin has no such capability.
    const Capability* capability(std::string_view name) const;
};

// The JSON of a capsule, checked. Unknown members are ignored: they are a newer host's.
Result<Manifest> parse_manifest(std::string_view text);

// The member "lists" of a capability: {"scope"?,"ttl_ms"?}; absent changes nothing. `where` begins
// the error's message: "the offer's ".
Result<void> read_list_policy(const nlohmann::json& object, const std::string& where,
                              catalog::ListPolicy& lists);

// The JSON inside the only capsule among a file's bytes; the view points into them. Refused: no
// capsule, more than one, one whose size is malformed, too large or beyond the end.
Result<std::string_view> find_capsule(std::string_view bytes);

}  // namespace pb::plugin
