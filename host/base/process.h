// SPDX-License-Identifier: Apache-2.0
// Runs another program to its end, bounded in time and output.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace pb {

struct ProcessSpec {
    std::vector<std::string> arguments;    // the first is the program, found by PATH if without '/'
    std::vector<std::string> environment;  // "NAME=value"; nothing is inherited
    std::chrono::milliseconds timeout{10'000};
    std::size_t max_output = 64u << 10;  // bytes kept of each stream; the rest is read and dropped
};

struct ProcessEnd {
    bool timed_out = false;  // it was killed, with everything in its process group
    int exit_code = -1;      // -1 if a signal ended it
    int signal = 0;
    std::string output;  // standard output
    std::string errors;  // standard error
};

// [any thread] Standard input is empty, no descriptor but 0 to 2 is inherited, no signal is blocked
// or ignored. An error only if the program cannot be started.
Result<ProcessEnd> run_process(const ProcessSpec& spec);

// Those of this process's variables that a helper may see, as "NAME=value": none that may hold a
// secret.
std::vector<std::string> plain_environment();

}  // namespace pb
