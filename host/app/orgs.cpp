// SPDX-License-Identifier: Apache-2.0
#include "app/orgs.h"

#include <algorithm>

#include "base/log.h"
#include "catalog/listing.h"
#include "json/scan.h"

namespace pb::app {
namespace {

// A moment in which several notices of one change come together.
constexpr std::chrono::milliseconds coalesce{20};
// From the first interval between two tries of what failed to the longest.
constexpr int longest_pause = 600;

// Whether the snapshot has what this provider lists under this namespace.
bool serves(const catalog::Snapshot& snapshot, const catalog::Binding& wanted) {
    return std::any_of(snapshot.bindings.begin(), snapshot.bindings.end(), [&](const auto& each) {
        return each->provider == wanted.provider && each->name_space == wanted.name_space;
    });
}

}  // namespace

Orgs::Orgs(catalog::Catalog& catalog, catalog::Ask ask, Patience patience)
    : catalog_(catalog),
      builder_(std::move(ask)),
      patience_(patience),
      thread_([this] { run(); }) {}

Orgs::~Orgs() { stop(); }

void Orgs::set(config::ConfigSetPtr config) {
    std::lock_guard lock(mutex_);
    called_.config = std::move(config);
    called_.all = true;
    changed_.notify_all();
}

void Orgs::set(plugin::FolderState folder) {
    std::lock_guard lock(mutex_);
    called_.folder = std::move(folder);
    called_.all = true;
    changed_.notify_all();
}

void Orgs::again() {
    std::lock_guard lock(mutex_);
    called_.all = called_.list_all = true;
    changed_.notify_all();
}

void Orgs::settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || (!called_.any() && !busy_); });
}

void Orgs::stop() {
    {
        std::lock_guard lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
        changed_.notify_all();
    }
    thread_.join();
    for (const auto& org : catalog_.orgs())
        catalog_.replace(org, nullptr);
    states_.clear();
}

catalog::Status Orgs::changed(const catalog::Provider& provider, std::string_view method,
                              std::string_view params) noexcept {
    using catalog::Status;
    try {
        const bool lists = method == "notifications/tools/list_changed" ||
                           method == "notifications/prompts/list_changed" ||
                           method == "notifications/resources/list_changed";
        if (!lists && method != "notifications/resources/updated") return Status::unsupported;
        std::string org;
        {
            std::lock_guard lock(mutex_);
            auto found = speakers_.find(&provider);
            if (stopping_ || found == speakers_.end()) return Status::gone;
            org = found->second;
            if (lists) {
                called_.dirty[org].insert(&provider);
                changed_.notify_all();
                return Status::ok;
            }
        }
        const auto uri = json::string_value(json::member(params, "uri"));
        if (!uri) return Status::invalid;
        const auto snapshot = catalog_.of(org);
        if (!snapshot) return Status::gone;
        for (const auto& binding : snapshot->bindings)
            if (binding->provider.get() == &provider)
                catalog_.resource_updated(org, snapshot->exposed_uri(*binding, *uri));
        return Status::ok;
    } catch (const std::exception& fault) {
        log::error("catalog.fault", {{"reason", fault.what()}});
        return Status::internal;
    }
}

void Orgs::offers_changed(const catalog::Provider& provider) noexcept {
    try {
        std::lock_guard lock(mutex_);
        // One that is not known yet is asked for its offers when it comes.
        const auto found = speakers_.find(&provider);
        if (stopping_ || found == speakers_.end()) return;
        called_.dirty.try_emplace(found->second);
        changed_.notify_all();
    } catch (const std::exception& fault) {
        log::error("catalog.fault", {{"reason", fault.what()}});
    }
}

