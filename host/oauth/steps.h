// SPDX-License-Identifier: Apache-2.0
// The pages of an authorization: signing in, then consent.
#pragma once

#include <string>

#include "oauth/authorization.h"
#include "oauth/browser.h"
#include "oauth/desk.h"

namespace pb::oauth {

// What a person signs in for: an authorization, whose query it is, or nothing but to be here.
struct SignInFor {
    std::string query;
    std::string client_name;
    std::string login, error;  // as typed the last time, and what was wrong
};
http::Response show_sign_in(const Visit& visit, const Browser& browser, const SignInFor& what,
                            int status = 200);

struct ConsentFor {
    const Authorization& asked;
    const std::string& query;
    std::string org;               // empty: the first one
    const Params* form = nullptr;  // that was sent with a choice that does not do
    std::string error;
};
// For whoever is signed in.
http::Response show_consent(Desk& desk, const Visit& visit, const Browser& browser,
                            const ConsentFor& what);

// For what cannot be read or written just now.
http::Response not_now(const Error& error);

}  // namespace pb::oauth
