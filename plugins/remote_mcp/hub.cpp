// SPDX-License-Identifier: Apache-2.0
#include "hub.h"

#include "entry.h"
#include "json/parse.h"
#include "json/scan.h"

namespace pb::remote {
namespace {

constexpr std::size_t most_servers = 500, most_scoped = 16;

// One engine for all organisations of this library's generation.
Result<std::shared_ptr<client::Engine>> shared_engine(const HostFacts& facts) {
    static std::mutex mutex;
    static std::map<std::vector<std::string>, std::weak_ptr<client::Engine>> engines;
    std::lock_guard lock(mutex);
    auto& kept = engines[facts.allow_private_cidrs];
    if (auto engine = kept.lock()) return engine;
    auto policy = outbound::AddressPolicy::make(facts.allow_private_cidrs);
    if (!policy) return policy.error();
    outbound::Http::Options options;
    options.policy = std::move(*policy);
    options.user_agent = "patchbay/" + facts.version;
    auto engine = std::make_shared<client::Engine>(std::move(options));
    kept = engine;
    return engine;
}

// Also for calls that came before the host knew that the tool is withheld.
std::string withheld_result(const std::string& server, const std::string& tool) {
    return patchbay::detail::failure_text(
        {"tool_withheld",
         "The tool '" + tool + "' of the server '" + server +
             "' is new or has changed, and is withheld until an administrator approves it."},
        false);
}

}  // namespace

Hub::Hub(const patchbay_host* host) : port_(host) {}

Hub::~Hub() {
    stop();
    port_.close();
}

Result<void> Hub::start(const Json& start) {
    org_ = start.value("org", "");
    recorded_ = start.value("recorded", false);
    facts_ = HostFacts::read(start.value("host", Json::object()));
    auto engine = shared_engine(facts_);
    if (!engine) return engine.error();
    engine_ = std::move(*engine);
    parking_ = std::make_shared<Parking>(engine_->timer);
    return take(start);
}

Result<void> Hub::configure(const Json& start) {
    const auto facts = HostFacts::read(start.value("host", Json::object()));
    if (facts.allow_private_cidrs != facts_.allow_private_cidrs ||
        facts.allow_stdio != facts_.allow_stdio)
        return invalid("what the host allows has changed");
    return take(start);
}

Result<void> Hub::take(const Json& start) {
    const auto config = start.value("config", Json::object());
    auto servers = config.value("mcpServers", Json::object());
    if (!servers.is_object()) return invalid("mcpServers must be an object");
    if (servers.size() > most_servers)
        return invalid("at most " + std::to_string(most_servers) + " servers can be configured");
    std::lock_guard one(changing_);
    configured_ = std::move(servers);
    apply();
    return {};
}

// Every server that is named now; nothing of it is at work yet.
Hub::Table Hub::wanted() const {
    Table out;
    for (const auto& name : port_.secret_names(registered_prefix)) {
        const auto text = port_.secret(name);
        auto entry = text ? Json::parse(*text, nullptr, false) : Json();
        if (!entry.is_object()) continue;
        out[name.substr(std::string_view(registered_prefix).size())] = {std::move(entry),
                                                                        Origin::registered};
    }
    for (const auto& [key, entry] : configured_.items())
        if (check_name(key)) out[key] = {entry, Origin::config};
    for (const auto& [key, entry] : configured_.items()) {
        if (check_name(key)) continue;
        std::size_t digits = 8;
        while (out.contains(name_for(key, digits)))
            digits += 8;
        out[name_for(key, digits)] = {entry, Origin::config, key};
    }
    return out;
}

// Those of the file are resolved by the host.
Result<Json> Hub::resolved(const Json& entry, Origin origin) const {
    if (origin != Origin::registered) return entry;
    return resolve_registered(entry,
                              [this](std::string_view name) { return port_.own_secret(name); });
}

Result<Settings> Hub::settings_of(const std::string& name, Named& named) const {
    auto entry = resolved(named.entry, named.origin);
    if (!entry) return entry.error();
    named.resolved = std::move(*entry);
    auto facts = facts_;
    facts.is_operators =
        org_ == facts_.operator_org || (named.origin == Origin::config && !recorded_);
    auto settings = read_settings(name, named.resolved, facts);
    if (settings && !named.key.empty())
        settings->remarks.push_back("it is '" + name + "' here: what it is called in the file, '" +
                                    named.key.substr(0, 200) + "', is no name of a server");
    return settings;
}

// Secrets that it refers to may have others values now.
void Hub::renew(const std::string& name) {
    std::lock_guard one(changing_);
    Named named;
    {
        std::shared_lock lock(mutex_);
        const auto found = table_.find(name);
        if (found == table_.end() || found->second.origin != Origin::registered) return;
        named = found->second;
    }
    const auto now = resolved(named.entry, named.origin);
    if (named.problem.empty() && now && *now == named.resolved) return;
    named.problem.clear();
    const auto before = named.upstream;
    bring_up(name, named, before);
    std::unique_lock lock(mutex_);
    table_[name] = std::move(named);
}

// Makes what is offered equal to what is named. With changing_.
void Hub::apply() {
    auto next = wanted();
    Table before;
    {
        std::shared_lock lock(mutex_);
        before = table_;
    }
    for (auto& [name, named] : before)
        if (!next.contains(name) && named.upstream) put_down(named.upstream);
    for (auto& [name, named] : next) {
        const auto old = before.find(name);
        const bool same = old != before.end() && old->second.entry == named.entry &&
                          old->second.origin == named.origin && old->second.problem.empty();
        if (same)
            named = old->second;
        else
            bring_up(name, named, old == before.end() ? nullptr : old->second.upstream);
    }
    std::unique_lock lock(mutex_);
    table_ = std::move(next);
}

// Where the new settings cannot serve, what served before goes on.
void Hub::bring_up(const std::string& name, Named& named, const UpstreamPtr& before) {
    auto made = make(name, named, before);
    if (!made) {
        named.problem = made.error().message;
        named.upstream = before;
        port_.log(log::Level::warning, "remote.misconfigured",
                  {{"server", name}, {"reason", named.problem}, {"serving", before != nullptr}});
        return;
    }
    begin(named, std::move(*made), before);
}

// What was made serves from now on, instead of what served before.
void Hub::begin(Named& named, UpstreamPtr made, const UpstreamPtr& before) {
    named.upstream = std::move(made);
    const bool in_place =
        before && named.upstream && named.upstream->capability() == before->capability();
    if (in_place) {
        before->retire();
        named.upstream->succeed(*before);
    }
    if (named.upstream) named.upstream->start();
    if (before && !in_place) put_down(before);
}

// Null if it is disabled.
Result<UpstreamPtr> Hub::make(const std::string& name, Named& named, const UpstreamPtr& before) {
    auto settings = settings_of(name, named);
    if (!settings) return settings.error();
    if (!settings->enabled) return UpstreamPtr();
    const auto& port = ports_.try_emplace(name, port_.stoppable()).first->second;
    auto upstream = std::make_shared<Upstream>(Surroundings{port, *engine_, facts_, org_},
                                               std::move(*settings), named.origin);
    try {
        upstream->restore(before && before->is_well());
    } catch (const Json::exception& fault) {
        // What was kept is not what we keep: the first look makes it new.
        port_.log(log::Level::warning, "remote.kept_unreadable",
                  {{"server", name}, {"reason", fault.what()}});
    }
    const auto& capability = upstream->capability();
    UpstreamPtr other;
    {
        std::unique_lock lock(mutex_);
        auto& place = by_capability_[capability];
        other = place;
        if (other && other != before)
            return Error{ErrorKind::busy, "its name is too much like that of the server '" +
                                              other->settings().name + "'"};
        place = upstream;
    }
    auto offered = upstream->offer();
    if (offered) return upstream;
    std::unique_lock lock(mutex_);
    if (other)
        by_capability_[capability] = other;
    else
        by_capability_.erase(capability);
    return offered.error();
}

void Hub::put_down(const UpstreamPtr& upstream) {
    upstream->retire();
    port_.withdraw(upstream->capability());
    std::unique_lock lock(mutex_);
    by_capability_.erase(upstream->capability());
}

void Hub::stop() {
    std::map<std::string, UpstreamPtr, std::less<>> all;
    {
        std::unique_lock lock(mutex_);
        all.swap(by_capability_);
        table_.clear();
    }
    if (parking_) parking_->clear();
    for (auto& [capability, upstream] : all)
        upstream->stop();
    // Those of servers that are no longer registered.
    for (const auto& relay : calls_->all())
        relay->cancel();
}

UpstreamPtr Hub::find(const std::string& capability) const {
    std::shared_lock lock(mutex_);
    auto found = by_capability_.find(capability);
    return found == by_capability_.end() ? nullptr : found->second;
}

void Hub::handle(const std::string& capability, HostCall call) {
    auto fail = [&](patchbay_status status, std::string_view why) {
        port_.complete(call.id, status, "{\"message\":" + json::quote(why) + "}");
    };
    const auto upstream = find(capability);
    if (!upstream) return fail(PATCHBAY_E_NOT_FOUND, "this server is no longer registered");
    const auto exposed = upstream->exposed();
    if (const auto* list = exposed->list(call.method)) {
        if (upstream->origin() == Origin::scoped) return list_scoped(upstream, call);
        port_.complete(call.id, PATCHBAY_OK, *list);
        return;
    }
    if (call.method == "resources/subscribe" || call.method == "resources/unsubscribe") {
        const auto uri = json::string_value(json::member(call.params, "uri"));
        if (!uri) return fail(PATCHBAY_E_INVALID, "uri is missing");
        upstream->subscribe(*uri, call.method == "resources/subscribe");
        port_.complete(call.id, PATCHBAY_OK, "{}");
        return;
    }
    if (call.method != "tools/call" && call.method != "resources/read" &&
        call.method != "prompts/get" && call.method != "completion/complete")
        return fail(PATCHBAY_E_UNSUPPORTED, "remote servers are not asked this");
    if (call.method == "tools/call") {
        const auto name = json::string_value(json::member(call.params, "name")).value_or("");
        if (exposed->withheld.contains(name))
            return (void)port_.complete(call.id, PATCHBAY_OK,
                                        withheld_result(upstream->settings().name, name));
    }
    const auto state = json::string_value(json::member(call.params, "requestState")).value_or("");
    if (state.starts_with("p:")) {
        auto parked = parking_->take(state.substr(2), call.principal());
        if (!parked)
            return fail(PATCHBAY_E_INVALID, "this question is no longer open; make the call again");
        return parked->resume(std::move(call));
    }
    std::make_shared<Relay>(port_, *engine_, upstream, parking_, calls_, std::move(call))->start();
}

// Whoever brought it along wants to use it now: its first lists are waited for.
void Hub::list_scoped(const UpstreamPtr& upstream, const HostCall& call) const {
    upstream->when_looked([port = port_, id = call.id, method = call.method,
                           name = upstream->settings().name](const Result<ExposedPtr>& shown) {
        if (shown) return port.complete(id, PATCHBAY_OK, *(*shown)->list(method));
        const auto why = "the server '" + name + "' has nothing to list: " + shown.error().message;
        return port.complete(id, PATCHBAY_E_BUSY, "{\"message\":" + json::quote(why) + "}");
    });
}

void Hub::cancel(patchbay_call call) {
    if (auto relay = calls_->find(call)) relay->cancel();
}

Result<Json> Hub::open_scope(const Json& servers) {
    if (!servers.is_object() || servers.size() > most_scoped)
        return invalid("mcpServers must be an object of at most " + std::to_string(most_scoped) +
                       " servers");
    std::vector<UpstreamPtr> all;
    std::map<std::string, std::string> places;  // who has a namespace
    std::uint64_t scope = 0;
    {
        std::unique_lock lock(mutex_);
        scope = ++scopes_;
    }
    for (const auto& [name, entry] : servers.items()) {
        auto settings = read_settings(name_for(name), entry, facts_, true);
        if (!settings) return invalid("server '" + name + "': " + settings.error().message);
        if (!settings->enabled) continue;
        const auto [place, free] = places.emplace(settings->name_space, name);
        if (!free && !settings->name_space.empty())
            return invalid("the namespace '" + settings->name_space + "' is that of the server '" +
                           place->second + "' and of '" + name + "'; give one of them another");
        const auto id = std::to_string(scope) + "." + std::to_string(all.size());
        all.push_back(std::make_shared<Upstream>(Surroundings{port_, *engine_, facts_, org_},
                                                 std::move(*settings), Origin::scoped));
        all.back()->scope(id);
    }
    Json specs = Json::array();
    {
        std::unique_lock lock(mutex_);
        for (const auto& upstream : all) {
            specs.push_back(upstream->spec());
            by_capability_[upstream->capability()] = upstream;
        }
    }
    for (const auto& upstream : all)
        upstream->start();
    return Json{{"capabilities", specs}};
}

void Hub::close_scope(const Json& capabilities) {
    for (const auto& each : capabilities) {
        if (!each.is_string()) continue;
        UpstreamPtr upstream;
        {
            std::unique_lock lock(mutex_);
            auto found = by_capability_.find(each.get<std::string>());
            if (found == by_capability_.end() || found->second->origin() != Origin::scoped)
                continue;
            upstream = found->second;
            by_capability_.erase(found);
        }
        upstream->retire();
    }
}

}  // namespace pb::remote
