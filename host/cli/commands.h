// SPDX-License-Identifier: Apache-2.0
// The command line: what `patchbay` does with its arguments. The commands that need a host are
// handed in (main.cpp does it), so that this folder knows no more of one than its configuration.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access.h"
#include "audit/record.h"
#include "base/result.h"
#include "config/config_store.h"

namespace pb::cli {

// Exit codes; --help documents them.
enum Exit : int {
    exit_ok = 0,
    exit_failed = 1,       // it was tried and did not work
    exit_usage = 2,        // the command line is wrong
    exit_config = 3,       // the configuration is wrong
    exit_unreachable = 4,  // no host answered
    exit_tool_error = 5,   // the tool answered isError
};

// One plugin file, looked at.
struct PluginReport {
    std::string path;
    std::string id;  // this and the following as far as they could be read
    std::string version;
    std::string title;
    std::string abi;
    std::string sha256;
    std::vector<std::string> capabilities;
    std::string problem;  // why it is refused; empty: it is not
};

// The secrets of one organisation, in the data directory.
struct SecretActions {
    std::function<Result<void>(const config::HostConfig& host, const std::string& org,
                               const std::string& name, const std::string& value)>
        set;
    std::function<Result<std::vector<std::string>>(const config::HostConfig& host,
                                                   const std::string& org)>
        list;
    std::function<Result<void>(const config::HostConfig& host, const std::string& org,
                               const std::string& name)>
        remove;
};

// Which records of the audit trail, the newest first. What is empty narrows nothing.
struct TrailQuery {
    std::optional<std::string> org;              // nullopt: all of them, and the host's own affairs
    std::optional<std::int64_t> from_ms, to_ms;  // from <= began < to
    std::string tool, status, principal, method, client, kind;
    std::string cursor;  // `next` of the page before
    std::size_t limit = 0;
};

struct TrailPage {
    std::vector<std::string> records;  // JSON objects with an "id"
    std::string next;                  // empty: there are no more
    std::int64_t dropped = 0;          // records that were ever lost
};

// Who may do what, and what was done, in the data directory.
struct AccessActions {
    std::function<Result<std::unique_ptr<access::Access>>(const config::HostConfig& host)> open;
    std::function<Result<TrailPage>(const config::HostConfig& host, const TrailQuery& query)> trail;
    // Returns when they are in the trail.
    std::function<Result<void>(const config::HostConfig& host, std::vector<audit::Record> records)>
        note;
};

struct Actions {
    // Run until they are told to stop (a signal) or their input ends. The log is configured.
    std::function<Result<void>(std::unique_ptr<config::ConfigStore>)> serve;
    std::function<Result<void>(std::unique_ptr<config::ConfigStore>)> stdio;

    // Answers one MCP request of the anonymous organisation inside this process, without network:
    // the result object's text. Called several times; the host is started by the first.
    std::function<Result<std::string>(const config::ConfigSetPtr& config, std::string_view method,
                                      std::string_view params)>
        request;

    // Looks at one file, or at all of the configured folder, and loads what passes.
    std::function<PluginReport(const config::HostConfig& host, const std::string& file)>
        check_plugin;
    std::function<Result<std::vector<PluginReport>>(const config::HostConfig& host)> list_plugins;

    SecretActions secrets;
    AccessActions access;

    // The body of the hidden `probe FILE`; returns the exit code.
    std::function<int(const std::string& file)> probe;
};

struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
};

// Parses, does, and returns the exit code. The second form uses the standard streams.
int run(int argc, const char* const* argv, const Actions& actions, Streams streams);
int run(int argc, const char* const* argv, const Actions& actions);

}  // namespace pb::cli
