// SPDX-License-Identifier: Apache-2.0
// Library: a plugin file that passed every check and is mapped into this process; Loader makes
// them.
//
// A library is never unloaded (a template static or a thread_local would pin it and run old code
// silently). A changed file is loaded beside the old one as a new generation; both stay mapped, so
// their number is bounded.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "patchbay/plugin.h"
#include "plugin/file_check.h"
#include "plugin/manifest.h"
#include "plugin/trust.h"

namespace pb::plugin {

struct Library {
    Manifest manifest;
    std::string path;              // the file it came from
    std::string sha256;            // of its bytes, 64 hexadecimal digits
    std::uint32_t generation = 0;  // counts the images of one plugin id, from 1
    patchbay_entry_fn entry = nullptr;

    std::string label() const;  // "weather@1.0.0#2"
};
using LibraryPtr = std::shared_ptr<const Library>;

struct LoaderOptions {
    std::string data_dir;  // copies and verdicts live in <data_dir>/plugins
    // The program that probes a first-seen file, to which the path is appended: {"patchbay",
    // "probe"}. Empty: nothing is probed.
    std::vector<std::string> probe_command;
    std::chrono::milliseconds probe_timeout{10'000};
    FilePolicy files;
    TrustOptions trust;
    std::size_t max_images = 1000;  // mapped in the life of the process, all plugins together
};

class Loader {
  public:
    // Makes the folder for copies; reads the public keys.
    static Result<std::unique_ptr<Loader>> make(LoaderOptions options);

    // [any thread] Everything that can be said without running the file's code.
    Result<CheckedFile> inspect(const std::string& path) const;

    // [any thread] Copies, probes and maps an inspected file. The same bytes again give the image
    // that is already mapped, with the path of this call.
    Result<LibraryPtr> load(const CheckedFile& file);
    Result<LibraryPtr> load(const std::string& path);

    // How many images have been mapped so far.
    std::size_t images() const;

  private:
    struct Image {
        std::uint32_t generation = 0;
        patchbay_entry_fn entry = nullptr;
    };

    Loader(LoaderOptions options, Trust trust, std::string folder)
        : options_(std::move(options)), trust_(std::move(trust)), folder_(std::move(folder)) {}
    Result<std::string> copy(const CheckedFile& file) const;
    Result<Image> map(const CheckedFile& file);

    const LoaderOptions options_;
    const Trust trust_;
    const std::string folder_;
    mutable std::mutex mutex_;
    std::size_t mapped_ = 0;
    std::map<std::string, Image> images_;               // by hash
    std::map<std::string, std::uint32_t> generations_;  // by plugin id: the last one given
};

}  // namespace pb::plugin
