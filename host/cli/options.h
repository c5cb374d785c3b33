// SPDX-License-Identifier: Apache-2.0
// The flags' values, and those of them that need more than a type.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "config/config.h"

namespace pb::cli {

struct ToolOptions {
    std::string url = "http://127.0.0.1:8080/mcp";
    bool url_given = false;
    int timeout_s = 60;
    std::string name;
    std::string arguments = "{}";  // "-": from standard input
};

struct Options {
    config::Overrides config;
    ToolOptions tool;
    std::string file;   // of plugins check, probe
    bool json = false;  // machine output
};

struct ListenAddress {
    std::string address;
    std::uint16_t port = 0;
};

// "127.0.0.1:8080", "[::1]:8080", "localhost:0".
Result<ListenAddress> parse_listen(const std::string& text);

}  // namespace pb::cli
