// SPDX-License-Identifier: Apache-2.0
// References: ${env:NAME} and ${secret:name} inside configuration values. They are kept as text and
// resolved when used, so that a value never lives in a configuration, a log or a dump.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace pb::config {

// The value of a secret by its name; the error says why there is none.
using SecretOf = std::function<Result<std::string>(std::string_view name)>;

// A copy with every reference inside its strings (not member names) replaced. "$${" stands for a
// literal "${"; a "${" that no "word:" follows is left alone. The error names the reference and
// where it is, never a value. Without `secret` every ${secret:name} is an error.
Result<Json> resolve(const Json& value, const SecretOf& secret = nullptr);

// The same of one of an organisation's mcpServers, which may be pasted from a client's file: there
// ${NAME} is ${env:NAME}, and ${NAME:-otherwise} stands for `otherwise` if there is no such
// variable.
Result<Json> resolve_server(const Json& entry, const SecretOf& secret = nullptr);

// All of them, each on its own; one that cannot be resolved becomes {"unresolved": "<why>"}.
Json resolve_each(const Json& servers, const SecretOf& secret = nullptr);

}  // namespace pb::config
