// SPDX-License-Identifier: Apache-2.0
// Who asks the token and revocation endpoints: the client's id, and its secret where it has one.
#pragma once

#include <variant>

#include "access/clients.h"
#include "oauth/desk.h"
#include "oauth/params.h"

namespace pb::oauth {

// Or the answer that says why not (RFC 6749, 5.2).
std::variant<access::OAuthClient, http::Response> authenticate_client(Desk& desk,
                                                                      const Visit& visit,
                                                                      const Params& form);

// The form of a request to those endpoints; or the answer that says why it is none.
std::variant<Params, http::Response> read_form(const Visit& visit);

}  // namespace pb::oauth
