// SPDX-License-Identifier: Apache-2.0
#include "app/orgs.h"

#include <algorithm>

#include "base/log.h"
#include "json/scan.h"

namespace pb::app {
namespace {

// A moment in which several notices of one change come together.
constexpr std::chrono::milliseconds coalesce{20};

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

Orgs::Orgs(catalog::Catalog& catalog, catalog::Ask ask)
    : catalog_(catalog), builder_(std::move(ask)), thread_([this] { run(); }) {}

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
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || all_dirty_ || !dirty_.empty(); });
        if (stopping_) return;
        busy_ = true;
        lock.unlock();
        std::this_thread::sleep_for(coalesce);
        lock.lock();
        auto config = config_;
        auto folder = folder_;
        auto dirty = std::move(dirty_);
        dirty_.clear();
        if (std::exchange(all_dirty_, false) && config)
            for (const auto& org : config->orgs)
                dirty.insert(org.first);
        lock.unlock();
        if (config) work(config, folder, dirty);
        lock.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

void Orgs::work(const config::ConfigSetPtr& config, const plugin::FolderState& folder,
                const std::set<std::string>& dirty) {
    for (const auto& name : dirty) {
        try {
            if (auto org = config->orgs.find(name); org != config->orgs.end())
                assemble(*org->second, folder);
        } catch (const std::exception& fault) {
            log::error("org.fault", {{"org", name}, {"reason", fault.what()}});
        }
    }
    for (const auto& name : catalog_.orgs())
        if (!config->orgs.contains(name)) {
            catalog_.replace(name, nullptr);
            instances_.erase(name);
            said_.erase(name);
            log::info("org.removed", {{"org", name}});
        }
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
    put(org, next);
    said_[org.name] = saying_;
}

// The instances of a plan: those that serve already where nothing differs, new ones otherwise.
// Where a new one does not start or is configured wrongly, the one before goes on.
Orgs::Instances Orgs::start(const Plan& plan, const Instances& before) {
    Instances out;
    auto keep = [&](const std::string& capability) {
        auto old = std::find_if(before.begin(), before.end(), [&](const auto& candidate) {
            return candidate.capability == capability;
        });
        if (old != before.end()) out.push_back(*old);
    };
    for (const auto& wanted : plan.wanted) {
        const auto print = wanted.fingerprint();
        auto same = std::find_if(before.begin(), before.end(),
                                 [&](const auto& old) { return old.fingerprint == print; });
        if (same != before.end()) {
            out.push_back(*same);
            continue;
        }
        auto started = plugin::start_instance(wanted.library, wanted.spec, *wiring_);
        if (started) {
            out.push_back(
                {print, *started, wanted.lists, wanted.spec.capability, wanted.spec.name_space});
            continue;
        }
        say_once(wanted.spec.org, wanted.library->label() + " did not start as " +
                                      wanted.spec.capability + ": " + started.error().message);
        keep(wanted.spec.capability);
    }
    for (const auto& capability : plan.misconfigured)
        keep(capability);
    return out;
}

Result<catalog::CatalogBuilder::Outcome> Orgs::build(const config::OrgConfig& org,
                                                     const Instances& instances) {
    std::vector<catalog::Binding> bindings;
    for (const auto& instance : instances)
        bindings.push_back(binding_of(instance.capability, instance.name_space, instance.provider,
                                      instance.lists));
    return builder_.build(org.name, std::move(bindings), catalog_.of(org.name), org.instructions);
}

void Orgs::put(const config::OrgConfig& config, const Instances& instances) {
    const std::string& org = config.name;
    auto kept = instances;
    auto outcome = build(config, kept);
    if (!outcome) {
        // Two of them want the same name. What served before keeps it; of newcomers the first has
        // it.
        say_once(org, outcome.error().message);
        const auto& before = instances_[org];
        auto serves = [&](const Instance& instance) {
            return std::any_of(before.begin(), before.end(), [&](const auto& old) {
                return old.capability == instance.capability;
            });
        };
        auto order = instances;
        std::stable_partition(order.begin(), order.end(), serves);
        kept.clear();
        for (const auto& instance : order) {
            kept.push_back(instance);
            if (!build(config, kept)) kept.pop_back();
        }
        outcome = build(config, kept);
        if (!outcome) return;
    }
    for (const auto& warning : outcome->warnings)
        say_once(org, warning);
    {
        std::lock_guard lock(mutex_);
        std::erase_if(speakers_, [&](const auto& entry) { return entry.second == org; });
        for (const auto& instance : kept)
            speakers_[instance.provider.get()] = org;
    }
    const auto& snapshot = outcome->snapshot;
    log::info("org.serving",
              {{"org", org},
               {"capabilities", snapshot->bindings.size()},
               {"tools", snapshot->tools.size()},
               {"resources", snapshot->resources.size() + snapshot->templates.size()},
               {"prompts", snapshot->prompts.size()}});
    catalog_.replace(org, snapshot);
    instances_[org] = std::move(kept);
}

}  // namespace pb::app
