// SPDX-License-Identifier: Apache-2.0
#include "catalog/shapes.h"

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "json/parse.h"
#include "json/scan.h"
#include "json/schema.h"

namespace pb::catalog {
namespace {

// The members that all have (schema.json of 2025-11-25 and 2026-07-28: BaseMetadata, Icons, _meta).
constexpr std::string_view common = R"({
    "title": {"type": "string"},
    "description": {"type": "string"},
    "_meta": {"type": "object"},
    "icons": {"type": "array", "items": {"type": "object", "required": ["src"], "properties": {
        "src": {"type": "string"},
        "mimeType": {"type": "string"},
        "sizes": {"type": "array", "items": {"type": "string"}},
        "theme": {"enum": ["light", "dark"]}}}}
})";
constexpr std::string_view of_tools = R"({
    "annotations": {"type": "object", "properties": {
        "title": {"type": "string"},
        "readOnlyHint": {"type": "boolean"},
        "destructiveHint": {"type": "boolean"},
        "idempotentHint": {"type": "boolean"},
        "openWorldHint": {"type": "boolean"}}},
    "execution": {"type": "object", "properties": {
        "taskSupport": {"enum": ["forbidden", "optional", "required"]}}},
    "outputSchema": {"type": "object"}
})";
constexpr std::string_view of_templates = R"({
    "mimeType": {"type": "string"},
    "annotations": {"type": "object", "properties": {
        "audience": {"type": "array", "items": {"enum": ["user", "assistant"]}},
        "priority": {"type": "number", "minimum": 0, "maximum": 1},
        "lastModified": {"type": "string", "pattern":
            "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)$"}}}
})";
constexpr std::string_view of_resources = R"({"size": {"type": "number"}})";
constexpr std::string_view of_prompts = R"({
    "arguments": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "required": {"type": "boolean"}}}}
})";

using Shape = std::map<std::string, std::shared_ptr<const json::Schema>, std::less<>>;

Shape shape_of(std::initializer_list<std::string_view> parts) {
    Shape out;
    for (const auto part : parts) {
        const auto members = json::parse(part);
        if (!members) throw std::logic_error(members.error().message);
        for (const auto& [name, text] : members->items()) {
            auto schema = json::compile_schema(text);
            if (!schema) throw std::logic_error(name + ": " + schema.error().message);
            out.emplace(name, std::move(*schema));
        }
    }
    return out;
}

const Shape& shape_of(std::string_view list) {
    static const Shape tools = shape_of({common, of_tools});
    static const Shape prompts = shape_of({common, of_prompts});
    static const Shape templates = shape_of({common, of_templates});
    static const Shape resources = shape_of({common, of_templates, of_resources});
    if (list == "tools") return tools;
    if (list == "prompts") return prompts;
    return list == "resources" ? resources : templates;
}

}  // namespace

std::string sound_definition(std::string_view list, std::string_view definition,
                             std::vector<std::string>& dropped) {
    std::string out(definition);
    for (const auto& [name, schema] : shape_of(list)) {
        const auto text = json::member(definition, name);
        if (text.empty()) continue;
        const auto value = json::parse(text);
        const auto wrong =
            value ? json::describe(schema->validate(*value, 1)) : value.error().message;
        if (wrong.empty()) continue;
        out = json::without(out, name);
        dropped.push_back("its member '" + name + "' is left out: " + wrong);
    }
    return out;
}

}  // namespace pb::catalog
