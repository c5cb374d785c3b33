// SPDX-License-Identifier: Apache-2.0
// Probe: the first load of an unknown file happens in a helper process, so that one that crashes,
// hangs or exits in a constructor takes nothing with it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace pb::plugin {

// The body of the hidden subcommand `probe FILE`: loads, makes one instance, destroys it. The exit
// code; the reason of a refusal is on standard error.
int run_probe(const std::string& path);

// Runs command + path and judges how it ended.
struct Verdict {
    bool passed = false;
    bool lasting = true;  // of a refusal: the file's own doing (a crash), not its surroundings'
    std::string reason;
};
Verdict probe(const std::vector<std::string>& command, const std::string& path,
              std::chrono::milliseconds timeout);

// The same with the verdict remembered in `verdict_file`: a file that passed is not probed again,
// nor is one that crashed or hung. Delete the verdict to have it tried again.
Result<void> probe_once(const std::vector<std::string>& command, const std::string& path,
                        std::chrono::milliseconds timeout, const std::string& verdict_file);

}  // namespace pb::plugin
