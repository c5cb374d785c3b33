// SPDX-License-Identifier: Apache-2.0
// Caller: the authenticated identity on a call. Every call has one, whoever makes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace pb::runtime {

struct Caller {
    std::string org;
    std::string principal;       // stable id within the organisation
    std::string principal_kind;  // "anonymous" | "user" | "key" | "service"
    std::vector<std::string> scopes;
};

using CallerPtr = std::shared_ptr<const Caller>;

}  // namespace pb::runtime
