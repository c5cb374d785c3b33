// SPDX-License-Identifier: Apache-2.0
// Dynamic client registration (RFC 7591).
#include <nlohmann/json.hpp>

#include "json/parse.h"
#include "oauth/answers.h"
#include "oauth/desk.h"

namespace pb::oauth {
namespace {

using json::Json;

constexpr json::Limits metadata_limits{64U << 10U, 16, 2000};

bool is_json_type(std::string_view type) {
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' '))
        type.remove_suffix(1);
    return type == "application/json";
}

// All that was registered, as it is: what is left out here is not kept either.
std::string registered(const access::Clients::Made& made) {
    const auto& client = made.client;
    Json out{{"client_id", client.id},
             {"client_id_issued_at", client.created_ms / 1000},
             {"redirect_uris", client.redirect_uris},
             {"grant_types", {"authorization_code", "refresh_token"}},
             {"response_types", Json::array({"code"})},
             {"application_type", client.web ? "web" : "native"},
             {"token_endpoint_auth_method", client.auth_method}};
    if (!client.name.empty()) out["client_name"] = client.name;
    if (!client.client_uri.empty()) out["client_uri"] = client.client_uri;
    if (!made.secret.empty()) {
        out["client_secret"] = made.secret;
        out["client_secret_expires_at"] = 0;
    }
    return json::dump(out);
}

}  // namespace

http::Response register_client(Desk& desk, const Visit& visit) {
    const auto refused = [](std::string_view why) {
        return error_answer(400, "invalid_client_metadata", why);
    };
    if (!desk.options.register_clients)
        return error_answer(403, "access_denied",
                            "clients do not register themselves here: ask an administrator, or "
                            "describe the client by a document at its client_id");
    if (!is_json_type(visit.request.header("Content-Type")))
        return refused("the body is application/json");
    const auto metadata = json::parse_unique(visit.request.body, metadata_limits);
    if (!metadata) return refused(metadata.error().message);
    const auto read = access::read_client(*metadata);
    if (const auto* wrong = std::get_if<access::RegistrationError>(&read))
        return error_answer(400, wrong->code, wrong->description);
    const auto made = desk.parts.access.clients.add(std::get<access::OAuthClient>(read));
    if (!made) return error_answer(503, "temporarily_unavailable", "try again later");
    audit::Record what;
    what.kind = "grant";
    what.method = "oauth.register";
    what.client = what.principal = made->client.id;
    what.principal_kind = "client";
    what.name = made->client.name;
    record(desk, visit, std::move(what));
    return json_answer(201, registered(*made));
}

}  // namespace pb::oauth
