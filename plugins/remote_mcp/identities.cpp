// SPDX-License-Identifier: Apache-2.0
#include "identities.h"

#include "client/oauth/oauth.h"
#include "json/parse.h"
#include "sha256.h"

namespace pb::remote {
namespace {

constexpr std::size_t prefix_size = 16;

// Headers that never change.
class Fixed final : public Identity {
  public:
    explicit Fixed(outbound::Headers headers)
        : credentials_(client::fixed_credentials(std::move(headers))) {}
    client::CredentialsPtr credentials() const override { return credentials_; }
    SignInState state() const override { return {}; }
    Result<std::string> sign_in_link(const std::string&, client::Deadline) override {
        return invalid("this server's credentials are configured; there is no sign-in");
    }
    Result<void> signed_in(const std::map<std::string, std::string>&, client::Deadline) override {
        return invalid("this server has no sign-in");
    }
    Result<void> sign_out(client::Deadline) override {
        return invalid("this server has no sign-in");
    }

  private:
    const client::CredentialsPtr credentials_;
};

// What OAuth keeps of one identity, in the host's encrypted store.
class Vault final : public client::TokenStore {
  public:
    Vault(Port port, std::string prefix) : port_(std::move(port)), prefix_(std::move(prefix)) {}
    Result<std::optional<std::string>> load(const std::string& key) override {
        return port_.secret(prefix_ + key);
    }
    Result<void> save(const std::string& key, const std::string& text) override {
        return port_.put_secret(prefix_ + key, text);
    }
    Result<void> remove(const std::string& key) override {
        port_.remove_secret(prefix_ + key);
        return {};
    }

  private:
    const Port port_;
    const std::string prefix_;
};

std::string vault_of(const std::string& server) { return "oauth/" + sha256(server) + "/"; }

class SignIn final : public Identity {
  public:
    SignIn(Port port, std::string server, std::string principal, std::string prefix,
           std::shared_ptr<client::OAuth> oauth)
        : port_(std::move(port)),
          server_(std::move(server)),
          principal_(std::move(principal)),
          prefix_(std::move(prefix)),
          oauth_(std::move(oauth)) {}

    client::CredentialsPtr credentials() const override { return oauth_; }
    SignInState state() const override {
        const auto status = oauth_->status();
        using State = client::OAuth::State;
        const bool lost = status.state == State::needs_sign_in;
        return {lost || status.state == State::needs_permission, lost, status.text};
    }
    Result<std::string> sign_in_link(const std::string& owner, client::Deadline deadline) override {
        const Json whose{{"server", server_}, {"principal", principal_}};
        if (auto kept = port_.put("identity/" + prefix_, json::dump(whose)); !kept)
            return kept.error();
        auto begun = oauth_->begin_sign_in(owner, deadline);
        if (!begun) return begun.error();
        return begun->url;
    }
    Result<void> signed_in(const std::map<std::string, std::string>& params,
                           client::Deadline deadline) override {
        FormParams given(params.begin(), params.end());
        return oauth_->finish_sign_in(params.at("state"), given, deadline);
    }
    Result<void> sign_out(client::Deadline deadline) override { return oauth_->sign_out(deadline); }

