// SPDX-License-Identifier: Apache-2.0
// A credential is for one organisation, so that one alone is looked at, changed and removed by it.
// An owner may make a further one, and then signs in there.
#include <algorithm>

#include "access/leaving.h"
#include "admin/resources.h"
#include "json/parse.h"

namespace pb::admin {
namespace {

using access::OrgRecord;
using access::Role;

Result<std::optional<OrgRecord>> find_org(const Ask& ask, std::string_view name) {
    auto all = ask.access.orgs.list();
    if (!all) return all.error();
    for (auto& each : *all)
        if (each.name == name) return std::optional(std::move(each));
    return std::optional<OrgRecord>();
}

bool is_owner(const Ask& ask) { return ask.is_person() && ask.rank() == Role::owner; }

Reply not_an_owner() { return refuse(403, "only a person who is an owner may do this"); }

bool has_file(const Ask& ask, std::string_view name) {
    return ask.options.has_file && ask.options.has_file(name);
}

// Anywhere in it: the host's environment is not theirs who administer one of its organisations.
bool names_environment(const Json& value) {
    if (value.is_string())
        return value.get_ref<const std::string&>().find("${env:") != std::string::npos;
    if (!value.is_structured()) return false;
    return std::any_of(value.begin(), value.end(), names_environment);
}

// The configuration's text, if it can be that of an organisation.
Result<std::string> checked_config(const Ask& ask, std::string_view name, const Json& config) {
    if (names_environment(config))
        return invalid(
            "an organisation that is made at run time cannot refer to the host's "
            "environment; use ${secret:name}");
    auto text = json::dump(config);
    if (auto right = ask.options.check_org(name, text); !right) return right.error();
    return text;
}

Reply not_here() {
    return refuse(403, "organisations are made and changed on the command line here");
}

Reply no_org() { return refuse(404, "there is no such organisation"); }

// The caller's own, made at run time and theirs to change; otherwise why it is not.
std::optional<Reply> refuse_own(const Ask& ask) {
    if (ask.id != ask.org()) return no_org();
    if (!is_owner(ask)) return not_an_owner();
    if (has_file(ask, ask.id))
        return refuse(409,
                      "this organisation is described by a file of the host; it is changed "
                      "there");
    return std::nullopt;
}

// Why this person cannot have a further one with this name.
std::optional<Reply> refuse_new(const Ask& ask, const std::string& name,
                                const std::string& person) {
    auto all = ask.access.orgs.list();
    if (!all) return refuse(all.error());
    auto theirs = ask.access.people.memberships(person);
    if (!theirs) return refuse(theirs.error());
    const auto owns = [&](const OrgRecord& org) {
        return std::any_of(theirs->begin(), theirs->end(), [&](const access::Membership& each) {
            return each.org == org.name && each.role == Role::owner;
        });
    };
    const auto own = static_cast<std::size_t>(std::count_if(all->begin(), all->end(), owns));
    if (own >= ask.options.most_orgs)
        return refuse(409, "one person owns at most " + std::to_string(ask.options.most_orgs) +
                               " organisations that were made at run time");
    auto kept = access::anything_of(ask.access, name);
    if (!kept) return refuse(kept.error());
    const bool there = std::any_of(all->begin(), all->end(),
                                   [&](const OrgRecord& each) { return each.name == name; });
    if (there || *kept || has_file(ask, name)) return refuse(409, "the name is taken");
    return std::nullopt;
}

}  // namespace

Reply list_orgs(const Ask& ask) {
    Json out = Json::array();
    if (!ask.is_person()) {
        out.push_back({{"name", ask.org()}});
        return answer({{"orgs", out}});
    }
    auto all = ask.access.people.memberships(ask.caller.principal);
    if (!all) return refuse(all.error());
    for (const auto& each : *all)
        out.push_back({{"name", each.org}, {"role", access::name_of(each.role)}});
    return answer({{"orgs", out}});
}

Reply get_org(const Ask& ask) {
    if (ask.id != ask.org()) return no_org();
    auto record = find_org(ask, ask.id);
    if (!record) return refuse(record.error());
    Json out{{"name", ask.id}, {"has_file", has_file(ask, ask.id)}};
    if (*record) out["created"] = when((*record)->created_ms);
    if (*record && is_owner(ask)) {
        auto config = json::parse((*record)->config);
        if (config) out["config"] = std::move(*config);
    }
    return answer(out);
}

Reply add_org(const Ask& ask) {
    Members body(ask.body, "member");
    const auto name = body.needed("name");
    const auto* config = body.object("config");
    if (auto right = body.check(); !right) return refuse(right.error());
    if (!is_owner(ask)) return not_an_owner();
    if (!ask.options.check_org) return not_here();
    auto person = ask.access.people.find(ask.caller.principal);
    if (!person) return refuse(person.error());
    if (!*person) return not_an_owner();
    const auto text = checked_config(ask, name, config ? *config : Json::object());
    if (!text) return refuse(text.error());
    if (auto refused = refuse_new(ask, name, (*person)->id)) return *refused;
    if (auto added = ask.access.orgs.add(name, *text); !added)
        return added.error().kind == ErrorKind::busy ? refuse(409, "the name is taken")
                                                     : refuse(added.error());
    if (auto joined = ask.access.people.join(name, (*person)->id, Role::owner); !joined) {
        (void)ask.access.orgs.remove(name);
        return refuse(joined.error());
    }
    auto out = answer({{"name", name}, {"role", "owner"}}, 201);
    out.subject = name;
    return out;
}

Reply configure_org(const Ask& ask) {
    Members body(ask.body, "member");
    const auto* config = body.object("config");
    if (auto right = body.check(); !right) return refuse(right.error());
    if (auto refused = refuse_own(ask)) return *refused;
    if (!ask.options.check_org) return not_here();
    if (!config) return refuse(400, "\"config\" is what an organisation's file has: an object");
    const auto text = checked_config(ask, ask.id, *config);
    if (!text) return refuse(text.error());
    if (auto done = ask.access.orgs.configure(ask.id, *text); !done) return refuse(done.error());
    return get_org(ask);
}

Reply remove_org(const Ask& ask) {
    if (auto refused = refuse_own(ask)) return *refused;
    if (auto done = access::remove_org(ask.access, ask.id); !done) return refuse(done.error());
    return answer({{"removed", ask.id}});
}

}  // namespace pb::admin
