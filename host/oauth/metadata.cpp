// SPDX-License-Identifier: Apache-2.0
#include "oauth/metadata.h"

#include <nlohmann/json.hpp>

#include "access/scopes.h"
#include "json/parse.h"

namespace pb::oauth {
namespace {

using json::Json;

Json level_scopes() {
    Json out = Json::array();
    for (const auto level : access::levels)
        out.push_back(access::scope_of(level));
    return out;
}

}  // namespace

std::string resource_metadata(const Place& place, const Options& options) {
    // Clients ask for all of these where nothing else is said: the gravest is asked for by name.
    const Json usual{access::scope_of(access::Level::read), access::scope_of(access::Level::write)};
    Json out{{"resource", place.resource},
             {"scopes_supported", usual},
             {"bearer_methods_supported", Json::array({"header"})},
             {"resource_name", options.resource_name}};
    if (place.is_safe()) out["authorization_servers"] = Json::array({place.issuer()});
    return json::dump(out);
}

std::string server_metadata(const Place& place, Ways ways) {
    const Json auth_methods{"none", "client_secret_basic", "client_secret_post"};
    auto scopes = level_scopes();
    scopes.push_back("openid");
    scopes.push_back("offline_access");
    Json out{
        {"issuer", place.issuer()},
        {"authorization_endpoint", place.url(paths::authorize)},
        {"token_endpoint", place.url(paths::token)},
        {"revocation_endpoint", place.url(paths::revoke)},
        {"jwks_uri", place.url(paths::jwks)},
        {"scopes_supported", std::move(scopes)},
        {"response_types_supported", Json::array({"code"})},
        {"response_modes_supported", Json::array({"query"})},
        {"grant_types_supported", {"authorization_code", "refresh_token", "client_credentials"}},
        {"token_endpoint_auth_methods_supported", auth_methods},
        {"revocation_endpoint_auth_methods_supported", auth_methods},
        {"code_challenge_methods_supported", Json::array({"S256"})},
        {"authorization_response_iss_parameter_supported", true},
        {"client_id_metadata_document_supported", ways.documents},
        {"protected_resources", Json::array({place.resource})},
        {"subject_types_supported", Json::array({"public"})},
        {"id_token_signing_alg_values_supported", Json::array({"RS256"})},
        {"claims_supported", {"iss", "sub", "aud", "exp", "iat", "nonce"}},
        {"prompt_values_supported", {"none", "login", "consent"}},
        {"claims_parameter_supported", false},
        {"request_parameter_supported", false},
        {"request_uri_parameter_supported", false}};
    if (ways.registration) out["registration_endpoint"] = place.url(paths::registration);
    return json::dump(out);
}

}  // namespace pb::oauth