  private:
    const Port port_;
    const std::string server_, principal_, prefix_;
    const std::shared_ptr<client::OAuth> oauth_;
};

std::string text(const Json& object, const char* name) { return object.value(name, ""); }

void add_places(client::OAuthSettings& out, const HostFacts& host, const std::string& org) {
    if (host.public_url.empty()) return;
    out.redirect_uri = host.public_url + "/oauth/callback/" + org;
    out.client_uri = host.public_url;
    if (host.public_url.starts_with("https://"))
        out.client_metadata_url = host.public_url + "/oauth/client/" + org;
}

Result<client::OAuthSettings> oauth_settings(const HostFacts& host, const std::string& org,
                                             const Settings& settings, const std::string& prefix) {
    const auto& auth = settings.auth;
    client::OAuthSettings out;
    out.server = settings.spec.url;
    const auto grant = text(auth, "grant");
    if (grant == "client_credentials")
        out.grant = client::Grant::client_credentials;
    else if (!grant.empty() && grant != "authorization_code")
        return invalid("auth.grant must be authorization_code or client_credentials");
    add_places(out, host, org);
    if (out.grant == client::Grant::authorization_code && out.redirect_uri.empty())
        return invalid(
            "people can only sign in where the host knows the URL at which they reach it: set "
            "listen.public_url in its configuration");
    out.client_id = text(auth, "client_id");
    out.client_secret = text(auth, "client_secret");
    out.issuer = text(auth, "issuer");
    out.private_key = text(auth, "private_key");
    out.key_id = text(auth, "key_id");
    out.auth_method = text(auth, "auth_method");
    if (const auto url = text(auth, "client_metadata_url"); !url.empty())
        out.client_metadata_url = url;
    out.offline_access = auth.value("offline_access", true);
    if (const auto scopes = auth.find("scopes"); scopes != auth.end() && scopes->is_array())
        for (const auto& scope : *scopes)
            if (scope.is_string()) out.scopes.push_back(scope.get<std::string>());
    out.allow_http = !host.allow_private_cidrs.empty();
    out.state_prefix = prefix;
    return out;
}

Result<IdentityPtr> make_sign_in(const Port& port, client::Engine& engine, const HostFacts& host,
                                 const std::string& org, const Settings& settings,
                                 const std::string& principal) {
    const auto prefix =
        sha256(org + "\n" + settings.name + "\n" + principal).substr(0, prefix_size);
    auto wanted = oauth_settings(host, org, settings, prefix);
    if (!wanted) return wanted.error();
    client::OAuthParts parts;
    parts.fetch = [&engine](outbound::Request request) {
        return engine.http.fetch(std::move(request));
    };
    const auto vault = vault_of(settings.name);
    parts.tokens = std::make_shared<Vault>(port, vault + prefix + "/");
    parts.registrations = std::make_shared<Vault>(port, vault + "client/");
    auto oauth = client::OAuth::make(std::move(*wanted), std::move(parts));
    if (!oauth) return oauth.error();
    return IdentityPtr(
        std::make_shared<SignIn>(port, settings.name, principal, prefix, std::move(*oauth)));
}

}  // namespace

Result<IdentityPtr> make_identity(const Port& port, client::Engine& engine, const HostFacts& host,
                                  const std::string& org, const Settings& settings,
                                  const std::string& principal) {
    const auto type = settings.auth.value("type", "none");
    if (type == "oauth") return make_sign_in(port, engine, host, org, settings, principal);
    outbound::Headers headers;
    if (type == "bearer") headers = client::bearer(text(settings.auth, "token"));
    if (type == "basic")
        headers = client::basic(text(settings.auth, "username"), text(settings.auth, "password"));
    return IdentityPtr(std::make_shared<Fixed>(std::move(headers)));
}

Result<WhoseState> identity_of_state(const Port& port, const std::string& state) {
    const auto kept = port.get("identity/" + state.substr(0, prefix_size));
    const auto whose = kept ? Json::parse(*kept, nullptr, false) : Json();
    if (!whose.is_object()) return not_found("this sign-in is not known; begin it again");
    return WhoseState{whose.value("server", ""), whose.value("principal", "")};
}

std::set<std::string> principals_of(const Port& port, const std::string& server) {
    std::set<std::string> out;
    for (const auto& item : port.list("identity/")) {
        const auto whose = Json::parse(item.value, nullptr, false);
        if (whose.is_object() && whose.value("server", "") == server)
            out.insert(whose.value("principal", ""));
    }
    return out;
}

void forget_identities(const Port& port, const std::string& server) {
    for (const auto& name : port.secret_names(vault_of(server)))
        port.remove_secret(name);
    for (const auto& item : port.list("identity/")) {
        const auto whose = Json::parse(item.value, nullptr, false);
        if (whose.is_object() && whose.value("server", "") == server) port.remove(item.key);
    }
}

Result<std::string> client_document(const HostFacts& host, const std::string& org) {
    client::OAuthSettings settings;
    add_places(settings, host, org);
    if (settings.client_metadata_url.empty()) return not_found("this host has no public https URL");
    return client::client_metadata(settings);
}

}  // namespace pb::remote
