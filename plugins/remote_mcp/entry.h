// SPDX-License-Identifier: Apache-2.0
// Entries of mcpServers as they are written, by hand or for other clients, put into our words:
// names, references, members.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::remote {

using Json = nlohmann::json;

// The name that a server gets here whose key is no name of ours: readable, the same each time, with
// `digits` of the key's digest. A key that is a name stays as it is.
std::string name_for(const std::string& key, std::size_t digits = 8);

// A namespace out of a server's name; empty if nothing of it can be in one.
std::string namespace_for(const std::string& name);

// What is registered at run time comes from an organisation's administrators, who may name its
// secrets and see nothing of the host: ${secret:NAME} is replaced, any other reference is an error.
Result<Json> resolve_registered(const Json& entry,
                                const std::function<Result<std::string>(std::string_view)>& secret);

// The entry with what other clients call differently in our words. `remarks`: for whoever wonders
// what became of it.
Result<Json> in_our_words(const Json& entry, std::vector<std::string>& remarks);

}  // namespace pb::remote
