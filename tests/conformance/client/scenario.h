// SPDX-License-Identifier: Apache-2.0
// What the suite says about the scenario that it runs.
#pragma once

#include <string>
#include <string_view>

#include "json/scan.h"

namespace pb::client {

struct Scenario {
    std::string name;
    std::string context;  // a JSON object, or empty

    std::string text(std::string_view member) const {
        return json::string_value(json::member(context, member)).value_or("");
    }
};

}  // namespace pb::client
