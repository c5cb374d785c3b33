// SPDX-License-Identifier: Apache-2.0
#include "app/scopes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "base/log.h"
#include "json/parse.h"
#include "json/scan.h"
#include "plugin/instance.h"
#include "plugin/manifest.h"

namespace pb::app {
namespace {

using json::Json;

constexpr std::size_t max_scope = 256u << 10;
constexpr std::size_t max_objects = 8;
constexpr std::size_t max_servers = 100;

std::shared_ptr<catalog::Provider> taker_in(const catalog::Snapshot& snapshot) {
    for (const auto& binding : snapshot.bindings)
        if (binding->takes_servers) return binding->provider;
    return nullptr;
}

// The same provider, which keeps something else as long as anybody has it.
std::shared_ptr<catalog::Provider> held_with(std::shared_ptr<catalog::Provider> provider,
                                             std::shared_ptr<void> other) {
    auto* plain = provider.get();
    auto both =
        std::make_shared<std::pair<std::shared_ptr<catalog::Provider>, std::shared_ptr<void>>>(
            std::move(provider), std::move(other));
    return {std::move(both), plain};
}

// The params of patchbay/scope/close for what was answered to patchbay/scope/open.
std::string names_of(std::string_view offers) {
    std::vector<std::string_view> specs;
    json::elements(offers, specs);
    std::string names;
    for (const auto spec : specs) {
        const auto name = json::member(spec, "name");
        if (!name.empty()) names.append(names.empty() ? "" : ",").append(name);
    }
    return "{\"capabilities\":[" + names + "]}";
}

}  // namespace

Scopes::Scopes(const catalog::Catalog& catalog, runtime::Calls& calls, Workers& workers,
               catalog::Ask ask, Limits limits)
    : catalog_(catalog),
      calls_(calls),
      workers_(workers),
      ask_(ask),
      builder_(std::move(ask)),
      limits_(limits) {}

Result<std::string> Scopes::merged(std::string_view scope) {
    auto parsed = json::parse(scope, {.size = max_scope, .depth = 32, .values = 50'000});
    if (!parsed) return invalid("the scope is not valid JSON: " + parsed.error().message);
    if (!parsed->is_array() || parsed->size() > max_objects)
        return invalid("the scope must be an array of at most 8 objects");
    Json servers = Json::object();
    for (const auto& each : *parsed) {
        const auto named = each.find(plugin::mcp_servers);
        if (!each.is_object() || each.size() != 1 || named == each.end() || !named->is_object())
            return invalid("each object of a scope has one member, the object \"mcpServers\"");
        servers.update(*named);
    }
    if (servers.size() > max_servers) return invalid("a scope has at most 100 servers");
    return servers.empty() ? std::string() : json::dump(servers);
}

Scopes::ScopePtr Scopes::find(const Key& key, bool make) {
    std::vector<ScopePtr> evicted;  // end outside the lock
    std::lock_guard lock(mutex_);
    auto found = scopes_.find(key);
    if (found == scopes_.end()) {
        if (!make) return nullptr;
        while (scopes_.size() >= limits_.most) {
            const auto oldest = std::min_element(
                scopes_.begin(), scopes_.end(), [](const auto& one, const auto& other) {
                    return one.second->used.load() < other.second->used.load();
                });
            evicted.push_back(std::move(oldest->second));
            scopes_.erase(oldest);
        }
        found = scopes_.emplace(key, std::make_shared<Scope>()).first;
    }
    found->second->used = Clock::now();
    return found->second;
}

bool Scopes::is_fresh(const Scope& scope, const catalog::Snapshot& base,
                      const ProviderPtr& taker) const {
    if (!scope.whole || scope.taker != taker || scope.base_version != base.version) return false;
    return scope.unlisted.empty() || Clock::now() - scope.listed < limits_.retry;
}

Scopes::ViewPtr Scopes::at_hand(const std::string& org, const std::string& servers) {
    const auto scope = find({org, servers}, false);
    const auto base = catalog_.of(org);
    if (!scope || !base) return nullptr;
    std::unique_lock lock(scope->mutex, std::try_to_lock);
    if (!lock || !is_fresh(*scope, *base, taker_in(*base))) return nullptr;
    return scope->whole;
}

Result<Scopes::ViewPtr> Scopes::open(const std::string& org, const std::string& servers) {
    return open(*find({org, servers}, true), org, servers);
}

void Scopes::when_open(const std::string& org, const std::string& servers, Then then) {
    const auto scope = find({org, servers}, true);
    {
        std::lock_guard lock(scope->waiting_mutex);
        scope->waiting.push_back(std::move(then));
        if (scope->waiting.size() > 1) return;
    }
    workers_.post([this, scope, org, servers] {
        Result<ViewPtr> opened = internal_error("the scope could not be opened");
        try {
            opened = open(*scope, org, servers);
        } catch (const std::exception& fault) {
            log::error("scope.fault", {{"org", org}, {"reason", fault.what()}});
        }
        std::vector<Then> waiting;
        {
            std::lock_guard lock(scope->waiting_mutex);
            waiting.swap(scope->waiting);
        }
        // Each on a thread of its own: what they call may last.
        for (auto& each : waiting)
            workers_.post([opened, each = std::move(each)] { each(opened); });
    });
}

Result<Scopes::ViewPtr> Scopes::open(Scope& scope, const std::string& org,
                                     const std::string& servers) {
    const auto base = catalog_.of(org);
    const auto taker = base ? taker_in(*base) : nullptr;
    if (!taker)
        return Error{ErrorKind::unsupported,
                     "no capability of the organisation takes remote MCP servers"};
    std::lock_guard lock(scope.mutex);
    if (scope.taker != taker) {
        if (auto begun = begin(scope, org, servers, taker); !begun) return begun.error();
    } else if (!scope.unlisted.empty() && Clock::now() - scope.listed >= limits_.retry) {
        list(scope, org);
    }
    if (!scope.whole || scope.base_version != base->version) {
        scope.whole =
            std::make_shared<View>(View{catalog::overlay(*base, *scope.own), scope.left_out});
        scope.base_version = base->version;
    }
    return scope.whole;
}

Result<void> Scopes::begin(Scope& scope, const std::string& org, const std::string& servers,
                           const ProviderPtr& taker) {
    auto answer = ask_(taker, org, "patchbay/scope/open", "{\"mcpServers\":" + servers + "}");
    if (!answer) return answer.error();
    const auto offers = json::member(*answer, "capabilities");
    // Whoever holds one of its providers last closes it; nobody does of what cannot be used.
    const auto end = closing(taker, org, names_of(offers));
    auto opened = plugin::private_bindings(taker, offers);
    if (!opened) return opened.error();
    for (auto& binding : *opened)
        binding.provider = held_with(binding.provider, end);
    scope.bindings = std::move(*opened);
    scope.taker = taker;
    scope.own = nullptr;
    scope.unlisted.clear();
    list(scope, org);
    return {};
}

void Scopes::list(Scope& scope, const std::string& org) {
    const auto wanted = [&](const catalog::Binding& binding) {
        return !scope.own || std::find(scope.unlisted.begin(), scope.unlisted.end(),
                                       binding.provider) != scope.unlisted.end();
    };
    auto outcome = builder_.build(org, scope.bindings, scope.own, {}, wanted);
    for (const auto& warning : outcome.warnings)
        log::warning("scope.problem", {{"org", org}, {"reason", warning}});
    scope.own = std::move(outcome.snapshot);
    scope.whole = nullptr;
    scope.unlisted = std::move(outcome.unlisted);
    scope.left_out = std::move(outcome.warnings);
    scope.listed = Clock::now();
}

// Something whose end closes the scope, on another thread: who lets go last may be anybody.
std::shared_ptr<void> Scopes::closing(const ProviderPtr& taker, const std::string& org,
                                      std::string params) {
    auto close = [&calls = calls_, taker, org, params = std::move(params)] {
        runtime::CallSpec spec;
        spec.provider = taker;
        spec.method = "patchbay/scope/close";
        spec.params = params;
        spec.caller = host_caller(org);
        calls.start(spec);
    };
    return {nullptr,
            [&workers = workers_, close = std::move(close)](void*) { workers.post(close); }};
}

void Scopes::sweep() {
    std::vector<ScopePtr> ended;  // outside the lock: with it may end providers
    const auto now = Clock::now();
    std::lock_guard lock(mutex_);
    std::erase_if(scopes_, [&](auto& entry) {
        auto& [key, scope] = entry;
        const std::unique_lock idle(scope->mutex, std::try_to_lock);
        if (!idle) return false;
        const auto base = catalog_.of(key.first);
        const bool serves = base && scope->taker && scope->taker == taker_in(*base);
        if (serves && now - scope->used.load() < limits_.idle) return false;
        ended.push_back(scope);
        return true;
    });
}

void Scopes::clear() {
    std::map<Key, ScopePtr> ended;
    std::lock_guard lock(mutex_);
    ended.swap(scopes_);
}

}  // namespace pb::app
