// SPDX-License-Identifier: Apache-2.0
#include "browser.h"

namespace pb::client {
namespace {

constexpr int patience = 5;  // sign-ins in one run

OAuthSettings settings_for(const std::string& url, const Scenario& scenario) {
    OAuthSettings out;
    out.server = url;
    out.redirect_uri = "http://localhost:3000/oauth/callback";
    // The suite knows this client by it.
    out.client_metadata_url = "https://conformance-test.local/client-metadata.json";
    out.client_id = scenario.text("client_id");
    out.client_secret = scenario.text("client_secret");
    out.issuer = scenario.text("issuer");
    out.private_key = scenario.text("private_key_pem");
    const auto given = [text = scenario.text("valid_jwt") + scenario.text("idp_id_token")](
                           Deadline) -> Result<std::string> { return text; };
    if (scenario.name.starts_with("auth/client-credentials-")) {
        out.grant = Grant::client_credentials;
    } else if (scenario.name == "auth/wif-jwt-bearer") {
        out.grant = Grant::jwt_bearer;
        out.assertion = given;
    } else if (scenario.name == "auth/enterprise-managed-authorization") {
        out.grant = Grant::enterprise;
        out.assertion = given;
        out.identity_provider = {scenario.text("idp_issuer"), scenario.text("idp_token_endpoint"),
                                 scenario.text("idp_client_id"), ""};
    }
    return out;
}

}  // namespace

Result<CredentialsPtr> Browser::make(outbound::Http& http, const std::string& url,
                                     const Scenario& scenario) {
    OAuthParts parts;
    parts.fetch = [&http](outbound::Request request) { return http.fetch(std::move(request)); };
    parts.tokens = memory_token_store();
    auto oauth = OAuth::make(settings_for(url, scenario), std::move(parts));
    if (!oauth) return std::move(oauth).error();
    return CredentialsPtr(new Browser(http, std::move(*oauth)));
}

Result<void> Browser::acquire(Deadline deadline) {
    auto done = oauth_->acquire(deadline);
    return done ? done : sign_in(done.error(), deadline);
}

Result<void> Browser::challenged(const Challenge& challenge, Deadline deadline) {
    auto done = oauth_->challenged(challenge, deadline);
    return done ? done : sign_in(done.error(), deadline);
}

Result<void> Browser::sign_in(const Error& because, Deadline deadline) {
    const std::lock_guard lock(mutex_);
    const auto state = oauth_->status().state;
    const bool helps =
        state == OAuth::State::needs_sign_in || state == OAuth::State::needs_permission;
    if (!helps || ++sign_ins_ > patience) return because;
    const auto begun = oauth_->begin_sign_in("person", deadline);
    if (!begun) return begun.error();
    outbound::Request visit;
    visit.url = begun->url;
    const auto page = http_.fetch(visit);
    if (const auto* failure = std::get_if<outbound::Failure>(&page))
        return internal_error(failure->message);
    const auto back = std::string(std::get<outbound::Answer>(page).head.header("Location"));
    const auto params = form_decode(std::string_view(back).substr(back.find('?') + 1));
    if (back.empty() || !params) return internal_error("the authorization server sent nobody back");
    return oauth_->finish_sign_in(begun->state, *params, deadline);
}

}  // namespace pb::client
