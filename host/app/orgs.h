// SPDX-License-Identifier: Apache-2.0
// Orgs: keeps every organisation's snapshot equal to its configuration, to the plugins that are
// loaded, and to what providers say of their lists. One thread does it; each change of an
// organisation is made beside what serves, and put in place whole. Where something new does not
// start or cannot be listed, what served before goes on, and it is tried again at growing
// intervals.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/capabilities.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "plugin/folder.h"
#include "plugin/instance.h"

namespace pb::app {

class Orgs : public catalog::ChangeSink {
  public:
    struct Patience {
        std::chrono::milliseconds start{30'000};  // of a plugin's start()
        std::chrono::milliseconds retry{1'000};   // until the first of further tries
    };

    Orgs(catalog::Catalog& catalog, catalog::Ask ask) : Orgs(catalog, std::move(ask), Patience()) {}
    Orgs(catalog::Catalog& catalog, catalog::Ask ask, Patience patience);
    ~Orgs() override;

    // Before anything else: what instances are made with.
    void use(const plugin::Wiring& wiring) { wiring_ = std::make_unique<plugin::Wiring>(wiring); }

    // [any thread] The new state of the world; the work is done on the thread of Orgs.
    void set(config::ConfigSetPtr config);
    void set(plugin::FolderState folder);
    // [any thread] Everything is listed anew, and what failed is tried again.
    void again();
    // Returns when everything that was set before is in place.
    void settle();
    // Takes everything out of the catalog and lets go of every instance.
    void stop();

    catalog::Status changed(const catalog::Provider& provider, std::string_view method,
                            std::string_view params) noexcept override;
    void offers_changed(const catalog::Provider& provider) noexcept override;
    Result<void> vacant(const std::string& org, const catalog::Provider& provider,
                        std::string_view capability, std::string_view name_space) const override;

  private:
    struct Instance {
        std::string identity, config;  // of the Wanted that it was started for
        std::shared_ptr<plugin::Instance> provider;
        catalog::Binding binding;
    };
    using Instances = std::vector<Instance>;
    using Bindings = std::vector<catalog::Binding>;
    using Providers = std::set<const catalog::Provider*>;

    // One organisation; only the thread's own.
    struct State {
        Instances instances;
        Bindings bindings;   // of the instances and of what they offer
        Providers unlisted;  // of them, those whose lists are not in the catalog as they are now
        // Problems of its last assembly. They are said when they are new.
        std::set<std::string> said;
        std::size_t not_served = 0;  // remote servers, as said last
    };

    using Outcome = catalog::CatalogBuilder::Outcome;
    using Clock = std::chrono::steady_clock;
    struct Again {
        std::chrono::milliseconds pause;
        Clock::time_point at{};
    };
    // What is to be done for an organisation.
    struct Work {
        const plugin::FolderState* folder = nullptr;  // null: what serves goes on
        bool list_all = false;                        // every provider is asked for its lists
        bool list_unlisted = false;                   // those that failed are
        Providers list;                               // these are
    };

    void run();
    bool wait_for_work(std::unique_lock<std::mutex>& lock);
    struct Called;
    void work(const Called& called);
    void change(const config::OrgConfig& org, Work work);
    void assemble(const config::OrgConfig& org, Work& work);
    Instances start(const Plan& plan, const Instances& before, Work& work);
    std::optional<Instance> go_on(const Wanted& wanted, const Instances& before, Work& work);
    std::optional<Instance> begin(Wanted wanted);
    void put(const config::OrgConfig& org, Instances wanted, const Work& work);
    Bindings gather(const std::string& org, const Instances& instances);
    Outcome build(const config::OrgConfig& org, const Bindings& bindings, const Work& work);
    static bool put_back(const Outcome& outcome, const Instances& before, Instances& wanted);
    static const Instance* find(const Instances& instances, const std::string& capability);
    void hear(const std::string& org, const Bindings& bindings);
    bool stopping();
    void say_not_served(const std::string& org, std::size_t servers);
    void say_once(const std::string& org, const std::string& problem);

    catalog::Catalog& catalog_;
    catalog::CatalogBuilder builder_;
    const Patience patience_;
    std::unique_ptr<plugin::Wiring> wiring_;

    // What happened since the thread looked last.
    struct Called {
        config::ConfigSetPtr config;
        plugin::FolderState folder;
        bool all = false;                        // one of these two is new
        bool list_all = false;                   // again() was called
        std::map<std::string, Providers> dirty;  // by organisation: whose lists changed
        bool any() const { return all || list_all || !dirty.empty(); }
    };

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Called called_;
    bool stopping_ = false, busy_ = false;
    // Who a provider speaks for; guarded by mutex_.
    std::map<const catalog::Provider*, std::string> speakers_;

    // Only the thread's own.
    std::map<std::string, State> states_;
    std::set<std::string> saying_;        // the problems of the assembly that is running
    bool whole_ = false;                  // the one that is running found nothing amiss
    std::map<std::string, Again> amiss_;  // organisations to be tried again
    // Instances whose start never came back: organisation, identity and configuration. Each try
    // costs a thread: only a change of the configuration or the plugins is worth another.
    std::set<std::string> hung_;

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace pb::app
