// SPDX-License-Identifier: Apache-2.0
#include "cli/keys.h"

#include <algorithm>

#include "base/times.h"

namespace pb::cli {
namespace {

constexpr std::size_t longest_client_name = 100;

Json time_json(const std::optional<access::Millis>& ms) {
    return ms && *ms != 0 ? Json(iso_time(*ms)) : Json(nullptr);
}

Json key_json(const access::ApiKey& key) {
    return {{"id", key.id},
            {"name", key.name},
            {"scopes", key.scopes.names()},
            {"created_by", key.created_by},
            {"role", key.role.empty() ? Json(nullptr) : Json(key.role)},
            {"created", time_json(key.created_ms)},
            {"expires", time_json(key.expires_ms)},
            {"used", time_json(key.used_ms)}};
}

Result<void> check_maker(const std::string& role) {
    if (role.empty() || access::role_from(role)) return {};
    return invalid("--role is member, admin or owner");
}

Json client_json(const access::OAuthClient& client) {
    return {{"id", client.id},
            {"name", client.name},
            {"scopes", client.scopes.names()},
            {"role", client.role.empty() ? Json(nullptr) : Json(client.role)},
            {"created", time_json(client.created_ms)}};
}

}  // namespace

Result<void> create_key(const Desk& desk) {
    const auto& given = desk.options.access;
    auto org = desk.org();
    if (!org) return org.error();
    auto scopes = desk.scopes();
    if (!scopes) return scopes.error();
    if (auto role = check_maker(desk.options.access.maker); !role) return role;
    std::optional<access::Millis> expires;
    if (!given.expires.empty()) {
        auto at = moment(given.expires, 1, "--expires");
        if (!at) return at.error();
        expires = *at;
    }
    auto made = desk.access.keys.make(*org, given.name, *scopes, "cli", expires, given.maker);
    if (!made) return made.error();
    const auto& key = made->key;
    desk.note("keys.create", key.id,
              {{"name", key.name}, {"scopes", key.scopes.text()}, {"expires", time_json(expires)}},
              {*org});
    desk.say("the key " + key.id + " of " + *org + " may " + key.scopes.text() + ", expires " +
             time_text(expires) + ", and is shown this once:");
    auto shown = key_json(key);
    shown["secret"] = made->secret;
    desk.hand_out(made->secret, shown);
    return {};
}

Result<void> list_keys(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    auto all = desk.access.keys.list(*org);
    if (!all) return all.error();
    Json keys = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& key : *all) {
        keys.push_back(key_json(key));
        rows.push_back({key.id, key.name, key.scopes.text(), "expires " + time_text(key.expires_ms),
                        "used " + time_text(key.used_ms)});
    }
    desk.print({{"org", *org}, {"keys", keys}}, rows);
    return {};
}

Result<void> revoke_key(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    const auto& id = desk.options.access.id;
    if (auto done = desk.access.keys.revoke(*org, id); !done) return done;
    desk.note("keys.revoke", id, Json::object(), {*org});
    return {};
}

Result<void> add_client(const Desk& desk) {
    const auto& name = desk.options.access.name;
    auto org = desk.org();
    if (!org) return org.error();
    auto scopes = desk.scopes();
    if (!scopes) return scopes.error();
    if (auto role = check_maker(desk.options.access.maker); !role) return role;
    const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (name.empty() || name.size() > longest_client_name || !plain)
        return invalid("a client has a name of 1 to 100 bytes, without control characters");
    access::OAuthClient wanted;
    wanted.name = name;
    wanted.org = *org;
    wanted.scopes = *scopes;
    wanted.role = desk.options.access.maker;
    wanted.auth_method = "client_secret_basic";
    auto made = desk.access.clients.add(std::move(wanted));
    if (!made) return made.error();
    const auto& client = made->client;
    desk.note("clients.add", client.id, {{"name", name}, {"scopes", client.scopes.text()}}, {*org});
    desk.say("the client " + client.id + " of " + *org + " may " + client.scopes.text() +
             "; its secret is shown this once:");
    auto shown = client_json(client);
    shown["secret"] = made->secret;
    desk.hand_out(made->secret, shown);
    return {};
}

Result<void> list_clients(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    auto all = desk.access.clients.machines(*org);
    if (!all) return all.error();
    Json clients = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& client : *all) {
        clients.push_back(client_json(client));
        rows.push_back({client.id, client.name, client.scopes.text()});
    }
    desk.print({{"org", *org}, {"clients", clients}}, rows);
    return {};
}

Result<void> remove_client(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    const auto& id = desk.options.access.id;
    if (auto done = desk.access.clients.remove(*org, id); !done) return done;
    desk.note("clients.remove", id, Json::object(), {*org});
    return {};
}

Result<void> list_grants(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    std::string person;
    if (!desk.options.access.login.empty()) {
        auto member = desk.member(*org, desk.options.access.login);
        if (!member) return member.error();
        person = member->person.id;
    }
    auto all = desk.access.grants.of_org(*org);
    if (!all) return all.error();
    Json grants = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& grant : *all) {
        if (!person.empty() && grant.person != person) continue;
        grants.push_back({{"id", grant.id},
                          {"person", grant.person.empty() ? Json(nullptr) : Json(grant.person)},
                          {"client", grant.client},
                          {"client_name", grant.client_name},
                          {"scopes", grant.scopes.names()},
                          {"resource", grant.resource},
                          {"created", time_json(grant.created_ms)},
                          {"used", time_json(grant.used_ms)}});
        rows.push_back({grant.id, grant.person.empty() ? "(a machine)" : grant.person,
                        grant.client_name.empty() ? grant.client : grant.client_name,
                        grant.scopes.text(), "used " + time_text(grant.used_ms)});
    }
    desk.print({{"org", *org}, {"grants", grants}}, rows);
    return {};
}

Result<void> revoke_grant(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    const auto& id = desk.options.access.id;
    auto grant = desk.access.grants.find(id);
    if (!grant) return grant.error();
    if (!*grant || (*grant)->org != *org) return not_found("there is no such grant");
    if (auto done = desk.access.grants.revoke(id); !done) return done;
    desk.note("grants.revoke", id, {{"client", (*grant)->client}, {"person", (*grant)->person}},
              {*org});
    return {};
}

}  // namespace pb::cli
