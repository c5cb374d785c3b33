// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect.h"

#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "base/version.h"
#include "cli/print.h"
#include "config/read.h"
#include "config/references.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

using Json = nlohmann::json;

Json to_json(const PluginReport& report) {
    Json out{{"path", report.path}, {"ok", report.problem.empty()}};
    const auto add = [&out](const char* name, const std::string& value) {
        if (!value.empty()) out[name] = value;
    };
    add("id", report.id);
    add("version", report.version);
    add("title", report.title);
    add("abi", report.abi);
    add("sha256", report.sha256);
    add("problem", report.problem);
    if (!report.capabilities.empty()) out["capabilities"] = report.capabilities;
    return out;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

// Secrets are the host's, and not looked at here.
Result<std::string> any_secret(std::string_view) { return std::string(); }

// What is valid and yet may not be served: references that cannot be resolved here and now (where
// the host runs they may be).
std::vector<std::string> warnings_of(const config::ConfigSet& set) {
    std::vector<std::string> out;
    for (const auto& [name, org] : set.orgs) {
        for (const auto& [server, entry] : org->mcp_servers.items()) {
            auto resolved = config::resolve_server(entry, any_secret);
            if (resolved) continue;
            out.push_back("organisation " + name + ", server " + server + ": " +
                          resolved.error().message);
        }
        if (!org->capabilities) continue;
        for (const auto& [capability, config] : *org->capabilities) {
            if (!config.enabled) continue;
            auto resolved = config::resolve(config.config, any_secret);
            if (resolved) continue;
            out.push_back("organisation " + name + ", capability " + capability + ": " +
                          resolved.error().message);
        }
    }
    return out;
}

int say_invalid(const std::vector<std::string>& problems, const Options& options, Streams streams) {
    if (options.json) {
        streams.out << json::dump(Json{{"valid", false}, {"problems", problems}}) << '\n';
    } else {
        for (const std::string& problem : problems) {
            streams.err << printable(problem) << '\n';
        }
    }
    return exit_config;
}

}  // namespace

int list_plugins(const config::HostConfig& host, const Actions& actions, const Options& options,
                 Streams streams) {
    auto reports = actions.list_plugins(host);
    if (!reports) {
        streams.err << "patchbay: " << printable(reports.error().message) << '\n';
        return exit_failed;
    }
    if (options.json) {
        Json list = Json::array();
        for (const PluginReport& report : *reports) {
            list.push_back(to_json(report));
        }
        streams.out << json::dump(Json{{"folder", host.plugins.folder}, {"plugins", list}}) << '\n';
        return exit_ok;
    }
    std::vector<std::vector<std::string>> rows;
    for (const PluginReport& report : *reports) {
        rows.push_back({report.problem.empty() ? "ok" : "refused", printable(report.path),
                        printable(report.id), printable(report.version),
                        printable(report.problem.empty() ? joined(report.capabilities, ",")
                                                         : report.problem)});
    }
    streams.out << table(rows);
    if (rows.empty()) streams.err << "patchbay: no plugins in " << host.plugins.folder << '\n';
    return exit_ok;
}

int check_plugin(const config::HostConfig& host, const Actions& actions, const Options& options,
                 Streams streams) {
    const PluginReport report = actions.check_plugin(host, options.file);
    const int code = report.problem.empty() ? exit_ok : exit_failed;
    if (options.json) {
        streams.out << json::dump(to_json(report)) << '\n';
        return code;
    }
    if (!report.problem.empty()) {
        streams.err << "patchbay: refused: " << printable(report.problem) << '\n';
        return code;
    }
    std::vector<std::vector<std::string>> rows{
        {"plugin", printable(report.id + " " + report.version)}};
    if (!report.title.empty()) rows.push_back({"title", printable(report.title)});
    rows.push_back({"abi", printable(report.abi)});
    rows.push_back({"capabilities", printable(joined(report.capabilities, ","))});
    rows.push_back({"sha256", report.sha256});
    streams.out << table(rows);
    return code;
}

int check_config(const Options& options, Streams streams) {
    auto set = config::load(options.config);
    if (!set) return say_invalid(lines_of(set.error().message), options, streams);
    std::vector<std::string> problems;
    for (const auto& [name, org] : (*set)->orgs) {
        problems.insert(problems.end(), org->server_problems.begin(), org->server_problems.end());
    }
    if (!problems.empty()) return say_invalid(problems, options, streams);
    const std::string file = config::host_file(options.config);
    std::vector<std::string> names;
    for (const auto& [name, org] : (*set)->orgs) {
        names.push_back(name);
    }
    const auto warnings = warnings_of(**set);
    if (options.json) {
        streams.out << json::dump(Json{{"valid", true},
                                       {"file", file.empty() ? Json(nullptr) : Json(file)},
                                       {"orgs", names},
                                       {"warnings", warnings}})
                    << '\n';
        return exit_ok;
    }
    for (const std::string& warning : warnings) {
        streams.err << "patchbay: warning: " << printable(warning) << '\n';
    }
    streams.out << (file.empty() ? "no file, defaults" : file)
                << ": valid; organisations: " << joined(names, ",") << '\n';
    return exit_ok;
}

int show_version(const Options& options, Streams streams) {
    if (!options.json) {
        streams.out << version_line() << '\n';
        return exit_ok;
    }
    const BuildInfo& info = build_info();
    streams.out << json::dump(Json{{"version", info.version},
                                   {"commit", info.commit},
                                   {"build_type", info.build_type},
                                   {"compiler", info.compiler},
                                   {"sanitizers", info.sanitizers},
                                   {"plugin_abi", info.plugin_abi},
                                   {"protocol_versions", protocol_versions}})
                << '\n';
    return exit_ok;
}

}  // namespace pb::cli