Result<void> Orgs::vacant(const std::string& org, const catalog::Provider& provider,
                          std::string_view capability, std::string_view name_space) const {
    const auto snapshot = catalog_.of(org);
    if (!snapshot) return {};
    for (const auto& binding : snapshot->bindings) {
        // What another generation of the same has goes with that.
        if (binding->provider->speaker().capability() == provider.capability()) continue;
        const bool name = binding->capability == capability;
        if (!name && (name_space.empty() || binding->name_space != name_space)) continue;
        return Error{
            ErrorKind::busy,
            (name ? "the name '" + binding->capability : "the namespace '" + binding->name_space) +
                "' is wanted by capability '" + std::string(capability) + "' (" +
                std::string(provider.label()) + ") and used by " + catalog::owner(*binding)};
    }
    return {};
}

void Orgs::run() {
    std::unique_lock lock(mutex_);
    while (wait_for_work(lock)) {
        busy_ = true;
        lock.unlock();
        std::this_thread::sleep_for(coalesce);
        lock.lock();
        const auto called = called_;
        called_.all = called_.list_all = false;
        called_.dirty.clear();
        lock.unlock();
        if (called.config) work(called);
        lock.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

// False at the end of everything.
bool Orgs::wait_for_work(std::unique_lock<std::mutex>& lock) {
    const auto called = [this] { return stopping_ || called_.any(); };
    const auto next = std::min_element(
        amiss_.begin(), amiss_.end(),
        [](const auto& one, const auto& other) { return one.second.at < other.second.at; });
    if (next == amiss_.end())
        changed_.wait(lock, called);
    else
        changed_.wait_until(lock, next->second.at, called);
    return !stopping_;
}

bool Orgs::stopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
}

void Orgs::work(const Called& called) {
    if (called.all) {
        amiss_.clear();
        hung_.clear();
    }
    const auto now = Clock::now();
    const auto& orgs = called.config->orgs;
    for (const auto& [name, org] : orgs) {
        if (stopping()) return;
        const auto again = amiss_.find(name);
        const bool due = again != amiss_.end() && again->second.at <= now;
        const auto dirty = called.dirty.find(name);
        if (!called.all && !due && dirty == called.dirty.end()) continue;
        Work work;
        if (called.all || due) work.folder = &called.folder;
        work.list_all = called.list_all;
        work.list_unlisted = called.all || due;
        if (dirty != called.dirty.end()) work.list = dirty->second;
        change(*org, std::move(work));
    }
    for (const auto& name : catalog_.orgs())
        if (!orgs.contains(name)) {
            catalog_.replace(name, nullptr);
            hear(name, {});
            states_.erase(name);
            log::info("org.removed", {{"org", name}});
        }
}

// Brings one organisation up to date; without a folder only its lists and offers.
void Orgs::change(const config::OrgConfig& org, Work work) {
    whole_ = true;
    try {
        assemble(org, work);
    } catch (const std::exception& fault) {
        log::error("org.fault", {{"org", org.name}, {"reason", fault.what()}});
        whole_ = false;
    }
    if (whole_) {
        if (work.folder) amiss_.erase(org.name);
        return;
    }
    const auto [again, is_new] = amiss_.try_emplace(org.name, Again{patience_.retry});
    auto& [pause, at] = again->second;
    if (!is_new && !work.folder) return;
    if (!is_new) pause = std::min(2 * pause, longest_pause * patience_.retry);
    at = Clock::now() + pause;
}

void Orgs::say_once(const std::string& org, const std::string& problem) {
    if (!states_[org].said.contains(problem) && !saying_.contains(problem))
        log::error("org.problem", {{"org", org}, {"reason", problem}});
    saying_.insert(problem);
}

void Orgs::say_not_served(const std::string& org, std::size_t servers) {
    auto& said = states_[org].not_served;
    if (servers > 0 && servers != said)
        log::warning("config.mcp_servers_not_served",
                     {{"org", org},
                      {"servers", servers},
                      {"reason", "no loaded and enabled capability takes remote MCP servers"}});
    said = servers;
}

void Orgs::assemble(const config::OrgConfig& org, Work& work) {
    auto& state = states_[org.name];
    if (work.folder) {
        saying_.clear();
        const auto todo =
            plan(org, *work.folder, [&](std::string_view name) -> Result<std::string> {
                if (!store::is_secret_name(name)) return invalid("this is no name of a secret");
                auto value = wiring_->secrets.get(store::own_secrets(org.name), name);
                if (value) return std::move(value->value);
                if (value.error().kind != ErrorKind::not_found) return value.error();
                return not_found("the organisation has no such secret (patchbay secrets set)");
            });
        for (const auto& problem : todo.problems)
            say_once(org.name, problem);
        say_not_served(org.name, todo.servers_not_served);
        auto next = start(todo, state.instances, work);
        if (stopping()) return;
        put(org, std::move(next), work);
    } else {
        saying_ = state.said;
        put(org, state.instances, work);
    }
    state.said = saying_;
}

// The instances of a plan: those that serve already where they can go on, new ones otherwise. Where
// a new one does not start or is configured wrongly, the one before goes on.
Orgs::Instances Orgs::start(const Plan& plan, const Instances& before, Work& work) {
    Instances out;
    auto keep = [&](const std::string& capability) {
        if (const auto* old = find(before, capability)) out.push_back(*old);
    };
    for (const auto& wanted : plan.wanted) {
        if (stopping()) return out;
        auto instance = go_on(wanted, before, work);
        if (!instance) instance = begin(wanted);
        if (instance)
            out.push_back(std::move(*instance));
        else
            keep(wanted.spec.capability);
    }
    for (const auto& capability : plan.misconfigured)
        keep(capability);
    return out;
}

// The one that serves already, if it is what is wanted or becomes so.
std::optional<Orgs::Instance> Orgs::go_on(const Wanted& wanted, const Instances& before,
                                          Work& work) {
    const auto identity = wanted.identity();
    const auto& spec = wanted.spec;
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const auto& old) { return old.identity == identity; });
    if (same == before.end()) return std::nullopt;
    auto instance = *same;
    if (instance.config == spec.config) return instance;
    if (auto taken = instance.provider->configure(spec.config, patience_.start); !taken) {
        if (taken.error().kind != ErrorKind::unsupported)
            log::warning("plugin.not_configured", {{"org", spec.org},
                                                   {"plugin", instance.provider->label()},
                                                   {"capability", spec.capability},
                                                   {"reason", taken.error().message}});
        return std::nullopt;
    }
    instance.config = spec.config;
    // What it lists may depend on it.
    work.list.insert(instance.provider.get());
    return instance;
}

