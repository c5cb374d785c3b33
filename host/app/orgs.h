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
    // Returns when everything that was set before is in place.
    void settle();
    // Takes everything out of the catalog and lets go of every instance.
    void stop();

    catalog::Status changed(const catalog::Provider& provider, std::string_view method,
                            std::string_view params) noexcept override;

  private:
    struct Instance {
        std::string fingerprint;
        std::shared_ptr<catalog::Provider> provider;
        catalog::ListPolicy lists;
        std::string capability, name_space;
    };
    using Instances = std::vector<Instance>;

    using Outcome = catalog::CatalogBuilder::Outcome;
    using Clock = std::chrono::steady_clock;
    struct Again {
        std::chrono::milliseconds pause;
        Clock::time_point at{};
    };

    void run();
    bool wait_for_work(std::unique_lock<std::mutex>& lock);
    void work(const config::ConfigSetPtr& config, const plugin::FolderState& folder, bool all,
              const std::set<std::string>& relist);
    void change(const config::OrgConfig& org, const plugin::FolderState* folder);
    void assemble(const config::OrgConfig& org, const plugin::FolderState& folder);
    void list_again(const config::OrgConfig& org);
    Instances start(const Plan& plan, const Instances& before);
    void put(const config::OrgConfig& org, Instances wanted);
    Result<Outcome> fit(const config::OrgConfig& org, Instances& wanted);
    static bool put_back(const std::vector<std::string>& capabilities, const Instances& before,
                         Instances& wanted);
    static const Instance* find(const Instances& instances, const std::string& capability);
    void hear(const std::string& org, const Instances& instances);
    Result<Outcome> build(const config::OrgConfig& org, const Instances& instances);
    bool stopping();
    void say_once(const std::string& org, const std::string& problem);

    catalog::Catalog& catalog_;
    catalog::CatalogBuilder builder_;
    const Patience patience_;
    std::unique_ptr<plugin::Wiring> wiring_;

    std::mutex mutex_;
    std::condition_variable changed_;
    config::ConfigSetPtr config_;
    plugin::FolderState folder_;
    bool all_dirty_ = false, stopping_ = false, busy_ = false;
    std::set<std::string> dirty_;  // organisations whose lists changed
    // Who a provider speaks for; guarded by mutex_.
    std::map<const catalog::Provider*, std::string> speakers_;

    // Only the thread's own.
    std::map<std::string, Instances> instances_;
    // Problems by org: of its last assembly, and of the one that is running. Said when they are
    // new.
    std::map<std::string, std::set<std::string>> said_;
    std::set<std::string> saying_;
    bool whole_ = false;                  // the one that is running found nothing amiss
    std::map<std::string, Again> amiss_;  // organisations to be tried again
    // Fingerprints whose start never came back. Each try costs a thread: only a change of the
    // configuration or the plugins is worth another.
    std::set<std::string> hung_;

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace pb::app
