// SPDX-License-Identifier: Apache-2.0
// What administrators do with the servers of their organisation.
#include "hub.h"

#include "json/parse.h"
#include "shown.h"

namespace pb::remote {
namespace {

constexpr std::size_t max_entry = 48U << 10U;  // a registration; all of it is kept encrypted
constexpr std::size_t most_registered = 500;
constexpr std::chrono::seconds patience{60};
constexpr std::chrono::seconds parting{10};  // for giving back what was issued

client::Deadline soon() { return client::Deadline::clock::now() + patience; }

}  // namespace

Json Hub::describe(const std::string& name, const Named& named) const {
    Json out{{"name", name}, {"origin", name_of(named.origin)}};
    if (named.upstream)
        out = named.upstream->status();
    else
        out["status"] = "disabled";
    if (!named.problem.empty()) {
        out["status"] = "misconfigured";  // what served before goes on, if there was anything
        out["reason"] = named.problem;
    }
    return out;
}

// The same with what became of its offer: the host leaves out what comes under a namespace that was
// taken meanwhile, and offering again is how one hears of it.
Json Hub::describe_now(const std::string& name, const Named& named) const {
    auto out = describe(name, named);
    // Nobody who is being removed is offered again.
    const std::unique_lock one(changing_, std::try_to_lock);
    if (!one || !named.upstream || !named.problem.empty()) return out;
    {
        std::shared_lock lock(mutex_);
        const auto found = table_.find(name);
        if (found == table_.end() || found->second.upstream != named.upstream) return out;
    }
    if (auto offered = named.upstream->offer(); !offered) {
        out["status"] = "misconfigured";
        out["reason"] = "it is not offered: " + offered.error().message;
    }
    return out;
}

Json Hub::list() const {
    Table table;
    {
        std::shared_lock lock(mutex_);
        table = table_;
    }
    Json servers = Json::array();
    for (const auto& [name, named] : table)
        servers.push_back(describe_now(name, named));
    return {{"servers", servers}};
}

Result<Json> Hub::get(const std::string& name) const {
    Named named;
    {
        std::shared_lock lock(mutex_);
        const auto found = table_.find(name);
        if (found == table_.end()) return not_found("there is no server '" + name + "'");
        named = found->second;
    }
    auto out = describe_now(name, named);
    out["settings"] = shown(named.entry);
    if (named.upstream) out["trust"] = named.upstream->trust_report();
    return out;
}

Result<UpstreamPtr> Hub::server(const std::string& name) const {
    std::shared_lock lock(mutex_);
    const auto found = table_.find(name);
    if (found == table_.end()) return not_found("there is no server '" + name + "'");
    if (found->second.upstream) return found->second.upstream;
    if (!found->second.problem.empty()) return invalid(found->second.problem);
    return invalid("the server '" + name + "' is disabled");
}

// Registered servers are configured by people over the network: what is wrong is said at once.
Result<void> Hub::check_registered(const std::string& name, const Json& entry) const {
    if (entry.dump(-1, ' ', true, Json::error_handler_t::replace).size() > max_entry)
        return invalid("a server's settings must be smaller than 48 KiB");
    Named named{entry, Origin::registered};
    auto settings = settings_of(name, named);
    if (!settings) return settings.error();
    std::shared_lock lock(mutex_);
    for (const auto& [other, theirs] : table_) {
        if (other == name || !theirs.upstream) continue;
        if (theirs.upstream->settings().name_space == settings->name_space)
            return Error{ErrorKind::busy, "the namespace '" + settings->name_space +
                                              "' is that of the server '" + other +
                                              "'; choose another"};
    }
    return {};
}

Result<Json> Hub::add(const std::string& name, const Json& entry) {
    std::lock_guard one(changing_);
    {
        std::shared_lock lock(mutex_);
        const auto found = table_.find(name);
        if (found != table_.end())
            return Error{ErrorKind::busy, "there is a server '" + name + "' already" +
                                              (found->second.origin == Origin::config
                                                   ? ", in the organisation's file"
                                                   : "; change it, or remove it first")};
        if (table_.size() >= most_registered)
            return Error{ErrorKind::busy, "there are too many servers"};
    }
    return put_registered(name, entry);
}

// [with changing_] An entry in the place of what there is under its name. After an error nothing
// has changed.
Result<Json> Hub::put_registered(const std::string& name, const Json& entry) {
    if (auto fine = check_registered(name, entry); !fine) return fine.error();
    UpstreamPtr before;
    {
        std::shared_lock lock(mutex_);
        const auto found = table_.find(name);
        if (found != table_.end()) before = found->second.upstream;
    }
    Named named{entry, Origin::registered};
    auto made = make(name, named, before);
    if (!made) return made.error();
    if (auto kept = port_.put_secret(registered_prefix + name, json::dump(entry)); !kept) {
        take_back(*made, before);
        return kept.error();
    }
    begin(named, std::move(*made), before);
    std::unique_lock lock(mutex_);
    table_[name] = named;
    return describe(name, named);
}

// What was made, and offered, does not serve after all.
void Hub::take_back(const UpstreamPtr& made, const UpstreamPtr& before) {
    if (!made) return;
    if (!before) return put_down(made);
    {
        std::unique_lock lock(mutex_);
        by_capability_[before->capability()] = before;
    }
    (void)before->offer();
}

Result<Json> Hub::update(const std::string& name, const Json& patch) {
    if (!patch.is_object()) return invalid("the settings must be an object");
    std::lock_guard one(changing_);
    Json entry;
    {
        std::shared_lock lock(mutex_);
        const auto found = table_.find(name);
        if (found == table_.end()) return not_found("there is no server '" + name + "'");
        if (found->second.origin == Origin::config)
            return invalid("the server '" + name +
                           "' is in the organisation's file; change it there");
        entry = found->second.entry;
    }
    auto meant = unhidden(patch, entry);
    if (!meant) return meant.error();
    entry.merge_patch(*meant);  // RFC 7396
    return put_registered(name, entry);
}

Result<Json> Hub::remove(const std::string& name) {
    Named named;
    {
        std::shared_lock lock(mutex_);
        const auto found = table_.find(name);
        if (found == table_.end()) return not_found("there is no server '" + name + "'");
        if (found->second.origin == Origin::config)
            return invalid("the server '" + name +
                           "' is in the organisation's file; remove it there");
        named = found->second;
    }
    sign_out_all(name, named);
    std::lock_guard one(changing_);
    port_.remove_secret(registered_prefix + name);
    if (const auto port = ports_.extract(name)) port.mapped().stop_writing();
    apply();
    for (const char* kept : {"lists/", "synced/", "trust/"})
        port_.remove(kept + name);
    forget_identities(port_, name);
    return Json{{"removed", name}};
}

// What was issued for a server that goes is given back. [waits] Where that is not possible now, it
// is only forgotten, and ends by itself.
void Hub::sign_out_all(const std::string& name, Named& named) {
    auto upstream = named.upstream;
    if (!upstream) {
        auto settings = settings_of(name, named);
        if (!settings) return;
        upstream = std::make_shared<Upstream>(Surroundings{port_, *engine_, facts_, org_},
                                              std::move(*settings), named.origin);
    }
    auto principals = principals_of(port_, name);
    if (upstream->settings().acts_as != ActsAs::user) principals.insert("");
    const auto deadline = client::Deadline::clock::now() + parting;
    for (const auto& principal : principals)
        if (auto who = upstream->client_for(principal)) (void)who->identity->sign_out(deadline);
}

Result<Json> Hub::sync(const std::string& name) {
    renew(name);
    auto upstream = server(name);
    if (!upstream) return upstream.error();
    return (*upstream)->sync(soon());
}

Result<Json> Hub::test(const std::string& name) {
    auto upstream = server(name);
    if (!upstream) return upstream.error();
    return (*upstream)->test(soon());
}

Result<Json> Hub::test(const Json& entry) {
    Named named{entry, Origin::registered};
    auto settings = settings_of("test", named);
    if (!settings) return settings.error();
    auto upstream = std::make_shared<Upstream>(Surroundings{port_, *engine_, facts_, org_},
                                               std::move(*settings), Origin::scoped);
    auto out = upstream->test(soon());
    upstream->stop();
    return out;
}

Result<Json> Hub::approve(const std::string& name, const Json& what) {
    auto upstream = server(name);
    if (!upstream) return upstream.error();
    auto approval = read_approval(what);
    if (!approval) return approval.error();
    return (*upstream)->approve(*approval);
}

bool Hub::acts_as_user(const std::string& name) const {
    std::shared_lock lock(mutex_);
    const auto found = table_.find(name);
    return found != table_.end() && found->second.upstream &&
           found->second.upstream->settings().acts_as == ActsAs::user;
}

Result<std::string> Hub::sign_in(const std::string& name, const std::string& principal) {
    auto upstream = server(name);
    if (!upstream) return upstream.error();
    auto who = (*upstream)->client_for(principal);
    if (!who) return who.error();
    return who->identity->sign_in_link(principal, soon());
}

Result<Json> Hub::sign_out(const std::string& name, const std::string& principal) {
    auto upstream = server(name);
    if (!upstream) return upstream.error();
    auto who = (*upstream)->client_for(principal);
    if (!who) return who.error();
    if (auto done = who->identity->sign_out(soon()); !done) return done.error();
    return Json{{"signed_out", name}};
}

Result<std::string> Hub::signed_in(const std::map<std::string, std::string>& params) {
    const auto state = params.find("state");
    if (state == params.end()) return invalid("the answer of the sign-in has no state");
    auto whose = identity_of_state(port_, state->second);
    if (!whose) return whose.error();
    auto upstream = server(whose->server);
    if (!upstream) return upstream.error();
    auto who = (*upstream)->client_for(whose->principal);
    if (!who) return who.error();
    if (auto done = who->identity->signed_in(params, soon()); !done) return done.error();
    (*upstream)->look_soon();
    return whose->server;
}

}  // namespace pb::remote
