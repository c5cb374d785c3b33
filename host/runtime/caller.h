// SPDX-License-Identifier: Apache-2.0
// Caller: the authenticated identity on a call. Every call has one, whoever makes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "access/scopes.h"

namespace pb::runtime {

struct Caller {
    std::string org;
    std::string principal;            // stable id within the organisation
    std::string principal_kind;       // "anonymous" | "user" | "key" | "service"
    std::vector<std::string> scopes;  // as providers are told of them
    access::Scopes permits = {};      // the same, to be asked
    std::string credential = {};      // the id of the key or grant; empty: none
    std::string role = {};            // a person's in the organisation; empty: no person
    std::string client = {};          // OAuth's client_id; empty: none
    std::string permissions = {};     // equal for callers who may do the same
};

using CallerPtr = std::shared_ptr<const Caller>;

}  // namespace pb::runtime
