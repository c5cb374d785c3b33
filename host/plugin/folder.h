// SPDX-License-Identifier: Apache-2.0
// PluginFolder: keeps the set of loaded plugins equal to the *.so files of one folder.
//
// A replaced file becomes a new generation. While a file is broken its last good library stays in
// the set; when the file goes the library goes. A file that is still being written is left alone
// until it has been quiet for a moment. What was refused is tried again at growing intervals, since
// its surroundings may have been at fault; a folder that cannot be read changes nothing.
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
    // Called with the whole state after every change of it; one at a time, on the folder's own
    // thread.
    using Changed = std::function<void(const FolderState& state)>;

    PluginFolder(std::string path, Loader& loader, Changed changed,
                 std::chrono::milliseconds settle = std::chrono::milliseconds(150));
    ~PluginFolder();  // no callback after it

    // Once: returns after the first scan and its call of `changed`, which comes even if the folder
    // is empty or absent; from then on the folder is watched, unless `watch` is false. An error
    // only if it cannot be watched.
    Result<void> start(bool watch = true);

    // [any thread] Has everything looked at again soon, also files that were refused.
    void rescan();
    // Returns when what was asked for before has been done.
    void settle();

    // [any thread]
    FolderState state() const;

  private:
    class Scanner;
    std::unique_ptr<Scanner> scanner_;
    std::unique_ptr<FileWatch> watch_;
};

}  // namespace pb::plugin
