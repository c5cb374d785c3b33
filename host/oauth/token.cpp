// SPDX-License-Identifier: Apache-2.0
// The token endpoint: codes, refresh tokens and machines' own credentials become access tokens.
#include <algorithm>
#include <functional>

#include "json/scan.h"
#include "oauth/answers.h"
#include "oauth/asked_scopes.h"
#include "oauth/client_auth.h"

namespace pb::oauth {
namespace {

using access::Grant;
using access::Grants;
using access::OAuthClient;

// One request, understood so far.
struct Asked {
    const OAuthClient& client;
    const Params& form;
};

http::Response unavailable() {
    return error_answer(503, "temporarily_unavailable", "try again in a minute");
}
http::Response invalid_grant(std::string_view why) {
    return error_answer(400, "invalid_grant", why);
}
http::Response invalid_target(const Visit& visit) {
    return error_answer(400, "invalid_target", "the resource here is " + visit.place.resource);
}

audit::Record about(const Grant& grant, const char* method) {
    audit::Record out;
    out.org = grant.org;
    out.kind = "grant";
    out.method = method;
    out.principal = grant.person.empty() ? grant.client : grant.person;
    out.principal_kind = grant.person.empty() ? "service" : "user";
    out.credential = grant.id;
    out.client = grant.client;
    out.name = grant.client_name;
    return out;
}

void record_reuse(Desk& desk, const Visit& visit, const std::optional<Grant>& grant) {
    if (!grant) return;
    auto what = about(*grant, "oauth.reuse");
    what.outcome = "denied";
    what.reason = "a code or refresh token came a second time: the grant has ended";
    record(desk, visit, std::move(what));
}

// Whether the person who granted it is still in the organisation; whoever is not grants nothing.
Result<bool> stands(Desk& desk, const Grant& grant) {
    if (!desk.parts.is_org(grant.org)) return false;
    if (grant.person.empty()) return true;
    const auto role = desk.parts.access.people.role(grant.org, grant.person);
    if (!role) return role.error();
    return role->has_value();
}

http::Response ended(Desk& desk, const Grant& grant, std::string_view why) {
    (void)desk.parts.access.grants.revoke(grant.id);
    return invalid_grant(why);
}

http::Response token_answer(const Grants::Tokens& tokens, const std::string& id_token) {
    std::string scope = tokens.scopes.text();
    if (!id_token.empty()) scope += " openid";
    std::string out =
        "{\"access_token\":" + json::quote(tokens.access) +
        ",\"token_type\":\"Bearer\",\"expires_in\":" + std::to_string(tokens.expires_in / 1000) +
        ",\"scope\":" + json::quote(scope);
    if (!tokens.refresh.empty()) out += ",\"refresh_token\":" + json::quote(tokens.refresh);
    if (!id_token.empty()) out += ",\"id_token\":" + json::quote(id_token);
    return json_answer(200, out + "}");
}

bool is_verifier(std::string_view text) {
    return text.size() >= 43 && text.size() <= 128 &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '~';
           });
}

// What is wrong with a code that is good: then somebody has got hold of it, and its grant ends.
std::optional<http::Response> check_code(Desk& desk, const Visit& visit, const Asked& asked,
                                         const Grants::Shown& shown) {
    const auto& [grant, binding] = shown;
    if (!same_secret(sha256_url(asked.form.get("code_verifier")), binding.code_challenge))
        return ended(desk, grant, "code_verifier is not that of the code_challenge");
    const auto redirect_uri = asked.form.get("redirect_uri");
    // OAuth 2.1 has it no more in this request; who sends it has to mean the same.
    if (!redirect_uri.empty() && redirect_uri != binding.redirect_uri)
        return ended(desk, grant, "redirect_uri is not that of the authorization request");
    if (grant.resource != visit.place.resource && !asked.form.get("resource").empty()) {
        (void)desk.parts.access.grants.revoke(grant.id);
        return invalid_target(visit);
    }
    const auto standing = stands(desk, grant);
    if (!standing) return unavailable();
    if (!*standing) return ended(desk, grant, "the person is not in the organisation any more");
    return std::nullopt;
}

http::Response refuse_code(const Error& error) {
    return error.kind == ErrorKind::denied
               ? invalid_grant("the code is unknown, spent, expired or another client's")
               : unavailable();
}

http::Response by_code(Desk& desk, const Visit& visit, const Asked& asked) {
    const auto code = asked.form.get("code"), verifier = asked.form.get("code_verifier");
    // Looked at before the code is spent for it.
    if (code.empty()) return error_answer(400, "invalid_request", "code is missing");
    if (verifier.empty()) return error_answer(400, "invalid_request", "code_verifier is missing");
    if (!is_verifier(verifier))
        return error_answer(400, "invalid_request",
                            "a code_verifier has 43 to 128 of A-Z, a-z, 0-9, '-', '.', '_', '~'");
    auto& grants = desk.parts.access.grants;
    std::optional<Grant> reused;
    const auto shown = grants.find_code(code, asked.client.id, &reused);
    record_reuse(desk, visit, reused);
    if (!shown) return refuse_code(shown.error());
    if (auto wrong = check_code(desk, visit, asked, *shown)) return std::move(*wrong);
    std::string id_token;
    if (shown->binding.openid) {
        auto made = desk.id_tokens.make(
            {visit.place.issuer(), shown->grant.person, asked.client.id, shown->binding.nonce});
        if (!made) return unavailable();
        id_token = std::move(*made);
    }
    const auto tokens = grants.redeem_code(code, asked.client.id, &reused);
    record_reuse(desk, visit, reused);
    return tokens ? token_answer(*tokens, id_token) : refuse_code(tokens.error());
}

