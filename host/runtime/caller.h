// SPDX-License-Identifier: Apache-2.0
// Caller: the authenticated identity on a call. Every call has one, whoever makes it.
#pragma once

#include <cstdint>
#include <functional>
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
    std::string token = {};           // digest of the access token that was shown; empty: none
    std::int64_t expires_ms = 0;      // when key or token do, since 1970; 0: never
};

using CallerPtr = std::shared_ptr<const Caller>;

// What a caller's credential is worth later on.
enum class Standing {
    good,
    stale,  // this token is of no use any more, but another one for the same may be
    gone,   // there will be no other
};
using StandingOf = std::function<Standing(const Caller&)>;

}  // namespace pb::runtime
