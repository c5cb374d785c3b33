// SPDX-License-Identifier: Apache-2.0
// FileWatch: says that something about the watched files or folders may have changed.
//
// Watches by name: a path may be absent, be replaced by an editor's rename, or go and come again
// with its folder. Bursts are one notice. The receiver looks for itself what changed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace pb {

class FileWatch {
  public:
    // Of a folder: its entries, not those of folders inside it. `changed` runs on the watch's own
    // thread, one at a time, `quiet` after the last change of a burst (at most ten times that after
    // the first).
    static Result<std::unique_ptr<FileWatch>> start(
        const std::vector<std::string>& paths, std::function<void()> changed,
        std::chrono::milliseconds quiet = std::chrono::milliseconds(150));
    // No notice after it. Not from inside `changed`.
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

  private:
    class Loop;
    explicit FileWatch(std::unique_ptr<Loop> loop);
    std::unique_ptr<Loop> loop_;
};

}  // namespace pb
