// SPDX-License-Identifier: Apache-2.0
// The flags' values, and those of them that need more than a type.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace pb::cli {

struct ToolOptions {
    std::string url = "http://127.0.0.1:8080/mcp";
    int timeout_s = 60;
    std::string name;
    std::string arguments = "{}";  // "-": from standard input
    std::string api_key_file;      // "-": from standard input; empty: from the environment
};

struct RemoteOptions {
    std::string name, url;
    std::string settings;  // JSON; "-": from standard input
    std::string type, as_namespace;
    std::vector<std::string> headers, tools;
    bool all = false;
    std::string name_space = "remote_mcp";  // of the capability
};

struct SecretOptions {
    std::string org;  // empty: the anonymous organisation
    std::string name;
};

// Of users, keys, orgs, clients and grants.
struct AccessOptions {
    std::string org;  // empty: the anonymous organisation
    std::string login, id, name;
    std::string role = "member";
    std::vector<std::string> scopes = {"mcp:read", "mcp:write"};
    std::string maker;     // of whose role a key or client is; empty: nobody's, the operator's own
    std::string expires;   // a time, or how long from now; empty: never
    std::string owner;     // a login
    std::string settings;  // a file like those of organisations
    bool generate = false;
    bool all = false;
};

struct TrailOptions {
    std::string from, to;  // a time, or how long ago
    std::string tool, status, principal, method, client, kind;
    int limit = 50;
    bool follow = false;
};

struct Options {
    config::Overrides config;
    ToolOptions tool;
    RemoteOptions remote;
    SecretOptions secret;
    AccessOptions access;
    TrailOptions trail;
    std::string file;   // of plugins check, probe
    bool json = false;  // machine output
};

// Each puts what its flag says into `out`; the error says what would be right.
// ADDRESS:PORT is "127.0.0.1:8080", "[::1]:8080" or "localhost:0".
Result<void> parse_listen(const std::string& text, config::Overrides& out);
Result<void> parse_port(const std::string& text, config::Overrides& out);
Result<void> parse_level(const std::string& text, config::Overrides& out);
Result<void> parse_format(const std::string& text, config::Overrides& out);

}  // namespace pb::cli
