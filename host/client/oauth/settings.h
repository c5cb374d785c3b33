// SPDX-License-Identifier: Apache-2.0
// How a client authorizes itself to one server: what a person configures.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "client/oauth/records.h"
#include "client/oauth/web.h"

namespace pb::client {

enum class Grant {
    authorization_code,  // a person signs in
    client_credentials,  // the client as itself
    enterprise,          // a person's ID token, exchanged at the company's identity provider
    jwt_bearer,          // a workload's own assertion
};

enum class Dpop { never, when_asked, always };

struct OAuthSettings {
    std::string server;  // the MCP server's URL
    Grant grant = Grant::authorization_code;

    // A client that was registered beforehand, if client_id is set. It belongs to `issuer`, or if
    // that is empty to the authorization server that is found first.
    std::string client_id, client_secret, issuer;
    std::string private_key;  // PEM, P-256 or RSA; for private_key_jwt
    std::string key_id;       // its "kid", or empty
    std::string auth_method;  // of the token endpoint; empty: what the server offers and we have

    // Otherwise the URL of our own metadata document if we have one (client_metadata()), otherwise
    // dynamic registration.
    std::string client_metadata_url;
    std::string client_name = "Patchbay";
    std::string client_uri;
    std::string redirect_uri;  // where a person's browser comes back

    std::vector<std::string> scopes;  // to ask for besides what the server asks for
    bool offline_access = true;       // where it is offered: a sign-in that lasts
    Dpop dpop = Dpop::when_asked;
    bool allow_http = false;       // to others than this machine: the operator opened the network
    std::string state_prefix;      // what `state` begins with: [A-Za-z0-9._-], at most 64
    std::string protocol_version;  // sent with requests for metadata; empty: none

    // Enterprise: who exchanges the ID token. The endpoint, or the issuer to find it.
    struct IdentityProvider {
        std::string issuer, token_endpoint, client_id, client_secret;
    } identity_provider;
    // Enterprise: the person's ID token. jwt_bearer: the workload's assertion. Asked each time.
    std::function<Result<std::string>(Deadline)> assertion;
};

// What OAuth stands on. The parts outlive it.
struct OAuthParts {
    Fetch fetch;
    TokenStorePtr tokens;         // one for each identity
    TokenStorePtr registrations;  // may be shared by all identities; null: `tokens`
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
};

// Our own Client ID Metadata Document, to be served as JSON at settings.client_metadata_url.
Result<std::string> client_metadata(const OAuthSettings& settings);

}  // namespace pb::client
