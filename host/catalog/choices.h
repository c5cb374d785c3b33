// SPDX-License-Identifier: Apache-2.0
// Choices: what of a capability's data a caller can be narrowed to - its sources and its types of
// objects, as a person is shown them who gives a client access.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace pb::catalog {

struct Choice {
    std::string id;  // what follows "source:" or "object:" in a scope
    std::string title, description;
    bool operator==(const Choice&) const = default;
};

// Those of one kind.
struct ChoiceList {
    std::vector<Choice> named;
    bool asked = false;  // only the capability itself knows them: patchbay/access/choices
    bool operator==(const ChoiceList&) const = default;
};

struct Choices {
    ChoiceList sources, objects;
    bool asked() const { return sources.asked || objects.asked; }
    bool operator==(const Choices&) const = default;
};

// Of each kind, from one capability.
inline constexpr std::size_t most_choices = 250;

// {"sources"?: [{"id", "title"?, "description"?}], "objects"?: likewise}. With `may_ask` a list may
// be true, for one that is asked for. The error says what is wrong, and begins with the member.
Result<Choices> read_choices(const nlohmann::json& object, bool may_ask);

}  // namespace pb::catalog
