// SPDX-License-Identifier: Apache-2.0
#include "client/oauth/discovery.h"

#include <algorithm>

#include "client/oauth/challenge.h"
#include "json/scan.h"

namespace pb::client::oauth {
namespace {

constexpr std::size_t most_servers = 8;

bool contains(const std::vector<std::string>& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

// Every endpoint that is named must be a place where secrets may go.
Result<void> check_endpoints(const AuthorizationServer& server, bool allow_http) {
    const auto check = [&](const std::string& url, std::string_view what) -> Result<void> {
        if (url.empty()) return {};
        auto parsed = parse_secure_url(url, what, allow_http);
        if (!parsed) return std::move(parsed).error();
        return {};
    };
    for (const auto& [url, what] :
         {std::pair{&server.authorization_endpoint, "the authorization endpoint"},
          std::pair{&server.token_endpoint, "the token endpoint"},
          std::pair{&server.registration_endpoint, "the registration endpoint"},
          std::pair{&server.revocation_endpoint, "the revocation endpoint"}})
        if (auto sound = check(*url, what); !sound) return sound;
    if (server.token_endpoint.empty())
        return invalid("the metadata of " + server.issuer + " names no token_endpoint");
    return {};
}

AuthorizationServer read_server(std::string_view document) {
    AuthorizationServer out;
    out.issuer = text_member(document, "issuer");
    out.authorization_endpoint = text_member(document, "authorization_endpoint");
    out.token_endpoint = text_member(document, "token_endpoint");
    out.registration_endpoint = text_member(document, "registration_endpoint");
    out.revocation_endpoint = text_member(document, "revocation_endpoint");
    out.scopes = texts_member(document, "scopes_supported");
    out.auth_methods = texts_member(document, "token_endpoint_auth_methods_supported");
    out.signing_algorithms =
        texts_member(document, "token_endpoint_auth_signing_alg_values_supported");
    out.dpop_algorithms = texts_member(document, "dpop_signing_alg_values_supported");
    out.s256 = contains(texts_member(document, "code_challenge_methods_supported"), "S256");
    out.iss_in_response = true_member(document, "authorization_response_iss_parameter_supported");
    out.client_id_metadata = true_member(document, "client_id_metadata_document_supported");
    return out;
}

std::vector<std::string> metadata_places(const Url& issuer) {
    std::vector<std::string> out{well_known(issuer, "oauth-authorization-server"),
                                 well_known(issuer, "openid-configuration")};
    if (!issuer.path.empty() && issuer.path != "/") {
        auto path = issuer.path;
        if (path.ends_with('/')) path.pop_back();
        out.push_back(issuer.origin() + path + "/.well-known/openid-configuration");
    }
    return out;
}

// The first document of `places` that exists. `names_it` compares its issuer.
template <class NamesIt>
Result<std::optional<AuthorizationServer>> read_metadata(const Web& web, const Url& issuer,
                                                         const NamesIt& names_it) {
    for (const auto& place : metadata_places(issuer)) {
        auto document = web.document(place);
        if (!document) return std::move(document).error();
        if (!*document) continue;
        auto server = read_server(**document);
        if (!names_it(server.issuer))
            return invalid("the metadata at " + place + " is of another issuer than " +
                           issuer.text() + ", which is not acceptable");
        if (auto sound = check_endpoints(server, web.allow_http()); !sound)
            return std::move(sound).error();
        return std::optional(std::move(server));
    }
    return std::optional<AuthorizationServer>();
}

struct Resource {
    std::string name;
    std::vector<std::string> servers, scopes;
    bool dpop = false;
};

Result<std::optional<Resource>> read_resource(const Web& web, const Url& server,
                                              const std::string& place) {
    auto document = web.document(place);
    if (!document) return std::move(document).error();
    if (!*document) return std::optional<Resource>();
    Resource out;
    out.name = text_member(**document, "resource");
    const auto named = parse_url(out.name, "the resource in the metadata at " + place);
    if (!named) return named.error();
    if (!covers(*named, server))
        return invalid("the metadata at " + place + " is of another resource than " +
                       server.origin() + server.path + ", which is not acceptable");
    out.servers = texts_member(**document, "authorization_servers");
    if (out.servers.size() > most_servers) out.servers.resize(most_servers);
    out.scopes = split_scopes(join_scopes(texts_member(**document, "scopes_supported")));
    out.dpop = true_member(**document, "dpop_bound_access_tokens_required");
    return std::optional(std::move(out));
}

Result<std::optional<Resource>> find_resource(const Web& web, const Search& search) {
    if (!search.resource_metadata.empty()) {
        const auto place =
            parse_secure_url(search.resource_metadata,
                             "the resource_metadata of the server's challenge", web.allow_http());
        if (!place) return place.error();
        auto found = read_resource(web, search.server, place->text());
        if (found && !*found)
            return invalid("there is no protected-resource metadata at " + place->origin() +
                           place->path + ", where the server says it is");
        return found;
    }
    const Url root{search.server.scheme, search.server.host, search.server.port, "", ""};
    const auto at_path = well_known(search.server, "oauth-protected-resource");
    const auto at_root = well_known(root, "oauth-protected-resource");
    auto found = read_resource(web, search.server, at_path);
    if (!found || *found || at_path == at_root) return found;
    return read_resource(web, search.server, at_root);
}

// Without protected-resource metadata the server is its own authorization server, at its root; the
// endpoints are the default ones if it does not say otherwise.
Result<AuthorizationServer> server_itself(const Web& web, const Url& server) {
    const Url root{server.scheme, server.host, server.port, "", ""};
    const auto issuer = root.origin();
    const auto secure = parse_secure_url(issuer, "the server", web.allow_http());
    if (!secure) return secure.error();
    auto found = read_metadata(web, root, [&](const std::string& named) {
        return named == issuer || named == issuer + "/";
    });
    if (!found) return std::move(found).error();
    if (*found) return **std::move(found);
    AuthorizationServer out;
    out.issuer = issuer;
    out.authorization_endpoint = issuer + "/authorize";
    out.token_endpoint = issuer + "/token";
    out.registration_endpoint = issuer + "/register";
    out.s256 = true;  // required of every server by 2025-03-26, which had no place to say so
    return out;
}

// The first of the listed servers that can be used, beginning with the one that is wanted.
Result<AuthorizationServer> choose_server(const Web& web, std::vector<std::string> issuers,
                                          const Search& search) {
    const auto wanted = std::find(issuers.begin(), issuers.end(), search.issuer);
    if (wanted != issuers.end()) {
        std::rotate(issuers.begin(), wanted, wanted + 1);
        if (search.issuer_only) issuers.resize(1);
    } else if (search.issuer_only) {
        return Error{ErrorKind::denied,
                     "the server's tokens come from another authorization "
                     "server than " +
                         search.issuer + ", which the configured client belongs to"};
    }
    std::optional<Error> first;
    for (const auto& issuer : issuers) {
        auto found = discover_issuer(web, issuer);
        if (found && *found) return **std::move(found);
        // The one whose tokens we have is not left because it does not answer just now.
        if (!found && issuer == search.issuer) return std::move(found).error();
        if (first) continue;
        first = found ? invalid("the authorization server " + issuer + " publishes no metadata")
                      : std::move(found).error();
    }
    return *first;
}

}  // namespace

bool AuthorizationServer::offers(std::string_view method) const {
    return auth_methods.empty() ? method == "client_secret_basic" : contains(auth_methods, method);
}

Result<std::optional<AuthorizationServer>> discover_issuer(const Web& web,
                                                           const std::string& issuer) {
    const auto url = parse_secure_url(issuer, "the issuer", web.allow_http());
    if (!url) return url.error();
    if (!url->query.empty()) return invalid("the issuer " + url->origin() + " has a query");
    return read_metadata(web, *url, [&](const std::string& named) { return named == issuer; });
}

Result<Found> discover(const Web& web, const Search& search) {
    auto resource = find_resource(web, search);
    if (!resource) return std::move(resource).error();
    Found out;
    // The canonical form has no slash after a bare host.
    out.resource = search.server.path == "/" && search.server.query.empty() ? search.server.origin()
                                                                            : search.server.text();
    std::vector<std::string> issuers;
    if (*resource) {
        out.resource = std::move((*resource)->name);
        out.scopes = std::move((*resource)->scopes);
        out.dpop_required = (*resource)->dpop;
        issuers = std::move((*resource)->servers);
    } else if (search.issuer_only) {
        issuers = {search.issuer};  // nobody says otherwise, and the operator said this
    }
    auto server = issuers.empty() ? server_itself(web, search.server)
                                  : choose_server(web, std::move(issuers), search);
    if (!server) return std::move(server).error();
    out.server = std::move(*server);
    return out;
}

}  // namespace pb::client::oauth
