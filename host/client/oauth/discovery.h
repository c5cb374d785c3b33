// SPDX-License-Identifier: Apache-2.0
// Who issues tokens for a server: protected-resource metadata (RFC 9728), then the authorization
// server's own (RFC 8414, OpenID Connect Discovery), then what 2025-03-26 assumed without either.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/url.h"
#include "client/oauth/web.h"

namespace pb::client::oauth {

// What an authorization server says of itself.
struct AuthorizationServer {
    std::string issuer;
    std::string authorization_endpoint, token_endpoint;         // the first may be empty
    std::string registration_endpoint, revocation_endpoint;     // both may be empty
    std::vector<std::string> scopes;                            // scopes_supported
    std::vector<std::string> auth_methods, signing_algorithms;  // of the token endpoint
    std::vector<std::string> dpop_algorithms;
    bool s256 = false;                // PKCE's only method here
    bool iss_in_response = false;     // RFC 9207
    bool client_id_metadata = false;  // it takes the URL of a document as client_id

    bool offers(std::string_view method) const;  // for the token endpoint; RFC 8414's default too
};

// What is known of a server's authorization.
struct Found {
    std::string resource;             // as published: the `resource` parameter
    std::vector<std::string> scopes;  // scopes_supported of the resource
    bool dpop_required = false;
    AuthorizationServer server;
};

struct Search {
    Url server;                     // the MCP server
    std::string resource_metadata;  // from its challenge, or empty
    // The authorization server to take if there are several; `issuer_only`: no other will do.
    std::string issuer;
    bool issuer_only = false;
};
Result<Found> discover(const Web& web, const Search& search);

// The metadata of one authorization server; nothing if it publishes none.
Result<std::optional<AuthorizationServer>> discover_issuer(const Web& web,
                                                           const std::string& issuer);

}  // namespace pb::client::oauth
