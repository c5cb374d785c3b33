// SPDX-License-Identifier: Apache-2.0
// People, what they are in which organisation, and the browsers in which they are signed in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/records.h"
#include "access/scopes.h"

namespace pb::access {

enum class Role { member, admin, owner };
std::string_view name_of(Role role);
std::optional<Role> role_from(std::string_view name);
// The most that a person with this role may grant, to a client or to a key.
Scopes most_of(Role role);

struct Person {
    std::string id;  // stable; "usr_..."
    std::string login;
    std::string name;
    bool disabled = false;
    Millis created_ms = 0;
};

struct Membership {
    std::string org;
    Person person;
    Role role = Role::member;
};

// [any thread], all of it.
class People {
  public:
    explicit People(std::shared_ptr<Records> records) : records_(std::move(records)) {}

    // A login is an address or a name: 1 to 254 visible characters without spaces, whatever their
    // case, that do not begin like an id. busy if somebody has it.
    Result<Person> add(std::string_view login, std::string_view name, std::string_view password);
    Result<std::optional<Person>> find(std::string_view id_or_login);
    Result<void> rename(std::string_view id, std::string_view name);
    // Ends the browsers in which the person is signed in.
    Result<void> set_password(std::string_view id, std::string_view password);
    // invalid for the last owner of an organisation, as remove().
    Result<void> disable(std::string_view id, bool disabled);
    Result<void> remove(std::string_view id);
    // denied for a wrong password, an unknown login and a disabled person, all alike.
    Result<Person> sign_in(std::string_view login, std::string_view password);

    Result<void> join(std::string_view org, std::string_view person, Role role);
    // invalid for the last owner: an organisation keeps one that is not disabled.
    Result<void> leave(std::string_view org, std::string_view person);
    Result<std::vector<Membership>> members(std::string_view org);
    Result<std::vector<Membership>> memberships(std::string_view person);
    Result<std::optional<Role>> role(std::string_view org, std::string_view person);
    // Whether there is anybody yet.
    Result<bool> any();

    // A browser that is signed in; the secret is its cookie.
    Result<std::string> open_browser(std::string_view person, Millis lasts);
    Result<std::optional<Person>> browser(std::string_view secret);
    Result<void> close_browser(std::string_view secret);

  private:
    Result<void> keep_an_owner(std::string_view org, std::string_view person);
    Result<void> keep_owners(std::string_view person);  // in all of theirs

    const std::shared_ptr<Records> records_;
};

}  // namespace pb::access
