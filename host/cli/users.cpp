// SPDX-License-Identifier: Apache-2.0
#include "cli/users.h"

#include <algorithm>

#include "access/leaving.h"
#include "base/times.h"
#include "base/tokens.h"
#include "cli/credentials.h"

namespace pb::cli {
namespace {

using access::Role;

constexpr std::size_t password_bytes = 18;

Result<Role> wanted_role(const Desk& desk) {
    if (const auto role = access::role_from(desk.options.access.role)) return *role;
    return invalid("\"" + desk.options.access.role +
                   "\" is no role; there are member, admin and owner");
}

Result<std::string> new_password(const Desk& desk) {
    if (desk.options.access.generate) return random_text(password_bytes);
    return read_password(desk.streams);
}

Result<std::vector<std::string>> orgs_of(const Desk& desk, const access::Person& person) {
    auto all = desk.access.people.memberships(person.id);
    if (!all) return all.error();
    std::vector<std::string> out;
    for (const auto& each : *all)
        out.push_back(each.org);
    return out;
}

// Others who have to know it are the owners.
Result<void> warn_without_owner(const Desk& desk, const std::string& org) {
    auto all = desk.access.people.members(org);
    if (!all) return all.error();
    const bool owned = std::any_of(all->begin(), all->end(),
                                   [](const auto& each) { return each.role == Role::owner; });
    if (!owned) desk.say("\"" + org + "\" has no owner yet: patchbay users set-role LOGIN owner");
    return {};
}

Result<void> join_org(const Desk& desk, const access::Person& person, const std::string& org,
                      Role role) {
    if (auto joined = desk.access.people.join(org, person.id, role); !joined) return joined;
    desk.note("users.add", person.id, {{"login", person.login}, {"role", access::name_of(role)}},
              {org});
    desk.say(person.login + " (" + person.id + ") is " + std::string(access::name_of(role)) +
             " of " + org);
    return warn_without_owner(desk, org);
}

Result<void> set_disabled(const Desk& desk, bool disabled) {
    auto person = desk.person(desk.options.access.login);
    if (!person) return person.error();
    if (auto done = desk.access.people.disable(person->id, disabled); !done) return done;
    auto orgs = orgs_of(desk, *person);
    if (!orgs) return orgs.error();
    desk.note("users.change", person->id, {{"disabled", disabled}}, *orgs);
    return {};
}

}  // namespace

Result<void> add_user(const Desk& desk) {
    const auto& given = desk.options.access;
    auto org = desk.org();
    if (!org) return org.error();
    auto role = wanted_role(desk);
    if (!role) return role.error();
    auto known = desk.access.people.find(given.login);
    if (!known) return known.error();
    if (*known) {
        if (desk.member(*org, given.login))
            return invalid("\"" + given.login + "\" is in the organisation \"" + *org +
                           "\" already; patchbay users set-role changes the role");
        desk.say("\"" + given.login + "\" has an account, whose password stays");
        return join_org(desk, **known, *org, *role);
    }
    auto password = new_password(desk);
    if (!password) return password.error();
    auto person = desk.access.people.add(given.login, given.name, *password);
    if (!person) return person.error();
    if (auto joined = join_org(desk, *person, *org, *role); !joined) return joined;
    if (given.generate)
        desk.hand_out(*password,
                      {{"id", person->id}, {"login", person->login}, {"password", *password}});
    return {};
}

Result<void> list_users(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    auto all = desk.access.people.members(*org);
    if (!all) return all.error();
    Json users = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& [ignored, person, role] : *all) {
        users.push_back({{"id", person.id},
                         {"login", person.login},
                         {"name", person.name},
                         {"role", access::name_of(role)},
                         {"disabled", person.disabled},
                         {"created", iso_time(person.created_ms)}});
        rows.push_back({person.id, person.login, std::string(access::name_of(role)),
                        person.disabled ? "disabled" : "", person.name});
    }
    desk.print({{"org", *org}, {"users", users}}, rows);
    return {};
}

Result<void> set_role(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    auto role = wanted_role(desk);
    if (!role) return role.error();
    auto member = desk.member(*org, desk.options.access.login);
    if (!member) return member.error();
    if (auto done = desk.access.people.join(*org, member->person.id, *role); !done) return done;
    desk.note("users.change", member->person.id, {{"role", access::name_of(*role)}}, {*org});
    return {};
}

Result<void> set_password(const Desk& desk) {
    auto person = desk.person(desk.options.access.login);
    if (!person) return person.error();
    auto password = new_password(desk);
    if (!password) return password.error();
    if (auto done = desk.access.people.set_password(person->id, *password); !done) return done;
    auto orgs = orgs_of(desk, *person);
    if (!orgs) return orgs.error();
    desk.note("users.change", person->id, {{"password", "changed"}}, *orgs);
    if (desk.options.access.generate)
        desk.hand_out(*password,
                      {{"id", person->id}, {"login", person->login}, {"password", *password}});
    return {};
}

Result<void> disable_user(const Desk& desk) { return set_disabled(desk, true); }
Result<void> enable_user(const Desk& desk) { return set_disabled(desk, false); }

Result<void> remove_user(const Desk& desk) {
    auto org = desk.org();
    if (!org) return org.error();
    auto member = desk.member(*org, desk.options.access.login);
    if (!member) return member.error();
    auto keys = desk.access.keys.list(*org);
    if (!keys) return keys.error();
    const auto& person = member->person;
    auto gone = access::remove_member(desk.access, *org, person.id);
    if (!gone) return gone.error();
    desk.note("users.remove", person.id, {{"login", person.login}}, {*org});
    desk.say(*gone ? "the account is gone, it was in no other organisation"
                   : "the account stays, it is in another organisation");
    for (const auto& key : *keys)
        if (key.created_by == person.id)
            desk.say("the key " + key.id + " (" + key.name + ") was made by this person and stays");
    return {};
}

}  // namespace pb::cli