http::Response refuse_refresh(const Visit& visit, const Error& error) {
    if (error.kind == ErrorKind::invalid) return error_answer(400, "invalid_scope", error.message);
    if (error.kind == ErrorKind::unsupported) return invalid_target(visit);
    if (error.kind != ErrorKind::denied) return unavailable();
    return invalid_grant("the refresh token is unknown, spent, expired, revoked or another's");
}

http::Response by_refresh(Desk& desk, const Visit& visit, const Asked& asked) {
    const auto text = asked.form.get("refresh_token");
    if (text.empty()) return error_answer(400, "invalid_request", "refresh_token is missing");
    auto scopes = read_scopes(asked.form.get("scope"));
    if (!scopes) return error_answer(400, "invalid_scope", scopes.error().message);
    if (scopes->any && scopes->scopes.empty())
        return error_answer(400, "invalid_scope",
                            "name at least one of the levels (mcp:read, ...)");
    std::optional<access::Scopes> fewer;
    if (scopes->any) fewer = std::move(scopes->scopes);
    const bool names_resource = !asked.form.get("resource").empty();
    std::optional<Grant> reused;
    auto& grants = desk.parts.access.grants;
    const auto shown = grants.find_refresh(text, asked.client.id, &reused);
    record_reuse(desk, visit, reused);
    if (!shown) return refuse_refresh(visit, shown.error());
    const auto standing = stands(desk, shown->grant);
    if (!standing) return unavailable();
    if (!*standing)
        return ended(desk, shown->grant, "the person is not in the organisation any more");
    const auto tokens = grants.refresh(text, asked.client.id, fewer,
                                       names_resource ? visit.place.resource : "", &reused);
    record_reuse(desk, visit, reused);
    return tokens ? token_answer(*tokens, {}) : refuse_refresh(visit, tokens.error());
}

// The grant that stands for it: one for each set of scopes, however often it comes.
Result<Grant> machine_grant(Desk& desk, const Visit& visit, const OAuthClient& client,
                            const access::Scopes& scopes) {
    auto& grants = desk.parts.access.grants;
    auto all = grants.of_machine(client.id);
    if (!all) return all.error();
    for (auto& each : *all)
        if (each.org == client.org && each.scopes == scopes &&
            each.resource == visit.place.resource)
            return std::move(each);
    Grant wanted;
    wanted.org = client.org;
    wanted.client = client.id;
    wanted.client_name = client.name;
    wanted.scopes = scopes;
    wanted.resource = visit.place.resource;
    return grants.add(std::move(wanted));
}

http::Response by_itself(Desk& desk, const Visit& visit, const Asked& asked) {
    if (!asked.client.is_machine() || asked.client.auth_method == "none")
        return error_answer(400, "unauthorized_client",
                            "this client acts for people; a client that acts for itself is made by "
                            "an administrator");
    auto scopes = read_scopes(asked.form.get("scope"));
    if (!scopes) return error_answer(400, "invalid_scope", scopes.error().message);
    const auto& own = asked.client.scopes;
    const auto wanted = scopes->any ? own.narrowed_to(scopes->scopes) : std::optional(own);
    if (!wanted || wanted->empty())
        return error_answer(400, "invalid_scope", "the client may not have all of these scopes");
    if (!desk.parts.is_org(asked.client.org))
        return error_answer(400, "unauthorized_client", "its organisation is no more");
    const auto grant = machine_grant(desk, visit, asked.client, *wanted);
    if (!grant) return unavailable();
    const auto tokens = desk.parts.access.grants.issue(*grant, false);
    if (!tokens) return unavailable();
    desk.parts.access.clients.used(asked.client.id);
    record(desk, visit, about(*grant, "oauth.machine_token"));
    return token_answer(*tokens, {});
}

}  // namespace

http::Response token(Desk& desk, const Visit& visit) {
    const auto form = read_form(visit);
    if (const auto* answer = std::get_if<http::Response>(&form)) return *answer;
    const auto& params = std::get<Params>(form);
    const auto client = authenticate_client(desk, visit, params);
    if (const auto* answer = std::get_if<http::Response>(&client)) return *answer;
    for (const auto& resource : params.all("resource"))
        if (!visit.place.is_resource(resource)) return invalid_target(visit);
    const Asked asked{std::get<OAuthClient>(client), params};
    const auto type = params.get("grant_type");
    if (type == "authorization_code") return by_code(desk, visit, asked);
    if (type == "refresh_token") return by_refresh(desk, visit, asked);
    if (type == "client_credentials") return by_itself(desk, visit, asked);
    if (type.empty()) return error_answer(400, "invalid_request", "grant_type is missing");
    return error_answer(400, "unsupported_grant_type",
                        "grant_type is authorization_code, refresh_token or client_credentials");
}

http::Response revoke(Desk& desk, const Visit& visit) {
    const auto form = read_form(visit);
    if (const auto* answer = std::get_if<http::Response>(&form)) return *answer;
    const auto& params = std::get<Params>(form);
    const auto client = authenticate_client(desk, visit, params);
    if (const auto* answer = std::get_if<http::Response>(&client)) return *answer;
    const auto text = params.get("token");
    if (text.empty()) return error_answer(400, "invalid_request", "token is missing");
    const auto gone = desk.parts.access.grants.revoke_token(text, std::get<OAuthClient>(client).id);
    if (!gone) return unavailable();
    if (*gone) record(desk, visit, about(**gone, "oauth.revoke"));
    // The same for one that nobody knows (RFC 7009, 2.2).
    return json_answer(200, "{}");
}

}  // namespace pb::oauth
