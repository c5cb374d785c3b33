// SPDX-License-Identifier: Apache-2.0
// What all endpoints work with, and what an endpoint is.
#pragma once

#include <string>
#include <string_view>

#include "base/buckets.h"
#include "http/server.h"
#include "oauth/client_book.h"
#include "oauth/id_tokens.h"
#include "oauth/options.h"
#include "oauth/place.h"

namespace pb::oauth {

struct Desk {
    Desk(Parts given, Options chosen)
        : parts(std::move(given)),
          options(std::move(chosen)),
          clients(parts.access.clients, parts.fetch),
          id_tokens(parts.secrets) {}

    const Parts parts;
    const Options options;
    Buckets buckets;
    ClientBook clients;
    IdTokens id_tokens;
};

// One request to an endpoint.
struct Visit {
    const http::Request& request;
    const Place place;
    const std::string address;  // of the peer, as far as it counts: an IPv6 network of /64
};

std::string address_of(const http::Request& request);

// [worker] Each of these answers one request.
using Endpoint = http::Response(Desk& desk, const Visit& visit);

Endpoint authorize, consent;                // authorize.cpp, consent.cpp
Endpoint sign_in;                           // sign_in.cpp
Endpoint sign_out, show_grants, end_grant;  // account.cpp
Endpoint token, revoke;                     // token.cpp
Endpoint register_client;                   // registration.cpp

// Writes down what happened here; the address is the visitor's.
void record(Desk& desk, const Visit& visit, audit::Record what);

}  // namespace pb::oauth
