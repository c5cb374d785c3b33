// SPDX-License-Identifier: Apache-2.0
// What must not be an argument, since everybody on the machine can see those: passwords, secrets
// and keys.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace pb::cli {

// All of the input without the line's end that a shell puts there: 1 byte to 64 KiB. `what` begins
// the errors: "the value".
Result<std::string> read_secret(std::istream& in, std::string_view what);

// A new password: asked for twice where standard input is a terminal, else all of it.
Result<std::string> read_password(Streams streams);
// From a terminal, which shows nothing of it.
Result<std::string> ask_password(int terminal, std::ostream& prompts);

// The key that a running host is shown: from --api-key-file or the environment's PATCHBAY_API_KEY;
// empty if there is none.
Result<std::string> read_api_key(const Options& options, std::istream& in);

}  // namespace pb::cli
