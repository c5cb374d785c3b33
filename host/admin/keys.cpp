// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "admin/resources.h"

namespace pb::admin {
namespace {

constexpr std::size_t most_keys = 1'000;

Json key_json(const access::ApiKey& key) {
    return {{"id", key.id},
            {"name", key.name},
            {"scopes", key.scopes.names()},
            {"created_by", key.created_by},
            {"role", role_json(key.role)},
            {"created", when(key.created_ms)},
            {"expires", when(key.expires_ms)},
            {"used", when(key.used_ms)}};
}

}  // namespace

Reply list_keys(const Ask& ask) {
    Members query(ask.query, "parameter");
    const bool mine = query.yes("mine") || !ask.administers();
    if (!ask.administers() && !ask.is_person()) return refuse_scope();
    auto all = ask.access.keys.list(ask.org());
    if (!all) return refuse(all.error());
    std::vector<Json> out;
    for (const auto& key : *all)
        if (!mine || key.created_by == ask.caller.principal) out.push_back(key_json(key));
    return page("keys", std::move(out), query);
}

Reply make_key(const Ask& ask) {
    Members body(ask.body, "member");
    const auto name = body.needed("name");
    const auto names = body.texts("scopes");
    const auto expires = body.time("expires");
    if (auto right = body.check(); !right) return refuse(right.error());
    if (!names) return refuse(400, "\"scopes\" says what the key may do, like [\"mcp:read\"]");
    const auto scopes = access::Scopes::of(*names);
    if (!scopes) return refuse(scopes.error());
    if (!ask.caller.permits.covers(*scopes))
        return refuse(
            403, "nobody makes a key that may do more than they: " + ask.caller.permits.text());
    auto all = ask.access.keys.list(ask.org());
    if (!all) return refuse(all.error());
    if (all->size() >= most_keys)
        return refuse(409, "the organisation has 1000 keys; revoke some that are not used");
    auto made = ask.access.keys.make(ask.org(), name, *scopes, ask.caller.principal, expires,
                                     ask.caller.role);
    if (!made) return refuse(made.error());
    auto shown = key_json(made->key);
    shown["secret"] = made->secret;
    auto out = answer(shown, 201);
    out.subject = made->key.id;
    out.done = {{"name", name}, {"scopes", scopes->text()}, {"expires", when(expires)}};
    return out;
}

Reply revoke_key(const Ask& ask) {
    if (!ask.administers()) {
        if (!ask.is_person()) return refuse_scope();
        if (!ask.caller.permits.has(access::Level::write))
            return refuse_scope(access::Level::write);
        auto all = ask.access.keys.list(ask.org());
        if (!all) return refuse(all.error());
        const bool own = std::any_of(all->begin(), all->end(), [&](const access::ApiKey& key) {
            return key.id == ask.id && key.created_by == ask.caller.principal;
        });
        if (!own) return refuse(404, "there is no such key");
    }
    if (auto done = ask.access.keys.revoke(ask.org(), ask.id); !done) return refuse(done.error());
    return answer({{"removed", ask.id}});
}

}  // namespace pb::admin
