// SPDX-License-Identifier: Apache-2.0
// PluginFolder: keeps the set of loaded plugins equal to the *.so files of one folder.
//
// A replaced file becomes a new generation. While a file is broken its last good library stays in
// the set; when the file goes the library goes. A file that is still being written is left alone
// until it has been quiet for a moment.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_watch.h"
#include "base/result.h"
#include "plugin/library.h"

namespace pb::plugin {

struct Refusal {
    std::string path;
    std::string reason;
    bool operator==(const Refusal&) const = default;
};

struct FolderState {
    std::vector<LibraryPtr> libraries;  // sorted by file name; plugin ids are unique
    std::vector<Refusal> refusals;      // sorted by file name

    // The library that has the capability, or null; of several the first.
    LibraryPtr with_capability(std::string_view capability) const;
};

class PluginFolder {
  public:
    // Called with the whole state after every change of it; never concurrently, on the thread of
    // start(), rescan() or the watcher. It must not call these two.
    using Changed = std::function<void(const FolderState& state)>;

    PluginFolder(std::string path, Loader& loader, Changed changed,
                 std::chrono::milliseconds settle = std::chrono::milliseconds(150));
    ~PluginFolder();  // no callback after it

    // Once: the first scan, with one call of `changed` even if the folder is empty or absent; from
    // then on the folder is watched, unless `watch` is false. An error only if it cannot be
    // watched.
    Result<void> start(bool watch = true);

    // [any thread] Looks again now, also at files that were refused.
    void rescan();

    // [any thread]
    FolderState state() const;

  private:
    class Scanner;
    std::unique_ptr<Scanner> scanner_;
    std::unique_ptr<FileWatch> watch_;
};

}  // namespace pb::plugin
