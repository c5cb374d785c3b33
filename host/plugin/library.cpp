// SPDX-License-Identifier: Apache-2.0
// Loading checked plugin files: copy, probe, map.
#include "plugin/library.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <system_error>

#include "base/dynamic_library.h"
#include "plugin/probe.h"
#include "plugin/read_file.h"
#include "plugin/write_file.h"

namespace pb::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours keep_unused{24 * 30};

std::string verdict_of(const std::string& copy) {
    return fs::path(copy).replace_extension(".verdict").string();
}

// A folder of this user alone; the one above it too, if it is made here.
Result<void> make_folder(const fs::path& folder) {
    std::error_code failed;
    const bool is_new = fs::create_directories(folder.parent_path(), failed);
    if (is_new) fs::permissions(folder.parent_path(), fs::perms::owner_all, failed);
    if (!failed) fs::create_directory(folder, failed);
    if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
    if (failed)
        return internal_error("the folder '" + folder.string() +
                              "' cannot be made: " + failed.message());
    return {};
}

// Copies that nothing has loaded for a long time, with their verdicts. What a process has mapped
// stays whole when its name goes.
void forget_unused(const fs::path& folder) {
    std::error_code ignored;
    const auto oldest = fs::file_time_type::clock::now() - keep_unused;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const auto used = entry.last_write_time(ignored);
        if (!ignored && used < oldest) fs::remove(entry.path(), ignored);
    }
}

}  // namespace

std::string Library::label() const {
    return manifest.id + "@" + manifest.version + "#" + std::to_string(generation);
}

Result<std::unique_ptr<Loader>> Loader::make(LoaderOptions options) {
    auto trust = Trust::make(options.trust);
    if (!trust) return trust.error();
    std::error_code failed;
    fs::path folder = fs::absolute(options.data_dir, failed) / "plugins";
    if (options.data_dir.empty() || failed) return invalid("plugins need a data directory");
    auto made = make_folder(folder);
    if (!made) return made.error();
    forget_unused(folder);
    return std::unique_ptr<Loader>(
        new Loader(std::move(options), std::move(*trust), folder.string()));
}

Result<CheckedFile> Loader::inspect(const std::string& path) const {
    auto file = check_file(path, options_.files);
    if (!file) return file.error();
    auto trusted = trust_.check(path, file->bytes, file->sha256);
    if (!trusted) return trusted.error();
    if (file->manifest.isolation == Isolation::process)
        return Error{ErrorKind::unsupported,
                     "its manifest asks for a process of its own, which this host does not offer"};
    return file;
}

Result<std::string> Loader::copy(const CheckedFile& file) const {
    std::string path = folder_ + "/" + file.sha256 + ".so";
    // What is there may be the rest of a disk that was full, or somebody's work: only its bytes
    // count.
    auto present = read_guarded(path, file.bytes.size(), Guard::demanded);
    if (present && *present == file.bytes) {
        std::error_code ignored;
        for (const auto& used : {path, verdict_of(path)})
            fs::last_write_time(used, fs::file_time_type::clock::now(), ignored);
        return path;
    }
    auto written = write_file(path, file.bytes);
    if (!written) return written.error();
    return path;
}

Result<Loader::Image> Loader::map(const CheckedFile& file) {
    if (mapped_ >= options_.max_images)
        return Error{ErrorKind::busy, "the host has loaded " + std::to_string(mapped_) +
                                          " plugin images since its start, which is its limit; "
                                          "restart it"};
    auto path = copy(file);
    if (!path) return path.error();
    if (!options_.probe_command.empty()) {
        auto probed =
            probe_once(options_.probe_command, *path, options_.probe_timeout, verdict_of(*path));
        if (!probed) return probed.error();
    }
    auto library = DynamicLibrary::load(*path);
    if (!library) return library.error();
    ++mapped_;
    Image image;
    image.entry = reinterpret_cast<patchbay_entry_fn>(library->symbol(PATCHBAY_ENTRY_NAME));
    if (image.entry) image.generation = ++generations_[file.manifest.id];
    return image;
}

Result<LibraryPtr> Loader::load(const CheckedFile& file) {
    std::lock_guard lock(mutex_);
    auto found = images_.find(file.sha256);
    if (found == images_.end()) {
        auto image = map(file);
        if (!image) return image.error();
        found = images_.emplace(file.sha256, *image).first;
    }
    // It stays mapped and known, so that another try does not count as another image.
    if (!found->second.entry) return invalid("it does not export " PATCHBAY_ENTRY_NAME);
    auto library = std::make_shared<Library>();
    library->manifest = file.manifest;
    library->path = file.path;
    library->sha256 = file.sha256;
    library->generation = found->second.generation;
    library->entry = found->second.entry;
    return LibraryPtr(std::move(library));
}

Result<LibraryPtr> Loader::load(const std::string& path) {
    auto file = inspect(path);
    if (!file) return file.error();
    return load(*file);
}

std::size_t Loader::images() const {
    std::lock_guard lock(mutex_);
    return mapped_;
}

}  // namespace pb::plugin
