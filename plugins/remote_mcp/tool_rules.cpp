// SPDX-License-Identifier: Apache-2.0
#include "tool_rules.h"

#include <algorithm>
#include <set>

#include "json/parse.h"
#include "json/scan.h"

namespace pb::remote {
namespace {

using Json = nlohmann::json;

Result<std::vector<std::string>> strings(const Json& value, const char* what) {
    std::vector<std::string> out;
    if (value.is_null()) return out;
    if (!value.is_array()) return invalid(std::string(what) + " must be an array of patterns");
    for (const auto& each : value) {
        if (!each.is_string()) return invalid(std::string(what) + " must hold strings");
        out.push_back(each.get<std::string>());
    }
    return out;
}

Result<std::map<std::string, std::string>> texts(const Json& value, const char* what) {
    std::map<std::string, std::string> out;
    if (value.is_null()) return out;
    if (!value.is_object()) return invalid(std::string(what) + " must be an object");
    for (const auto& [name, text] : value.items()) {
        if (!text.is_string() || text.get_ref<const std::string&>().empty())
            return invalid(std::string(what) + "." + name + " must be a text");
        out.emplace(name, text.get<std::string>());
    }
    return out;
}

bool any(const std::vector<std::string>& patterns, std::string_view name) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const auto& pattern) { return matches_glob(pattern, name); });
}

Json part(const Json& tools, const char* name) {
    return tools.contains(name) ? tools[name] : Json();
}

}  // namespace

Result<ToolRules> ToolRules::read(const Json& tools) {
    ToolRules out;
    if (tools.is_null()) return out;
    if (!tools.is_object()) return invalid("tools must be an object");
    static const std::set<std::string> known{"include", "exclude", "rename", "describe",
                                             "annotations"};
    for (const auto& [name, value] : tools.items())
        if (!known.contains(name))
            return invalid("tools." + name +
                           " is not known; use include, exclude, rename, describe or annotations");
    auto include = strings(part(tools, "include"), "tools.include");
    if (!include) return include.error();
    if (include->empty() && tools.contains("include"))
        return invalid(
            "tools.include names nothing; leave it out, or write [\"*\"], for all tools");
    auto exclude = strings(part(tools, "exclude"), "tools.exclude");
    if (!exclude) return exclude.error();
    auto rename = texts(part(tools, "rename"), "tools.rename");
    if (!rename) return rename.error();
    auto describe = texts(part(tools, "describe"), "tools.describe");
    if (!describe) return describe.error();
    std::set<std::string> names;
    for (const auto& [from, to] : *rename)
        if (!names.insert(to).second) return invalid("tools.rename gives two tools the name " + to);
    const auto annotations = part(tools, "annotations");
    if (!annotations.is_null() && !annotations.is_object())
        return invalid("tools.annotations must be an object");
    for (const auto& [name, value] : annotations.items()) {
        if (!value.is_object()) return invalid("tools.annotations." + name + " must be an object");
        out.annotations_.emplace(name, value);
    }
    out.include_ = std::move(*include);
    out.exclude_ = std::move(*exclude);
    out.rename_ = std::move(*rename);
    out.describe_ = std::move(*describe);
    return out;
}

bool ToolRules::offers(std::string_view name) const {
    return (include_.empty() || any(include_, name)) && !any(exclude_, name);
}

std::string ToolRules::local_name(const std::string& name) const {
    const auto found = rename_.find(name);
    return found == rename_.end() ? name : found->second;
}

std::string ToolRules::rewrite(const std::string& name, std::string definition) const {
    if (const auto found = rename_.find(name); found != rename_.end())
        definition = json::with(definition, "name", json::quote(found->second));
    if (const auto found = describe_.find(name); found != describe_.end())
        definition = json::with(definition, "description", json::quote(found->second));
    if (const auto found = annotations_.find(name); found != annotations_.end()) {
        auto own = std::string(json::member(definition, "annotations"));
        if (own.empty() || json::type_of(own) != json::Type::object) own = "{}";
        for (const auto& [key, value] : found->second.items())
            own = json::with(own, key, json::dump(value));
        definition = json::with(definition, "annotations", own);
    }
    return definition;
}

}  // namespace pb::remote
