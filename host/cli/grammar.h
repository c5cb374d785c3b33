// SPDX-License-Identifier: Apache-2.0
// Options that many commands have. CLI11 is known here and to those who add commands: cli.cpp and
// administration.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/options.h"

namespace pb::cli {

// An option whose text one of our own functions understands; its error is the command line's.
template <class Take>
CLI::Option* add_parsed(CLI::App* command, const std::string& flag, Take take,
                        const std::string& help) {
    return command->add_option_function<std::string>(
        flag,
        [flag, take](const std::string& text) {
            const Result<void> taken = take(text);
            if (!taken) throw CLI::ValidationError(flag, taken.error().message);
        },
        help);
}

void add_config_file(CLI::App* command, Options& options);
void add_data(CLI::App* command, Options& options);
void add_log(CLI::App* command, Options& options);
void add_json(CLI::App* command, Options& options);

}  // namespace pb::cli
