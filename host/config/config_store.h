// SPDX-License-Identifier: Apache-2.0
// ConfigStore: the current configuration, kept equal to its files. A change is read and checked
// whole and replaces the set at once; an invalid file is refused, said in the log, and what it said
// before stays.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/file_watch.h"
#include "base/result.h"
#include "config/config.h"

namespace pb::config {

// Everything, read once. The error lists all that is wrong, one line for each.
Result<ConfigSetPtr> load(const Overrides& overrides);

class ConfigStore {
  public:
    // Loads; fails where load() does.
    static Result<std::unique_ptr<ConfigStore>> open(Overrides overrides);

    // [any thread] The set that holds now.
    ConfigSetPtr current() const;

    // Watches the files from now on and calls `changed` with each new set, one at a time, on the
    // watch's thread (on the caller's for what changed since open()). Once. No call comes after the
    // store's destruction.
    using Changed = std::function<void(const ConfigSetPtr& before, const ConfigSetPtr& now)>;
    Result<void> watch(Changed changed);

    // [any thread] Reads the files again now. Returns what was refused, one line for each; empty if
    // nothing was. `changed` is called if anything differs.
    std::string reload();

  private:
    ConfigStore(Overrides overrides, ConfigSetPtr first);

    const Overrides overrides_;
    std::mutex reloading_;
    mutable std::mutex mutex_;  // of current_
    ConfigSetPtr current_;
    Changed changed_;
    std::unique_ptr<FileWatch> watch_;  // last: its thread uses all of the above
};

}  // namespace pb::config
