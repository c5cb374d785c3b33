// SPDX-License-Identifier: Apache-2.0
// Trust: what every tool of a server was defined as when it was accepted, so that a change does not
// go unnoticed. A server's first list is accepted as it is.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "settings.h"

namespace pb::remote {

struct ToolChange {
    std::string tool;
    std::string kind;  // "added" | "changed" | "removed"
};

class Trust {
  public:
    // What store() gave; anything else is nothing known yet.
    static Trust load(const Json& kept);
    Json store() const;

    // Compares a server's tools (name to definition) with what is known, and records what differs.
    // With quarantine, what is new or changed waits for approve(); otherwise it is accepted.
    std::vector<ToolChange> look(const std::map<std::string, std::string>& tools,
                                 OnToolChange on_change, std::int64_t now_ms);
    // Accepts what waits: those named, or all if none is. Their names.
    std::vector<std::string> approve(const std::set<std::string>& tools);

    std::set<std::string> withheld() const;
    // {"withheld":[...],"changes":[{"at","tool","change","withheld"}...]}, newest last.
    Json report() const;

  private:
    bool known_ = false;
    std::map<std::string, std::string> accepted_, waiting_;  // name to digest
    Json changes_ = Json::array();
};

// The SHA-256 of a definition, the same in whatever order its members are written.
std::string digest_of(const std::string& definition);

}  // namespace pb::remote
