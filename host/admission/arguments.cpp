// SPDX-License-Identifier: Apache-2.0
// The link that holds a call's arguments against the tool's inputSchema.
#include <nlohmann/json.hpp>

#include "admission/failure.h"
#include "admission/links.h"
#include "json/parse.h"

namespace pb::admission {

std::string check_arguments(const catalog::Tool& tool, std::string_view params) {
    auto arguments = json::member(params, "arguments");
    const bool structured = tool.output == nullptr;
    auto refuse = [&](const std::string& why) {
        return failure_result({"invalid_arguments", "validation", false, why}, structured);
    };
    if (arguments.empty()) arguments = "{}";
    if (json::type_of(arguments) != json::Type::object)
        return refuse("Invalid arguments for " + tool.exposed + ": must be an object");
    if (tool.input->accepts_any_object()) return {};
    auto value = json::parse_unique(arguments);
    if (!value)
        return refuse("Invalid arguments for " + tool.exposed + ": " + value.error().message);
    const auto violations = tool.input->validate(*value);
    if (violations.empty()) return {};
    return refuse("Invalid arguments for " + tool.exposed + ": " + json::describe(violations));
}

}  // namespace pb::admission
