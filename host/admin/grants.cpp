// SPDX-License-Identifier: Apache-2.0
#include "admin/resources.h"

namespace pb::admin {
namespace {

Json grant_json(const access::Grant& grant) {
    Json out{{"id", grant.id},
             {"client", grant.client},
             {"client_name", grant.client_name},
             {"scopes", grant.scopes.names()},
             {"resource", grant.resource},
             {"created", when(grant.created_ms)},
             {"used", when(grant.used_ms)}};
    // A machine's is nobody's.
    out["person"] = grant.person.empty() ? Json(nullptr) : Json(grant.person);
    return out;
}

}  // namespace

Reply list_grants(const Ask& ask) {
    Members query(ask.query, "parameter");
    const bool mine = query.yes("mine") || !ask.administers();
    if (mine && !ask.is_person()) {
        if (!ask.administers()) return refuse_scope();
        return page("grants", {}, query);
    }
    auto all = mine ? ask.access.grants.of_person(ask.caller.principal)
                    : ask.access.grants.of_org(ask.org());
    if (!all) return refuse(all.error());
    std::vector<Json> out;
    for (const auto& grant : *all)
        if (grant.org == ask.org()) out.push_back(grant_json(grant));
    return page("grants", std::move(out), query);
}

Reply revoke_grant(const Ask& ask) {
    auto grant = ask.access.grants.find(ask.id);
    if (!grant) return refuse(grant.error());
    const bool there =
        *grant && (*grant)->org == ask.org() && (ask.administers() || ask.is((*grant)->person));
    if (!there) return refuse(404, "there is no such grant");
    // A client that may only read must not lock the person's other ones out; itself it may.
    if (!ask.administers() && !ask.caller.permits.has(access::Level::write) &&
        ask.caller.credential != ask.id)
        return refuse_scope(access::Level::write);
    if (auto done = ask.access.grants.revoke(ask.id); !done) return refuse(done.error());
    auto out = answer({{"removed", ask.id}});
    out.done = {{"client", (*grant)->client}, {"person", (*grant)->person}};
    return out;
}

}  // namespace pb::admin
