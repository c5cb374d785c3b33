// SPDX-License-Identifier: Apache-2.0
// What of a capability's data callers can be narrowed to: its sources and its types of objects.
// Those that never change are named in the manifest ("access": {"sources": [...]}); where it says
// true instead, Plugin::access_choices() tells them. Call::permits_source() and permits_object()
// say what the caller of a call may have of them.
//
//   plugin.access_choices([](patchbay::Call&) {
//       return patchbay::AccessChoices{{{"crm", "Customers"}, {"wiki", "Wiki"}}, {}};
//   });
//   plugin.tool("search").input<Search>().read_only().handle([](const Search& in, Call& call) {
//       if (!call.permits_source(in.source)) throw patchbay::not_permitted();
//       ...
//   });
#pragma once

#include <patchbay/json.hpp>

#include <string>
#include <vector>

namespace patchbay {

struct AccessChoice {
    std::string id;  // what follows "source:" or "object:" in a scope; plugin.h says what it may be
    std::string title = {}, description = {};  // for the person who chooses
};

struct AccessChoices {
    std::vector<AccessChoice> sources = {}, objects = {};

    // The result of patchbay/access/choices. For the SDK.
    json result() const { return {{"sources", list(sources)}, {"objects", list(objects)}}; }

  private:
    static json list(const std::vector<AccessChoice>& choices) {
        json out = json::array();
        for (const auto& each : choices) {
            json& added = out.emplace_back(json{{"id", each.id}});
            if (!each.title.empty()) added["title"] = each.title;
            if (!each.description.empty()) added["description"] = each.description;
        }
        return out;
    }
};

}  // namespace patchbay
