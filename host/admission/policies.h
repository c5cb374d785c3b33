// SPDX-License-Identifier: Apache-2.0
// Policies: what each organisation's file says, as it is now, for those who ask at every call.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "config/config.h"

namespace pb::admission {

class Policies {
  public:
    // [any thread]
    void set(config::ConfigSetPtr config) {
        std::lock_guard lock(mutex_);
        config_.swap(config);
    }
    // [any thread] Null: there is no such organisation, and nothing is allowed in it, though there
    // may be something of it yet. Before set() one of which nothing is said.
    config::OrgPtr of(std::string_view org) const {
        config::ConfigSetPtr now;
        {
            std::lock_guard lock(mutex_);
            now = config_;
        }
        static const auto unsaid = std::make_shared<const config::OrgConfig>();
        if (!now) return unsaid;
        const auto at = now->orgs.find(org);
        return at == now->orgs.end() ? nullptr : at->second;
    }

  private:
    mutable std::mutex mutex_;
    config::ConfigSetPtr config_;
};

}  // namespace pb::admission
