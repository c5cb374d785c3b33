// SPDX-License-Identifier: Apache-2.0
// Loading the set, and reloading it file by file so that one bad file costs the others nothing.
#include "config/config_store.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "config/read.h"

namespace pb::config {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t max_orgs = 10'000;

using Orgs = std::map<std::string, OrgPtr, std::less<>>;

struct Problem {
    std::string file;
    std::string message;
};

// The organisation files of a folder, sorted. A folder that is absent has none.
std::vector<std::string> org_files(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code failed;
    for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        const fs::path path = entry->path();
        const bool hidden = path.filename().string().front() == '.';
        std::error_code unknown;
        if (path.extension() != ".json" || hidden || !entry->is_regular_file(unknown)) continue;
        files.push_back(path.string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

void say_not_served(const OrgConfig& org) {
    if (org.mcp_servers.empty()) return;
    log::warning("config.mcp_servers_not_served",
                 {{"org", org.name},
                  {"servers", org.mcp_servers.size()},
                  {"reason", "remote MCP servers are not served by this version"}});
}

// An organisation that a file describes, or what it was before if the file is wrong.
OrgPtr org_from(const std::string& path, const Orgs& before, std::vector<Problem>& problems) {
    const auto old = before.find(fs::path(path).stem().string());
    OrgPtr previous = old == before.end() ? nullptr : old->second;
    auto read = read_org(path);
    if (!read) {
        problems.push_back({path, read.error().message});
        return previous;
    }
    if (previous && *previous == *read) return previous;
    say_not_served(*read);
    return std::make_shared<const OrgConfig>(std::move(*read));
}

Orgs read_orgs(const HostConfig& host, const Orgs& before, std::vector<Problem>& problems) {
    Orgs orgs;
    auto files = org_files(host.org_dir);
    if (files.size() > max_orgs) {
        problems.push_back({host.org_dir, host.org_dir + " holds more than " +
                                              std::to_string(max_orgs) + " organisations"});
        files.resize(max_orgs);
    }
    for (const std::string& file : files) {
        OrgPtr org = org_from(file, before, problems);
        if (org) orgs.emplace(org->name, std::move(org));
    }
    // Callers without credentials belong somewhere even where nothing is configured.
    if (orgs.count(host.anonymous_org) == 0) {
        OrgConfig org;
        org.name = host.anonymous_org;
        const auto old = before.find(org.name);
        const bool keep = old != before.end() && *old->second == org;
        orgs[org.name] = keep ? old->second : std::make_shared<const OrgConfig>(org);
    }
    return orgs;
}

std::string joined(const std::vector<Problem>& problems) {
    std::string out;
    for (const Problem& problem : problems) {
        out += (out.empty() ? "" : "\n") + problem.message;
    }
    return out;
}

}  // namespace

Result<ConfigSetPtr> load(const Overrides& overrides) {
    auto host = load_host(overrides);
    if (!host) return host.error();
    auto set = std::make_shared<ConfigSet>();
    set->host = std::move(*host);
    std::vector<Problem> problems;
    std::error_code ignored;
    if (overrides.org_dir && !fs::is_directory(*overrides.org_dir, ignored)) {
        problems.push_back({*overrides.org_dir, *overrides.org_dir + " is not a folder"});
    }
    set->orgs = read_orgs(set->host, {}, problems);
    if (!problems.empty()) return invalid(joined(problems));
    return ConfigSetPtr(std::move(set));
}

Result<std::unique_ptr<ConfigStore>> ConfigStore::open(Overrides overrides) {
    auto first = load(overrides);
    if (!first) return first.error();
    return std::unique_ptr<ConfigStore>(new ConfigStore(std::move(overrides), std::move(*first)));
}

ConfigStore::ConfigStore(Overrides overrides, ConfigSetPtr first)
    : overrides_(std::move(overrides)), current_(std::move(first)) {}

ConfigSetPtr ConfigStore::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

Result<void> ConfigStore::watch(Changed changed) {
    {
        const std::lock_guard lock(reloading_);
        changed_ = std::move(changed);
    }
    std::vector<std::string> paths{current()->host.org_dir};
    const std::string file = host_file(overrides_);
    if (!file.empty()) paths.push_back(file);
    auto watch = FileWatch::start(paths, [this] { reload(); });
    if (!watch) return watch.error();
    watch_ = std::move(*watch);
    return {};
}

std::string ConfigStore::reload() {
    const std::lock_guard lock(reloading_);
    const ConfigSetPtr before = current();
    auto next = std::make_shared<ConfigSet>(*before);
    std::vector<Problem> problems;
    auto host = load_host(overrides_);
    if (host) {
        next->host = std::move(*host);
        // What is watched does not move: a new folder needs a restart, like a new address.
        next->host.org_dir = before->host.org_dir;
    } else {
        problems.push_back({host_file(overrides_), host.error().message});
    }
    next->orgs = read_orgs(next->host, before->orgs, problems);
    for (const Problem& problem : problems) {
        log::error("config.refused", {{"file", problem.file}, {"reason", problem.message}});
    }
    if (next->host == before->host && next->orgs == before->orgs) return joined(problems);
    const ConfigSetPtr now = std::move(next);
    {
        const std::lock_guard guard(mutex_);
        current_ = now;
    }
    log::info("config.loaded", {{"orgs", now->orgs.size()}});
    if (changed_) changed_(before, now);
    return joined(problems);
}

}  // namespace pb::config
