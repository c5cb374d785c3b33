// SPDX-License-Identifier: Apache-2.0
// Notes: a trail that tests read. allow(): what a file would say of who may do what.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "admission/policies.h"
#include "audit/record.h"
#include "config/config.h"

namespace pb::test {

class Notes : public audit::Sink {
  public:
    void add(audit::Record&& record) noexcept override {
        std::lock_guard lock(mutex_);
        all_.push_back(std::move(record));
    }
    std::vector<audit::Record> all() const {
        std::lock_guard lock(mutex_);
        return all_;
    }
    audit::Record last() const {
        std::lock_guard lock(mutex_);
        return all_.empty() ? audit::Record() : all_.back();
    }

  private:
    mutable std::mutex mutex_;
    std::vector<audit::Record> all_;
};

// Of the organisation "default".
inline void allow(admission::Policies& policies,
                  const std::function<void(config::OrgAccess&)>& change) {
    auto org = std::make_shared<config::OrgConfig>();
    org->name = "default";
    change(org->access);
    auto set = std::make_shared<config::ConfigSet>();
    set->orgs.emplace("default", org);
    policies.set(set);
}

}  // namespace pb::test