std::optional<Orgs::Instance> Orgs::begin(Wanted wanted) {
    auto& spec = wanted.spec;
    auto identity = wanted.identity();
    const auto mark = spec.org + "\n" + identity + "\n" + spec.config;
    if (hung_.contains(mark)) return std::nullopt;
    spec.start_timeout = patience_.start;
    auto started = plugin::start_instance(wanted.library, spec, *wiring_);
    if (started) {
        // Before it is asked for its lists and offers: what it says of them from now on counts.
        std::lock_guard lock(mutex_);
        speakers_[started->get()] = spec.org;
        wanted.binding.provider = *started;
        return Instance{std::move(identity), spec.config, *started, std::move(wanted.binding)};
    }
    say_once(spec.org, wanted.library->label() + " did not start as " + spec.capability + ": " +
                           started.error().message);
    if (started.error().kind == ErrorKind::deadline)
        hung_.insert(mark);
    else
        whole_ = false;
    return std::nullopt;
}

// Everything that these instances have, in the order of who keeps a name that two of them want: the
// one that serves under it, then another of a capability that served, then one that the
// configuration names, then the first.
Orgs::Bindings Orgs::gather(const std::string& org, const Instances& instances) {
    Bindings out;
    for (const auto& instance : instances) {
        out.push_back(instance.binding);
        auto offered = instance.provider->offered();
        std::move(offered.begin(), offered.end(), std::back_inserter(out));
    }
    std::map<std::string, int> ranks;
    const auto serving = catalog_.of(org);
    for (const auto& binding : out) {
        const bool is_virtual = binding.provider->speaker().capability() != binding.capability;
        auto& rank = ranks.emplace(binding.capability, is_virtual ? 3 : 2).first->second;
        if (!serving) continue;
        for (const auto& old : serving->bindings)
            if (old->capability == binding.capability)
                rank = old->provider == binding.provider && old->name_space == binding.name_space
                           ? 0
                           : std::min(rank, 1);
    }
    std::stable_sort(out.begin(), out.end(), [&](const auto& one, const auto& other) {
        return ranks.at(one.capability) < ranks.at(other.capability);
    });
    return out;
}

