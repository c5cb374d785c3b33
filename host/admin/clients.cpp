// SPDX-License-Identifier: Apache-2.0
// Only machines: who registers as a client for people belongs to no organisation.
#include <algorithm>

#include "admin/resources.h"

namespace pb::admin {
namespace {

constexpr std::size_t most_machines = 100, longest_name = 100;

Json client_json(const access::OAuthClient& client) {
    return {{"id", client.id},
            {"name", client.name},
            {"scopes", client.scopes.names()},
            {"role", role_json(client.role)},
            {"auth_method", client.auth_method},
            {"created", when(client.created_ms)}};
}

bool is_plain(std::string_view name) {
    return std::none_of(name.begin(), name.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Reply list_clients(const Ask& ask) {
    Members query(ask.query, "parameter");
    auto all = ask.access.clients.machines(ask.org());
    if (!all) return refuse(all.error());
    std::vector<Json> out;
    std::transform(all->begin(), all->end(), std::back_inserter(out), client_json);
    return page("clients", std::move(out), query);
}

Reply add_client(const Ask& ask) {
    Members body(ask.body, "member");
    const auto name = body.needed("name");
    const auto names = body.texts("scopes");
    if (auto right = body.check(); !right) return refuse(right.error());
    if (name.size() > longest_name || !is_plain(name))
        return refuse(400, "a client's name has at most 100 bytes and no control characters");
    const auto scopes = access::Scopes::of(names.value_or(std::vector<std::string>()));
    if (!scopes) return refuse(scopes.error());
    if (scopes->empty())
        return refuse(400, "\"scopes\" says what the client may do, like [\"mcp:read\"]");
    if (!ask.caller.permits.covers(*scopes))
        return refuse(
            403, "nobody adds a client that may do more than they: " + ask.caller.permits.text());
    auto all = ask.access.clients.machines(ask.org());
    if (!all) return refuse(all.error());
    if (all->size() >= most_machines)
        return refuse(409, "the organisation has 100 clients; remove some that are not used");
    access::OAuthClient wanted;
    wanted.name = name;
    wanted.org = ask.org();
    wanted.scopes = *scopes;
    wanted.role = ask.caller.role;
    wanted.auth_method = "client_secret_basic";
    auto made = ask.access.clients.add(std::move(wanted));
    if (!made) return refuse(made.error());
    auto shown = client_json(made->client);
    shown["secret"] = made->secret;
    auto out = answer(shown, 201);
    out.subject = made->client.id;
    out.done = {{"name", name}, {"scopes", scopes->text()}};
    return out;
}

Reply remove_client(const Ask& ask) {
    if (auto done = ask.access.clients.remove(ask.org(), ask.id); !done)
        return refuse(done.error());
    return answer({{"removed", ask.id}});
}

}  // namespace pb::admin
