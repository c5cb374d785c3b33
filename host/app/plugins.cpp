// SPDX-License-Identifier: Apache-2.0
#include "app/plugins.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/version.h"
#include "json/parse.h"

namespace pb::app {
namespace fs = std::filesystem;

std::string host_facts(const config::HostConfig& config) {
    json::Json facts = {{"version", build_info().version},
                        {"operator_org", config.anonymous_org},
                        {"outbound",
                         {{"allow_stdio", config.outbound.allow_stdio},
                          {"allow_private_cidrs", config.outbound.allow_private_cidrs}}}};
    if (!config.listen.public_url.empty()) facts["public_url"] = config.listen.public_url;
    return json::dump(facts);
}

plugin::LoaderOptions loader_options(const config::HostConfig& config, bool probe) {
    plugin::LoaderOptions options;
    options.data_dir = config.data_dir;
    std::error_code fault;
    const auto self = fs::read_symlink("/proc/self/exe", fault);
    if (probe && config.plugins.probe && !fault) options.probe_command = {self.string(), "probe"};
    options.files.insecure = config.plugins.insecure_permissions;
    options.trust.sha256 = config.plugins.allow_sha256;
    options.trust.key_files = config.plugins.signature_keys;
    return options;
}

namespace {

// Where plugin files are copied to before they are loaded. Looking leaves nothing behind: where no
// host has a data folder yet, a passing one.
class LookingFolder {
  public:
    explicit LookingFolder(std::string data_dir) : path_(std::move(data_dir)) {
        std::error_code fault;
        if (fs::is_directory(path_, fault)) return;
        std::string name = (fs::temp_directory_path(fault) / "patchbay-XXXXXX").string();
        if (!fault && ::mkdtemp(name.data()) != nullptr) {
            path_ = name;
            passing_ = true;
        }
    }
    ~LookingFolder() {
        std::error_code fault;
        if (passing_) fs::remove_all(path_, fault);
    }
    LookingFolder(const LookingFolder&) = delete;
    LookingFolder& operator=(const LookingFolder&) = delete;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
    bool passing_ = false;
};

}  // namespace

cli::PluginReport check_plugin(const config::HostConfig& config, const std::string& file) {
    cli::PluginReport report;
    report.path = file;
    const LookingFolder folder(config.data_dir);
    auto options = loader_options(config, true);
    options.data_dir = folder.path();
    auto loader = plugin::Loader::make(std::move(options));
    if (!loader) return report.problem = loader.error().message, report;
    auto checked = (*loader)->inspect(file);
    if (!checked) return report.problem = checked.error().message, report;
    const auto& manifest = checked->manifest;
    report.id = manifest.id;
    report.version = manifest.version;
    report.title = manifest.title;
    report.abi = std::to_string(manifest.abi_major) + "." + std::to_string(manifest.abi_minor);
    report.sha256 = checked->sha256;
    for (const auto& capability : manifest.capabilities)
        report.capabilities.push_back(capability.name);
    if (auto loaded = (*loader)->load(*checked); !loaded) report.problem = loaded.error().message;
    return report;
}

Result<std::vector<cli::PluginReport>> list_plugins(const config::HostConfig& config) {
    std::error_code fault;
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(config.plugins.folder, fault))
        if (entry.path().extension() == ".so") files.push_back(entry.path().string());
    if (fault) return not_found(config.plugins.folder + ": " + fault.message());
    std::sort(files.begin(), files.end());
    std::vector<cli::PluginReport> out;
    out.reserve(files.size());
    for (const auto& file : files)
        out.push_back(check_plugin(config, file));
    return out;
}

}  // namespace pb::app
