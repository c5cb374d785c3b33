// SPDX-License-Identifier: Apache-2.0
// Entries: one definition as its provider wrote it -> one entry of a snapshot.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/snapshot.h"

namespace pb::catalog {

using BindingPtr = std::shared_ptr<const Binding>;

// `definition` is a slice of checked JSON text. The error says why the entry cannot be listed.
Result<Tool> make_tool(const BindingPtr& binding, std::string_view definition);
// Of one whose definition is not to be seen.
Result<Tool> make_withheld(const BindingPtr& binding, std::string_view definition);
Result<Prompt> make_prompt(const BindingPtr& binding, std::string_view definition);
Result<Resource> make_resource(const BindingPtr& binding, std::string_view definition);
Result<ResourceTemplate> make_template(const BindingPtr& binding, std::string_view definition);

// What to call an entry in a message even where its definition is wrong.
std::string entry_title(std::string_view definition);

}  // namespace pb::catalog
