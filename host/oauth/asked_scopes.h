// SPDX-License-Identifier: Apache-2.0
// The scope parameter: ours, and what OpenID Connect clients say besides.
#pragma once

#include <optional>
#include <string_view>

#include "access/scopes.h"

namespace pb::oauth {

struct AskedScopes {
    access::Scopes scopes;
    bool openid = false;
    bool any = false;  // one of ours is named
};

// The error names what is no scope.
Result<AskedScopes> read_scopes(std::string_view text);

// What either permits, told apart by level, capability, source and object.
access::Scopes joined(const access::Scopes& a, const access::Scopes& b);

}  // namespace pb::oauth
