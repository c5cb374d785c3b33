// SPDX-License-Identifier: Apache-2.0
#include "app/orgs.h"

#include <algorithm>

#include "base/log.h"
#include "json/scan.h"

namespace pb::app {
namespace {

// A moment in which several notices of one change come together.
constexpr std::chrono::milliseconds coalesce{20};
// From the first interval between two tries of what failed to the longest.
constexpr int longest_pause = 600;

catalog::Binding binding_of(const std::string& capability, const std::string& name_space,
                            const std::shared_ptr<catalog::Provider>& provider,
                            const catalog::ListPolicy& lists) {
    catalog::Binding out;
    out.capability = capability;
    out.name_space = name_space;
    out.provider = provider;
    out.lists = lists;
    return out;
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
    config_ = std::move(config);
    all_dirty_ = true;
    changed_.notify_all();
}

void Orgs::set(plugin::FolderState folder) {
    std::lock_guard lock(mutex_);
    folder_ = std::move(folder);
    all_dirty_ = true;
    changed_.notify_all();
}

void Orgs::settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || (!all_dirty_ && dirty_.empty() && !busy_); });
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
    instances_.clear();
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
                dirty_.insert(org);
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

void Orgs::run() {
    std::unique_lock lock(mutex_);
    while (wait_for_work(lock)) {
        busy_ = true;
        lock.unlock();
        std::this_thread::sleep_for(coalesce);
        lock.lock();
        const auto config = config_;
        const auto folder = folder_;
        const auto relist = std::exchange(dirty_, {});
        const bool all = std::exchange(all_dirty_, false);
        lock.unlock();
        if (config) work(config, folder, all, relist);
        lock.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

// False at the end of everything.
bool Orgs::wait_for_work(std::unique_lock<std::mutex>& lock) {
    const auto called = [this] { return stopping_ || all_dirty_ || !dirty_.empty(); };
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

void Orgs::work(const config::ConfigSetPtr& config, const plugin::FolderState& folder, bool all,
                const std::set<std::string>& relist) {
    if (all) {
        amiss_.clear();
        hung_.clear();
    }
    const auto now = Clock::now();
    for (const auto& [name, org] : config->orgs) {
        if (stopping()) return;
        const auto again = amiss_.find(name);
        const bool due = again != amiss_.end() && again->second.at <= now;
        if (all || due)
            change(*org, &folder);
        else if (relist.contains(name))
            change(*org, nullptr);
    }
    for (const auto& name : catalog_.orgs())
        if (!config->orgs.contains(name)) {
            catalog_.replace(name, nullptr);
            hear(name, {});
            instances_.erase(name);
            said_.erase(name);
            log::info("org.removed", {{"org", name}});
        }
}

// Brings one organisation up to date; without a folder only its lists.
void Orgs::change(const config::OrgConfig& org, const plugin::FolderState* folder) {
    whole_ = true;
    try {
        if (folder)
            assemble(org, *folder);
        else
            list_again(org);
    } catch (const std::exception& fault) {
        log::error("org.fault", {{"org", org.name}, {"reason", fault.what()}});
        whole_ = false;
    }
    if (whole_) {
        if (folder) amiss_.erase(org.name);
        return;
    }
    const auto [again, is_new] = amiss_.try_emplace(org.name, Again{patience_.retry});
    auto& [pause, at] = again->second;
    if (!is_new && !folder) return;
    if (!is_new) pause = std::min(2 * pause, longest_pause * patience_.retry);
    at = Clock::now() + pause;
}

void Orgs::say_once(const std::string& org, const std::string& problem) {
    if (!said_[org].contains(problem) && !saying_.contains(problem))
        log::error("org.problem", {{"org", org}, {"reason", problem}});
    saying_.insert(problem);
}

void Orgs::assemble(const config::OrgConfig& org, const plugin::FolderState& folder) {
    saying_.clear();
    const auto todo = plan(org, folder);
    for (const auto& problem : todo.problems)
        say_once(org.name, problem);
    auto next = start(todo, instances_[org.name]);
    if (stopping()) return;
    put(org, std::move(next));
    said_[org.name] = saying_;
}

void Orgs::list_again(const config::OrgConfig& org) {
    const auto serving = instances_.find(org.name);
    if (serving == instances_.end()) return;
    saying_ = said_[org.name];
    put(org, serving->second);
    said_[org.name] = saying_;
}

// The instances of a plan: those that serve already where nothing differs, new ones otherwise.
// Where a new one does not start or is configured wrongly, the one before goes on.
Orgs::Instances Orgs::start(const Plan& plan, const Instances& before) {
    Instances out;
    auto keep = [&](const std::string& capability) {
        if (const auto* old = find(before, capability)) out.push_back(*old);
    };
    for (auto wanted : plan.wanted) {
        const auto print = wanted.fingerprint();
        auto same = std::find_if(before.begin(), before.end(),
                                 [&](const auto& old) { return old.fingerprint == print; });
        if (same != before.end()) {
            out.push_back(*same);
            continue;
        }
        if (stopping()) return out;
        const auto& spec = wanted.spec;
        if (hung_.contains(spec.org + print)) {
            keep(spec.capability);
            continue;
        }
        wanted.spec.start_timeout = patience_.start;
        auto started = plugin::start_instance(wanted.library, spec, *wiring_);
        if (started) {
            out.push_back({print, *started, wanted.lists, spec.capability, spec.name_space});
            // Before it is asked for its lists: what it says of them while it answers counts.
            std::lock_guard lock(mutex_);
            speakers_[started->get()] = spec.org;
            continue;
        }
        say_once(spec.org, wanted.library->label() + " did not start as " + spec.capability + ": " +
                               started.error().message);
        if (started.error().kind == ErrorKind::deadline)
            hung_.insert(spec.org + print);
        else
            whole_ = false;
        keep(spec.capability);
    }
    for (const auto& capability : plan.misconfigured)
        keep(capability);
    return out;
}

Result<Orgs::Outcome> Orgs::build(const config::OrgConfig& org, const Instances& instances) {
    std::vector<catalog::Binding> bindings;
    for (const auto& instance : instances)
        bindings.push_back(binding_of(instance.capability, instance.name_space, instance.provider,
                                      instance.lists));
    return builder_.build(org.name, std::move(bindings), catalog_.of(org.name), org.instructions);
}

// Builds what fits together and leaves only that in `wanted`. Of two that want the same name the
// one that serves has it, then a new one of a capability that served, then the first.
Result<Orgs::Outcome> Orgs::fit(const config::OrgConfig& org, Instances& wanted) {
    auto outcome = build(org, wanted);
    if (outcome) return outcome;
    say_once(org.name, outcome.error().message);
    const auto& before = instances_[org.name];
    auto rank = [&](const Instance& instance) {
        const auto* old = find(before, instance.capability);
        return !old ? 2 : old->provider != instance.provider ? 1 : 0;
    };
    std::stable_sort(wanted.begin(), wanted.end(),
                     [&](const auto& one, const auto& other) { return rank(one) < rank(other); });
    Instances kept;
    std::vector<std::string> left_out;
    for (const auto& instance : wanted) {
        kept.push_back(instance);
        if (build(org, kept)) continue;
        kept.pop_back();
        left_out.push_back(instance.capability);
    }
    wanted = std::move(kept);
    outcome = build(org, wanted);
    if (outcome)
        outcome->unlisted.insert(outcome->unlisted.end(), left_out.begin(), left_out.end());
    return outcome;
}

void Orgs::put(const config::OrgConfig& org, Instances wanted) {
    auto outcome = fit(org, wanted);
    if (!outcome) return;
    for (const auto& warning : outcome->warnings)
        say_once(org.name, warning);
    if (!outcome->unlisted.empty()) {
        whole_ = false;
        if (put_back(outcome->unlisted, instances_[org.name], wanted)) outcome = fit(org, wanted);
        if (!outcome) return;
    }
    hear(org.name, wanted);
    const auto& snapshot = outcome->snapshot;
    log::info("org.serving",
              {{"org", org.name},
               {"capabilities", snapshot->bindings.size()},
               {"tools", snapshot->tools.size()},
               {"resources", snapshot->resources.size() + snapshot->templates.size()},
               {"prompts", snapshot->prompts.size()}});
    catalog_.replace(org.name, snapshot);
    instances_[org.name] = std::move(wanted);
}

// Where a new instance cannot serve the one before goes on. False if there is none.
bool Orgs::put_back(const std::vector<std::string>& capabilities, const Instances& before,
                    Instances& wanted) {
    bool any = false;
    for (const auto& capability : capabilities) {
        const auto* old = find(before, capability);
        if (!old) continue;
        auto at = std::find_if(wanted.begin(), wanted.end(), [&](const auto& instance) {
            return instance.capability == capability;
        });
        if (at != wanted.end() && at->provider == old->provider) continue;
        any = true;
        if (at != wanted.end())
            *at = *old;
        else
            wanted.push_back(*old);
    }
    return any;
}

const Orgs::Instance* Orgs::find(const Instances& instances, const std::string& capability) {
    for (const auto& instance : instances)
        if (instance.capability == capability) return &instance;
    return nullptr;
}

// Only these speak for the organisation from now on.
void Orgs::hear(const std::string& org, const Instances& instances) {
    std::lock_guard lock(mutex_);
    std::erase_if(speakers_, [&](const auto& entry) { return entry.second == org; });
    for (const auto& instance : instances)
        speakers_[instance.provider.get()] = org;
}

}  // namespace pb::app