Orgs::Outcome Orgs::build(const config::OrgConfig& org, const Bindings& bindings,
                          const Work& work) {
    const auto& state = states_[org.name];
    const auto serving = catalog_.of(org.name);
    Providers served;
    if (serving)
        for (const auto& binding : serving->bindings)
            served.insert(binding->provider.get());
    const auto wanted = [&](const catalog::Binding& binding) {
        const auto* provider = binding.provider.get();
        if (work.list_all || work.list.contains(provider)) return true;
        if (state.unlisted.contains(provider)) return work.list_unlisted;
        // Under another namespace the snapshot has nothing of it.
        return !served.contains(provider) || !serves(*serving, binding);
    };
    return builder_.build(org.name, bindings, serving, org.instructions, wanted);
}

void Orgs::put(const config::OrgConfig& org, Instances wanted, const Work& work) {
    auto& state = states_[org.name];
    auto bindings = gather(org.name, wanted);
    {
        std::lock_guard lock(mutex_);
        for (const auto& binding : bindings)
            speakers_[binding.provider.get()] = org.name;
    }
    auto outcome = build(org, bindings, work);
    for (const auto& warning : outcome.warnings)
        say_once(org.name, warning);
    if (!outcome.unlisted.empty()) whole_ = false;
    if (put_back(outcome, state.instances, wanted)) {
        bindings = gather(org.name, wanted);
        outcome = build(org, bindings, work);
    }
    hear(org.name, bindings);
    const auto& snapshot = outcome.snapshot;
    log::info("org.serving",
              {{"org", org.name},
               {"capabilities", snapshot->bindings.size()},
               {"tools", snapshot->tools.size()},
               {"resources", snapshot->resources.size() + snapshot->templates.size()},
               {"prompts", snapshot->prompts.size()}});
    catalog_.replace(org.name, snapshot);
    state.instances = std::move(wanted);
    state.bindings = std::move(bindings);
    state.unlisted.clear();
    for (const auto& provider : outcome.unlisted)
        state.unlisted.insert(provider.get());
}

// Where a new instance cannot serve, or a capability of before has none any more that could, the
// one before goes on. False if there is none such.
bool Orgs::put_back(const Outcome& outcome, const Instances& before, Instances& wanted) {
    bool any = false;
    for (auto& instance : wanted) {
        const auto* old = find(before, instance.binding.capability);
        if (!old || old->provider == instance.provider) continue;
        const auto is_it = [&](const auto& provider) { return provider == instance.provider; };
        if (std::none_of(outcome.unlisted.begin(), outcome.unlisted.end(), is_it)) continue;
        any = true;
        instance = *old;
    }
    return any;
}

const Orgs::Instance* Orgs::find(const Instances& instances, const std::string& capability) {
    for (const auto& instance : instances)
        if (instance.binding.capability == capability) return &instance;
    return nullptr;
}

// Only these speak for the organisation from now on.
void Orgs::hear(const std::string& org, const Bindings& bindings) {
    std::lock_guard lock(mutex_);
    std::erase_if(speakers_, [&](const auto& entry) { return entry.second == org; });
    for (const auto& binding : bindings)
        speakers_[binding.provider.get()] = org;
}

}  // namespace pb::app
