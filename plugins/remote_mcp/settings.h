// SPDX-License-Identifier: Apache-2.0
// Settings: what is configured of one remote server, checked: an entry of `mcpServers` as clients
// have it in their .mcp.json, with what Patchbay adds (README.md lists the members).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/spec.h"
#include "tool_rules.h"

namespace pb::remote {

using Json = nlohmann::json;

// What the operator of the host allows.
struct HostFacts {
    std::string version = "0";
    std::string public_url;
    bool allow_stdio = false;
    std::string operator_org;  // the operator's own organisation
    bool is_operators = true;  // what is read is the operator's word
    std::vector<std::string> allow_private_cidrs;

    static HostFacts read(const Json& host);
};

enum class ActsAs { none, service, user };
std::string_view name_of(ActsAs acts_as);

enum class OnToolChange { allow, quarantine };

struct Settings {
    client::ServerSpec spec;  // headers and environment in it: credentials
    std::string name;         // in the organisation
    std::string name_space;
    std::string title, description;
    bool enabled = true;
    ToolRules rules;
    Json auth = Json::object();  // "type": none | bearer | basic | oauth, and what that needs
    ActsAs acts_as = ActsAs::none;
    OnToolChange on_tool_change = OnToolChange::allow;
    client::milliseconds timeout{0};  // of calls, as configured; 0: the host's default decides
    client::milliseconds refresh{3'600'000};  // between two looks where the server names no ttl
    client::milliseconds serve_stale{86'400'000};  // how long the last good lists outlive failures
    std::vector<std::string> remarks;  // what is taken otherwise than it was perhaps meant

    // Whether a person can do something about refused credentials, by signing in.
    bool has_sign_in() const;
    // What to do where a server that has none asks for credentials, to go on with; empty if it has.
    std::string without_credentials() const;
    // Of what decides which server this is and who we are to it: kept lists are only good for it.
    std::string identity() const;
};

// "mcp:<name>".
std::string capability_of(const std::string& server);

// Names of servers are the keys of mcpServers: 1 to 64 printable characters.
Result<void> check_name(const std::string& name);

// The error says which member is wrong and what would be right. `scoped`: remote servers only,
// without sign-in.
Result<Settings> read_settings(const std::string& name, const Json& entry, const HostFacts& host,
                               bool scoped = false);

}  // namespace pb::remote
