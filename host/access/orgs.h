// SPDX-License-Identifier: Apache-2.0
// Organisations that were made at run time; those of etc/orgs/*.json are the configuration's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/records.h"

namespace pb::access {

struct OrgRecord {
    std::string name;
    std::string config;  // as an organisation's file has it: a JSON object
    Millis created_ms = 0;
};

// [any thread], all of it. Names and configurations are checked by those who bring them.
class OrgRecords {
  public:
    explicit OrgRecords(std::shared_ptr<Records> records) : records_(std::move(records)) {}

    // busy if there is one with this name, or was: secrets, the trail and what plugins have stored
    // are under it still.
    Result<void> add(std::string_view name, std::string_view config);
    Result<void> configure(std::string_view name, std::string_view config);
    // With its members, keys, clients and grants.
    Result<void> remove(std::string_view name);
    Result<std::vector<OrgRecord>> list();

  private:
    const std::shared_ptr<Records> records_;
};

}  // namespace pb::access
