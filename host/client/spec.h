// SPDX-License-Identifier: Apache-2.0
// What a client is told about a server, and what it learns of it. Plain data.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/scan.h"
#include "mcp/versions.h"
#include "outbound/http.h"

namespace pb::client {

using std::chrono::milliseconds;

enum class Kind {
    http,   // Streamable HTTP; where a server has only HTTP+SSE, that
    sse,    // HTTP+SSE (2024-11-05)
    stdio,  // a child process
};

struct Limits {
    std::size_t message = 16U << 20U;  // bytes of one message, one event, one line
    json::Limits json{};
    std::size_t stderr_line = 1U << 10U;
    std::size_t pages = 100;         // of one list
    std::size_t entries = 10'000;    // of one list
    std::size_t calls = 256;         // at a time; more are refused
    milliseconds question{660'000};  // that the server waits for somebody's answer at most
};

struct ServerSpec {
    std::string name;  // for messages
    Kind kind = Kind::http;
    std::string url;
    outbound::Headers headers;  // on every request; what credentials say comes on top

    std::string command;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    std::string cwd;

    std::optional<mcp::Version> version;  // absent: negotiated
    milliseconds connect_time{10'000};
    milliseconds handshake_time{30'000};
    milliseconds call_time{60'000};
    Limits limits;

    // Who we say we are.
    std::string client_name = "patchbay";
    std::string client_title = "Patchbay";
    std::string client_version = "0";
};

struct ServerInfo {
    mcp::Version version = mcp::newest;
    std::string version_name;         // as agreed; "2024-11-05" has no Version of its own
    std::string capabilities = "{}";  // JSON objects as they came
    std::string server_info = "{}";
    std::string instructions;
    Kind kind = Kind::http;  // the transport in the end

    bool modern() const { return mcp::is_modern(version); }
};

}  // namespace pb::client
