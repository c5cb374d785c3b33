// SPDX-License-Identifier: Apache-2.0
// Listing: everything that one binding's provider says it has, asked page by page within limits.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "catalog/entries.h"

namespace pb::catalog {

struct Listing {
    BindingPtr binding;  // with what server/discover said
    std::vector<Tool> tools;
    std::vector<Resource> resources;
    std::vector<ResourceTemplate> templates;
    std::vector<Prompt> prompts;
    std::vector<std::string> warnings;  // bounded
};

// [any thread] An Error if the provider failed or is late; never throws.
Result<Listing> list_binding(const Ask& ask, const BuildLimits& limits, const std::string& org,
                             Binding binding) noexcept;

// "capability 'weather' (weather@1.0.0#2)", for messages.
std::string owner(const Binding& binding);

}  // namespace pb::catalog
