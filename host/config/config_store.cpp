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

// The organisation files of a folder, sorted; not_found if there is no such folder.
Result<std::vector<std::string>> org_files(const std::string& folder) {
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
    if (failed) {
        const bool absent = failed == std::errc::no_such_file_or_directory;
        return Error{
            absent ? ErrorKind::not_found : ErrorKind::invalid,
            "the folder of organisations " + folder + " cannot be read: " + failed.message()};
    }
    std::sort(files.begin(), files.end());
    return files;
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
    return std::make_shared<const OrgConfig>(std::move(*read));
}

// What the anonymous organisation is where no file describes it: callers without credentials belong
// somewhere even where nothing is configured.
OrgConfig unconfigured(const HostConfig& host) {
    OrgConfig org;
    org.name = host.anonymous_org;
    return org;
}

// Whether there never were files.
bool is_unconfigured(const Orgs& orgs, const HostConfig& host) {
    return orgs.empty() || (orgs.size() == 1 && *orgs.begin()->second == unconfigured(host));
}

// What stands in the folder. One that cannot be read changes nothing: taken for an empty one it
// would open every capability to callers without credentials.
Orgs read_orgs(const HostConfig& host, const Orgs& before, std::vector<Problem>& problems) {
    auto files = org_files(host.org_dir);
    if (!files) {
        const bool absent = files.error().kind == ErrorKind::not_found;
        if (!absent || host.org_dir_named || !is_unconfigured(before, host)) {
            problems.push_back({host.org_dir, files.error().message});
            return before;
        }
        files = std::vector<std::string>();
    }
    if (files->size() > max_orgs) {
        problems.push_back({host.org_dir, host.org_dir + " holds more than " +
                                              std::to_string(max_orgs) + " organisations"});
        files->resize(max_orgs);
    }
    Orgs orgs;
    for (const std::string& file : *files) {
        OrgPtr org = org_from(file, before, problems);
        if (org) orgs.emplace(org->name, std::move(org));
    }
    if (orgs.count(host.anonymous_org) == 0) {
        const auto old = before.find(host.anonymous_org);
        const bool keep = old != before.end() && *old->second == unconfigured(host);
        orgs[host.anonymous_org] =
            keep ? old->second : std::make_shared<const OrgConfig>(unconfigured(host));
    }
    return orgs;
}

// What callers and the watch were set up with does not move while they run: like a new address, it
// needs a restart.
void pin(const HostConfig& before, HostConfig& now) {
    if (now.org_dir != before.org_dir || now.anonymous_org != before.anonymous_org) {
        log::warning("config.restart_needed",
                     {{"reason", "org_dir and anonymous_org take effect at the next start"}});
    }
    now.org_dir = before.org_dir;
    now.org_dir_named = before.org_dir_named;
    now.anonymous_org = before.anonymous_org;
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
    set->orgs = read_orgs(set->host, {}, problems);
    if (!problems.empty()) return invalid(joined(problems));
    return ConfigSetPtr(std::move(set));
}

Result<std::unique_ptr<ConfigStore>> ConfigStore::open(Overrides overrides) {
    // From now on this is the file: were it gone, that would not be a wish for the defaults.
    if (const std::string file = host_file(overrides); !file.empty()) overrides.config_file = file;
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
    reload();  // what changed since the files were loaded
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
        pin(before->host, next->host);
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
