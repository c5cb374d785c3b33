// SPDX-License-Identifier: Apache-2.0
// An authorization request (RFC 6749, 4.1.1, as OAuth 2.1 narrows it), checked. It is read anew at
// each step: from the query at first, then from the form in which it travels.
#pragma once

#include <string>
#include <variant>

#include "access/clients.h"
#include "access/scopes.h"
#include "http/server.h"
#include "oauth/answers.h"
#include "oauth/desk.h"

namespace pb::oauth {

struct Authorization {
    access::OAuthClient client;
    Return back;
    access::Scopes scopes;  // at least one level
    bool openid = false;
    std::string code_challenge, nonce;
    std::string login_hint;
    bool silent = false;        // prompt=none: nobody is to be asked
    bool sign_in_anew = false;  // prompt=login
};

// Where to send the person when something is wrong: nowhere while it is not known who the client is
// and that it may get people sent there; back to it from then on (RFC 6749, 4.1.2.1).
std::variant<Authorization, http::Response> read_authorization(Desk& desk, const Visit& visit,
                                                               std::string_view query);

// What the client is called on pages.
std::string name_of(const access::OAuthClient& client);

// Tells the client what was wrong. Anybody can register, so for somebody who has not even signed in
// nothing but a program on a loopback port is gone to unasked, no place out in the web and no app:
// then the person is told (RFC 9700, 4.11.2).
http::Response refuse(Desk& desk, const Visit& visit, const Return& back, std::string_view code,
                      std::string_view description);

}  // namespace pb::oauth
