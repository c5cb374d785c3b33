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

using Tools = std::map<std::string, std::string>;  // name to definition, as it came

// What is accepted: name to the digest that it was shown with ("" where none was named). Empty: all
// that waits.
using Approval = std::map<std::string, std::string>;

// {"tools"?: ["name", ...] | {"name": "digest", ...}}, and nothing else.
Result<Approval> read_approval(const Json& body);

struct ToolChange {
    std::string tool;
    std::string kind;  // "added" | "changed" | "removed"
};

class Trust {
  public:
    // What store() gave; anything else is nothing known yet.
    static Trust load(const Json& kept);
    Json store() const;

    // Compares a server's tools with what is known, and records what differs. With quarantine, what
    // is new or changed waits for approve(); otherwise it is accepted. `before`: the tools of the
    // look before, to show how one that waits was.
    std::vector<ToolChange> look(const Tools& tools, OnToolChange on_change, std::int64_t now_ms,
                                 const Tools& before = {});
    // Their names. The error says which does not wait, or not any more as it was shown; nothing is
    // accepted then.
    Result<std::vector<std::string>> approve(const Approval& approval);

    std::set<std::string> withheld() const;
    // {"withheld":[{"tool","change","digest","definition"?,"before"?}...],
    //  "changes":[{"at","tool","change","withheld"}...]}, newest last. `tools`: as they are now.
    Json report(const Tools& tools) const;

  private:
    struct Waiting {
        std::string digest;
        std::string before;  // the definition that was accepted; empty: not known
    };
    std::string accepted_definition(const std::string& name, const Tools& before) const;

    bool known_ = false;
    std::map<std::string, std::string> accepted_;  // name to digest
    std::map<std::string, Waiting> waiting_;
    Json changes_ = Json::array();
};

// The SHA-256 of a definition, the same in whatever order its members are written.
std::string digest_of(const std::string& definition);

}  // namespace pb::remote
