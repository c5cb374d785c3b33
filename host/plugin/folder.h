// SPDX-License-Identifier: Apache-2.0
// PluginFolder: keeps the set of loaded plugins equal to the *.so files of one folder.
//
// A replaced file becomes a new generation. While a file is broken its last good library stays in
// the set; when the file goes the library goes.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_watch.h"
#include "plugin/library.h"

namespace pb::plugin {

struct Refusal {
    std::string path;
    std::string reason;
};

struct FolderState {
    std::vector<LibraryPtr> libraries;  // sorted by file name; plugin ids are unique
    std::vector<Refusal> refusals;

    // The library that has the capability, or null; of several the first.
    LibraryPtr with_capability(std::string_view capability) const;
};

class PluginFolder {
  public:
    // Called with the whole state after every change of it; never concurrently, on the thread of
    // start(), rescan() or the watcher.
    using Changed = std::function<void(const FolderState& state)>;

    PluginFolder(std::string path, Loader& loader, Changed changed,
                 std::chrono::milliseconds settle = std::chrono::milliseconds(150));
    ~PluginFolder();  // no callback after it

    // The first scan, with one call of `changed` even if the folder is empty or absent; then
    // watches unless `watch` is false. An error only if the folder cannot be watched.
    Result<void> start(bool watch = true);

    // [any thread] Looks again now.
    void rescan();

    // [any thread]
    FolderState state() const;

  private:
    class Scanner;
    std::unique_ptr<Scanner> scanner_;
    std::unique_ptr<FileWatch> watch_;
};

}  // namespace pb::plugin
