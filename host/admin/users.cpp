// SPDX-License-Identifier: Apache-2.0
// An account may be in several organisations. What concerns it everywhere (name, password, whether
// it is disabled) is an administrator's only while it is in theirs alone; and it is brought into a
// further one by its id, which nobody guesses: an account that is found by its login might be one
// that somebody else has made for just that.
#include <algorithm>

#include "access/leaving.h"
#include "access/passwords.h"
#include "admin/resources.h"
#include "base/tokens.h"

namespace pb::admin {
namespace {

using access::Membership;
using access::Role;

constexpr std::size_t most_members = 10'000;
constexpr std::size_t first_password_bytes = 18;

Json user_json(const Membership& member) {
    return {{"id", member.person.id},
            {"login", member.person.login},
            {"name", member.person.name},
            {"role", access::name_of(member.role)},
            {"disabled", member.person.disabled},
            {"created", when(member.person.created_ms)}};
}

Reply no_member() { return refuse(404, "there is no such person in this organisation"); }

Result<std::optional<Membership>> find_member(const Ask& ask, std::string_view id) {
    auto all = ask.access.people.members(ask.org());
    if (!all) return all.error();
    for (auto& each : *all)
        if (each.person.id == id) return std::optional(std::move(each));
    return std::optional<Membership>();
}

std::string wrong_password(const std::optional<std::string>& password) {
    namespace passwords = access::passwords;
    if (!password ||
        (password->size() >= passwords::shortest && password->size() <= passwords::longest))
        return "";
    return "a password has " + std::to_string(passwords::shortest) + " to " +
           std::to_string(passwords::longest) + " bytes";
}

// What a body says of a role; a refusal where it may not be given.
struct Wanted {
    std::optional<Role> role;
    std::optional<Reply> refused;
};

Wanted read_role(const Ask& ask, const std::optional<std::string>& name) {
    if (!name) return {};
    const auto role = access::role_from(*name);
    if (!role) return {{}, refuse(400, "a role is member, admin or owner")};
    if (*role > ask.rank()) return {{}, refuse(403, "nobody gives a role above their own")};
    return {role, {}};
}

Reply join(const Ask& ask, const access::Person& person, Role role, Json body) {
    if (auto joined = ask.access.people.join(ask.org(), person.id, role); !joined)
        return refuse(joined.error());
    body.update(user_json({ask.org(), person, role}));
    auto out = answer(body, 201);
    out.subject = person.id;
    out.done = {{"login", person.login}, {"role", access::name_of(role)}};
    return out;
}

Reply add_existing(const Ask& ask, const std::string& id, Role role) {
    auto person = ask.access.people.find(id);
    if (!person) return refuse(person.error());
    if (!*person || (*person)->id != id) return refuse(404, "there is no person with this id");
    auto member = find_member(ask, id);
    if (!member) return refuse(member.error());
    if (*member) return refuse(409, "the person is in this organisation already");
    return join(ask, **person, role, {{"created_account", false}});
}

Reply add_new(const Ask& ask, const std::string& login, const std::string& name,
              const std::optional<std::string>& password, Role role) {
    auto taken = ask.access.people.find(login);
    if (!taken) return refuse(taken.error());
    if (*taken)
        return refuse(409,
                      "somebody has this login; who is in another organisation already is "
                      "added by their id");
    const auto first = password.value_or(random_text(first_password_bytes));
    auto person = ask.access.people.add(login, name, first);
    if (!person) return refuse(person.error());
    Json body{{"created_account", true}};
    if (!password) body["password"] = first;
    auto out = join(ask, *person, role, std::move(body));
    if (out.status >= 300) (void)ask.access.people.remove(person->id);
    return out;
}

struct Changes {
    std::optional<Role> role;
    std::optional<bool> disabled;
    std::optional<std::string> name, password, current;
};

// Whether the caller may do this to that person.
std::optional<Reply> refuse_change(const Ask& ask, const Membership& target,
                                   const Changes& wanted) {
    const bool own = ask.is(target.person.id);
    if (!ask.administers()) {
        if (!own || wanted.role || wanted.disabled) return refuse_scope();
        if (!ask.caller.permits.has(access::Level::write))
            return refuse_scope(access::Level::write);
    }
    if (target.role > ask.rank()) return refuse(403, "only an owner may change an owner");
    if (own) {
        if (!wanted.password) return std::nullopt;
        // Who holds a token for a while must not have the account for good.
        auto known = ask.access.people.sign_in(target.person.login, wanted.current.value_or(""));
        if (known) return std::nullopt;
        if (known.error().kind != ErrorKind::denied) return refuse(known.error());
        return refuse(403, "a new password of one's own needs the right \"current_password\"");
    }
    if (!wanted.disabled && !wanted.name && !wanted.password) return std::nullopt;
    auto memberships = ask.access.people.memberships(target.person.id);
    if (!memberships) return refuse(memberships.error());
    if (memberships->size() == 1) return std::nullopt;
    return refuse(403,
                  "the account is not this organisation's alone: its name, its password and "
                  "whether it is disabled are not changed from here");
}

Json told(const Changes& wanted) {
    Json out = Json::object();
    if (wanted.role) out["role"] = access::name_of(*wanted.role);
    if (wanted.disabled) out["disabled"] = *wanted.disabled;
    if (wanted.name) out["name"] = *wanted.name;
    if (wanted.password) out["password"] = "changed";
    return out;
}

Reply apply(const Ask& ask, const std::string& id, const Changes& wanted) {
    auto& people = ask.access.people;
    if (wanted.role)
        if (auto done = people.join(ask.org(), id, *wanted.role); !done)
            return conflict(done.error());
    if (wanted.disabled)
        if (auto done = people.disable(id, *wanted.disabled); !done) return conflict(done.error());
    if (wanted.name)
        if (auto done = people.rename(id, *wanted.name); !done) return refuse(done.error());
    if (wanted.password)
        if (auto done = people.set_password(id, *wanted.password); !done)
            return refuse(done.error());
    auto now = find_member(ask, id);
    if (!now) return refuse(now.error());
    if (!*now) return no_member();
    auto out = answer(user_json(**now));
    out.done = told(wanted);
    return out;
}

}  // namespace

Reply list_users(const Ask& ask) {
    Members query(ask.query, "parameter");
    auto all = ask.access.people.members(ask.org());
    if (!all) return refuse(all.error());
    std::vector<Json> out;
    std::transform(all->begin(), all->end(), std::back_inserter(out), user_json);
    return page("users", std::move(out), query);
}

Reply get_user(const Ask& ask) {
    if (!ask.administers() && !ask.is(ask.id)) return refuse_scope();
    auto member = find_member(ask, ask.id);
    if (!member) return refuse(member.error());
    return *member ? answer(user_json(**member)) : no_member();
}

Reply add_user(const Ask& ask) {
    Members body(ask.body, "member");
    const auto id = body.text("id"), login = body.text("login"), name = body.text("name"),
               password = body.text("password");
    const auto wanted = read_role(ask, body.text("role").value_or("member"));
    if (auto right = body.check(); !right) return refuse(right.error());
    if (wanted.refused) return *wanted.refused;
    if (const auto wrong = wrong_password(password); !wrong.empty()) return refuse(400, wrong);
    if (id ? login || name || password : !login)
        return refuse(400,
                      "give either a \"login\" (with \"name\" and \"password\", or not) for a "
                      "new account, or the \"id\" of one that there is");
    auto members = ask.access.people.members(ask.org());
    if (!members) return refuse(members.error());
    if (members->size() >= most_members) return refuse(409, "the organisation is full");
    if (id) return add_existing(ask, *id, *wanted.role);
    return add_new(ask, *login, name.value_or(""), password, *wanted.role);
}

Reply change_user(const Ask& ask) {
    Members body(ask.body, "member");
    const auto role = read_role(ask, body.text("role"));
    const Changes wanted{role.role, body.flag("disabled"), body.text("name"), body.text("password"),
                         body.text("current_password")};
    if (auto right = body.check(); !right) return refuse(right.error());
    if (!ask.administers() && !ask.is(ask.id)) return refuse_scope();
    if (role.refused) return *role.refused;
    if (const auto wrong = wrong_password(wanted.password); !wrong.empty())
        return refuse(400, wrong);
    if (!wanted.role && !wanted.disabled && !wanted.name && !wanted.password)
        return refuse(400, "say what is to be another: role, name, disabled or password");
    auto target = find_member(ask, ask.id);
    if (!target) return refuse(target.error());
    if (!*target) return no_member();
    if (auto refused = refuse_change(ask, **target, wanted)) return *refused;
    return apply(ask, ask.id, wanted);
}

Reply remove_user(const Ask& ask) {
    auto target = find_member(ask, ask.id);
    if (!target) return refuse(target.error());
    if (!*target) return no_member();
    if ((*target)->role > ask.rank()) return refuse(403, "only an owner may remove an owner");
    auto keys = ask.access.keys.list(ask.org());
    if (!keys) return refuse(keys.error());
    auto gone = access::remove_member(ask.access, ask.org(), ask.id);
    if (!gone) return conflict(gone.error());
    // Programs may use them; whoever removes a person has to know what they could still know.
    Json left = Json::array();
    for (const auto& key : *keys)
        if (key.created_by == ask.id) left.push_back(key.id);
    auto out = answer({{"removed", ask.id}, {"removed_account", *gone}, {"keys_left", left}});
    out.done = {{"login", (*target)->person.login}};
    return out;
}

}  // namespace pb::admin
