// SPDX-License-Identifier: Apache-2.0
// Which of a server's tools are offered, and how they are called and described here.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "base/result.h"

namespace pb::remote {

class ToolRules {
  public:
    // The `tools` member of a server's settings; names are the server's own. The error says which
    // member is wrong.
    static Result<ToolRules> read(const nlohmann::json& tools);

    bool offers(std::string_view name) const;
    // What the tool is called here.
    std::string local_name(const std::string& name) const;
    // The definition as it is offered: only what a rule changes is rewritten, the rest stays byte
    // for byte.
    std::string rewrite(const std::string& name, std::string definition) const;

  private:
    std::vector<std::string> include_, exclude_;  // include_ empty: all
    std::map<std::string, std::string> rename_, describe_;
    std::map<std::string, nlohmann::json> annotations_;
};

}  // namespace pb::remote
