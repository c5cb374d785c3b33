// SPDX-License-Identifier: Apache-2.0
#include "access/people.h"

#include <algorithm>

#include "access/passwords.h"

namespace pb::access {
namespace {

constexpr std::size_t longest_login = 254, longest_person_name = 200;
constexpr std::string_view id_prefix = "usr_";
constexpr std::string_view role_names[] = {"member", "admin", "owner"};

std::string text(const store::Statement& row, int column) { return std::string(row.bytes(column)); }

// id, login, name, disabled, created_ms from `first` on.
Person person_of(const store::Statement& row, int first = 0) {
    return {text(row, first), text(row, first + 1), text(row, first + 2),
            row.integer(first + 3) != 0, row.integer(first + 4)};
}

Result<void> check_login(std::string_view login) {
    const bool plain = std::all_of(login.begin(), login.end(), [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
    });
    // Who is looked up by an id must not be found by a login that looks like it.
    const bool like_id = login.starts_with(id_prefix);
    if (!login.empty() && login.size() <= longest_login && plain && !like_id) return {};
    return invalid(
        "a login has 1 to 254 bytes, no spaces and no control characters, and does not "
        "begin with usr_");
}

Result<void> check_name(std::string_view name) {
    const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (name.size() <= longest_person_name && plain) return {};
    return invalid("a name has at most 200 bytes and no control characters");
}

Result<void> found(const Result<std::int64_t>& changed) {
    if (!changed) return changed.error();
    if (*changed == 0) return not_found("there is no such person");
    return {};
}

}  // namespace

std::string_view name_of(Role role) { return role_names[static_cast<std::size_t>(role)]; }

std::optional<Role> role_from(std::string_view name) {
    for (const auto role : {Role::member, Role::admin, Role::owner})
        if (name == name_of(role)) return role;
    return std::nullopt;
}

Scopes most_of(Role role) {
    const auto all = Scopes::everything();
    return role == Role::member ? all.without(Level::admin) : all;
}

Result<Person> People::add(std::string_view login, std::string_view name,
                           std::string_view password) {
    if (auto checked = check_login(login); !checked) return checked.error();
    if (auto checked = check_name(name); !checked) return checked.error();
    auto hash = passwords::hash(password);
    if (!hash) return hash.error();
    Person out{std::string(id_prefix) + random_text(12), std::string(login), std::string(name),
               false, now_ms()};
    auto added = records_->use()->run(
        "INSERT INTO person(id, login, name, password, created_ms) VALUES(?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT(login) DO NOTHING",
        out.id, out.login, out.name, *hash, out.created_ms);
    if (!added) return added.error();
    if (*added == 0) return Error{ErrorKind::busy, "somebody has the login \"" + out.login + "\""};
    return out;
}

Result<std::optional<Person>> People::find(std::string_view id_or_login) {
    return records_->use()->row(
        "SELECT id, login, name, disabled, created_ms FROM person WHERE id=?1 OR login=?1",
        [](const store::Statement& row) { return person_of(row); }, id_or_login);
}

Result<void> People::rename(std::string_view id, std::string_view name) {
    if (auto checked = check_name(name); !checked) return checked;
    return found(records_->use()->run("UPDATE person SET name=?2 WHERE id=?1", id, name));
}

Result<void> People::set_password(std::string_view id, std::string_view password) {
    auto hash = passwords::hash(password);
    if (!hash) return hash.error();
    auto use = records_->change();
    if (auto set = found(use->run("UPDATE person SET password=?2 WHERE id=?1", id, *hash)); !set)
        return set;
    auto closed = use->run("DELETE FROM browser WHERE person=?1", id);
    return closed ? Result<void>() : closed.error();
}

Result<void> People::disable(std::string_view id, bool disabled) {
    if (disabled)
        if (auto may = keep_owners(id); !may) return may;
    return found(
        records_->change()->run("UPDATE person SET disabled=?2 WHERE id=?1", id, disabled));
}

Result<void> People::remove(std::string_view id) {
    if (auto may = keep_owners(id); !may) return may;
    return found(records_->change()->run("DELETE FROM person WHERE id=?1", id));
}

Result<Person> People::sign_in(std::string_view login, std::string_view password) {
    struct Kept {
        Person person;
        std::string hash;
    };
    auto kept = records_->use()->row(
        "SELECT id, login, name, disabled, created_ms, password FROM person WHERE login=?1",
        [](const store::Statement& row) {
            return Kept{person_of(row), text(row, 5)};
        },
        login);
    if (!kept) return kept.error();
    const bool right = passwords::matches(password, *kept ? (*kept)->hash : "");
    if (!right || (*kept)->person.disabled)
        return Error{ErrorKind::denied, "the login or the password is wrong"};
    return std::move((*kept)->person);
}

Result<void> People::join(std::string_view org, std::string_view person, Role role) {
    if (role != Role::owner)
        if (auto may = keep_an_owner(org, person); !may) return may;
    auto done = records_->change()->run(
        "INSERT INTO member(org, person, role) VALUES(?1, ?2, ?3)"
        " ON CONFLICT(org, person) DO UPDATE SET role=?3",
        org, person, name_of(role));
    return done ? Result<void>() : done.error();
}

Result<void> People::leave(std::string_view org, std::string_view person) {
    if (auto may = keep_an_owner(org, person); !may) return may;
    return found(
        records_->change()->run("DELETE FROM member WHERE org=?1 AND person=?2", org, person));
}

Result<void> People::keep_owners(std::string_view person) {
    auto all = memberships(person);
    if (!all) return all.error();
    for (const auto& each : *all)
        if (auto may = keep_an_owner(each.org, person); !may) return may;
    return {};
}

// Whether the organisation has another owner than this person, or this one is none. Who is disabled
// can do nothing for it.
Result<void> People::keep_an_owner(std::string_view org, std::string_view person) {
    auto all = members(org);
    if (!all) return all.error();
    bool is_owner = false, others = false;
    for (const auto& each : *all) {
        if (each.role != Role::owner || each.person.disabled) continue;
        (each.person.id == person ? is_owner : others) = true;
    }
    if (!is_owner || others) return {};
    return invalid("\"" + std::string(org) +
                   "\" would have no owner; make somebody else one first");
}

Result<std::vector<Membership>> People::members(std::string_view org) {
    return records_->use()->rows(
        "SELECT m.org, m.role, p.id, p.login, p.name, p.disabled, p.created_ms FROM member m"
        " JOIN person p ON p.id=m.person WHERE m.org=?1 ORDER BY p.login",
        [](const store::Statement& row) {
            return Membership{text(row, 0), person_of(row, 2),
                              role_from(row.bytes(1)).value_or(Role::member)};
        },
        org);
}

Result<std::vector<Membership>> People::memberships(std::string_view person) {
    return records_->use()->rows(
        "SELECT m.org, m.role, p.id, p.login, p.name, p.disabled, p.created_ms FROM member m"
        " JOIN person p ON p.id=m.person WHERE m.person=?1 ORDER BY m.org",
        [](const store::Statement& row) {
            return Membership{text(row, 0), person_of(row, 2),
                              role_from(row.bytes(1)).value_or(Role::member)};
        },
        person);
}

Result<std::optional<Role>> People::role(std::string_view org, std::string_view person) {
    auto out = records_->use()->row(
        "SELECT m.role FROM member m JOIN person p ON p.id=m.person"
        " WHERE m.org=?1 AND m.person=?2 AND p.disabled=0",
        [](const store::Statement& row) { return role_from(row.bytes(0)).value_or(Role::member); },
        org, person);
    return out;
}

Result<bool> People::any() {
    auto one = records_->use()->row("SELECT 1 FROM person LIMIT 1",
                                    [](const store::Statement& row) { return row.integer(0); });
    if (!one) return one.error();
    return one->has_value();
}

Result<std::string> People::open_browser(std::string_view person, Millis lasts) {
    const auto now = now_ms();
    auto use = records_->use();
    if (auto swept = use->run("DELETE FROM browser WHERE expires_ms<?1", now); !swept)
        return swept.error();
    const auto secret = random_text(32);
    auto opened = use->run(
        "INSERT INTO browser(digest, person, created_ms, expires_ms) VALUES(?1, ?2, ?3, ?4)",
        store::Bytes{sha256(secret)}, person, now, now + lasts);
    if (!opened) return opened.error();
    return secret;
}

Result<std::optional<Person>> People::browser(std::string_view secret) {
    const auto key = sha256(secret);
    return records_->use()->row(
        "SELECT p.id, p.login, p.name, p.disabled, p.created_ms FROM browser b"
        " JOIN person p ON p.id=b.person WHERE b.digest=?1 AND b.expires_ms>?2 AND p.disabled=0",
        [](const store::Statement& row) { return person_of(row); }, store::Bytes{key}, now_ms());
}

Result<void> People::close_browser(std::string_view secret) {
    const auto key = sha256(secret);
    auto done = records_->use()->run("DELETE FROM browser WHERE digest=?1", store::Bytes{key});
    return done ? Result<void>() : done.error();
}

}  // namespace pb::access
