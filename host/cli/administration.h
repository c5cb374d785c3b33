// SPDX-License-Identifier: Apache-2.0
// The grammar of the commands that administer: users, keys, orgs, clients, grants and audit.
#pragma once

#include <utility>
#include <vector>

#include "cli/desk.h"

namespace CLI {
class App;
}

namespace pb::cli {

struct Administration {
    std::vector<std::pair<CLI::App*, DeskCommand>> commands;
    CLI::App* audit = nullptr;
};

Administration add_administration(CLI::App& app, Options& options);

}  // namespace pb::cli
