// SPDX-License-Identifier: Apache-2.0
#include "catalog/entries.h"

#include <nlohmann/json.hpp>

#include "catalog/names.h"
#include "json/header_params.h"
#include "json/parse.h"
#include "json/scan.h"

namespace pb::catalog {
namespace {

constexpr std::size_t max_local_name = 1024;
constexpr std::size_t max_local_uri = 8192;
constexpr std::size_t max_title = 80;
constexpr const char* original_name = "patchbay/originalName";
constexpr std::string_view ui_scheme = "ui://";

bool is_object(std::string_view value) {
    return !value.empty() && json::type_of(value) == json::Type::object;
}

// The string member that identifies an entry.
Result<std::string> identity(std::string_view definition, std::string_view member,
                             std::size_t longest) {
    const std::string name(member);
    if (!is_object(definition)) return invalid("it is not a JSON object");
    const auto value = json::member(definition, member);
    auto text = value.empty() ? std::nullopt : json::string_value(value);
    if (!text || text->empty()) return invalid("it has no string '" + name + "'");
    if (text->size() > longest) {
        return invalid("its '" + name + "' is longer than " + std::to_string(longest) + " bytes");
    }
    return std::move(*text);
}

std::string with_meta(std::string_view definition, std::string_view key, std::string_view value) {
    const auto meta = json::member(definition, "_meta");
    return json::with(definition, "_meta", json::with(is_object(meta) ? meta : "{}", key, value));
}

// Puts the exposed name into the definition; a name that had to be shortened stays in _meta.
void expose_as_name(Entry& entry, std::string_view definition) {
    const auto& name_space = entry.binding->name_space;
    entry.exposed = expose_name(name_space, entry.local);
    entry.definition = definition;
    if (entry.exposed == entry.local) return;
    entry.definition = json::with(definition, "name", json::quote(entry.exposed));
    const auto whole = name_space.empty() ? entry.local : name_space + "__" + entry.local;
    if (entry.exposed != whole) {
        entry.definition = with_meta(entry.definition, original_name, json::quote(entry.local));
    }
}

void expose_as_uri(Entry& entry, std::string_view definition, std::string_view member) {
    entry.exposed = expose_uri(entry.binding->name_space, entry.local);
    entry.definition = entry.exposed == entry.local
                           ? std::string(definition)
                           : json::with(definition, member, json::quote(entry.exposed));
}

// The value of `member` in `object` with a ui:// URI exposed; nullopt if there is none to rewrite.
std::optional<std::string> exposed_ui_link(const Binding& binding, std::string_view object,
                                           std::string_view member) {
    const auto value = json::member(object, member);
    const auto uri = value.empty() ? std::nullopt : json::string_value(value);
    if (!uri || !uri->starts_with(ui_scheme)) return std::nullopt;
    return json::with(object, member, json::quote(expose_uri(binding.name_space, *uri)));
}

// A tool's links to its user interface (MCP Apps), in the nested and in the flat form.
void expose_ui_links(Tool& tool) {
    const auto& binding = *tool.binding;
    if (binding.name_space.empty()) return;
    const auto view = json::member(tool.definition, "_meta");
    if (!is_object(view)) return;
    std::string meta(view);
    bool changed = false;
    if (auto flat = exposed_ui_link(binding, meta, "ui/resourceUri")) {
        meta = std::move(*flat);
        changed = true;
    }
    if (const auto ui = json::member(meta, "ui"); is_object(ui)) {
        if (const auto nested = exposed_ui_link(binding, ui, "resourceUri")) {
            meta = json::with(meta, "ui", *nested);
            changed = true;
        }
    }
    if (changed) tool.definition = json::with(tool.definition, "_meta", meta);
}

Error in(const char* member, const Error& error) {
    return invalid("its " + std::string(member) + " is wrong: " + error.message);
}

Result<void> read_input_schema(Tool& tool, std::string_view definition) {
    const auto text = json::member(definition, "inputSchema");
    if (!is_object(text)) return invalid("it has no object 'inputSchema'");
    auto schema = json::parse(text);
    if (!schema) return in("inputSchema", schema.error());
    const auto type = schema->find("type");
    if (type == schema->end() || *type != "object") {
        return invalid("its inputSchema is not of \"type\": \"object\"");
    }
    auto compiled = json::compile_schema(*schema);
    if (!compiled) return in("inputSchema", compiled.error());
    tool.input = std::move(*compiled);
    auto params = json::header_params(*schema);
    if (!params) return std::move(params).error();
    tool.header_params = std::move(*params);
    return {};
}

Result<void> read_output_schema(Tool& tool, std::string_view definition) {
    const auto text = json::member(definition, "outputSchema");
    if (text.empty()) return {};
    auto schema = json::parse(text);
    if (!schema) return in("outputSchema", schema.error());
    auto compiled = json::compile_schema(*schema);
    if (!compiled) return in("outputSchema", compiled.error());
    tool.output = std::move(*compiled);
    return {};
}

}  // namespace

Result<Tool> make_tool(const BindingPtr& binding, std::string_view definition) {
    auto local = identity(definition, "name", max_local_name);
    if (!local) return std::move(local).error();
    Tool tool;
    tool.binding = binding;
    tool.local = std::move(*local);
    if (auto ok = read_input_schema(tool, definition); !ok) return std::move(ok).error();
    if (auto ok = read_output_schema(tool, definition); !ok) return std::move(ok).error();
    const auto annotations = json::member(definition, "annotations");
    tool.read_only = json::member(annotations, "readOnlyHint") == "true";
    tool.destructive = json::member(annotations, "destructiveHint") == "true";
    expose_as_name(tool, definition);
    expose_ui_links(tool);
    return tool;
}

Result<Tool> make_withheld(const BindingPtr& binding, std::string_view definition) {
    auto tool = make_tool(binding, definition);
    if (tool) tool->withheld = true;
    return tool;
}

Result<Prompt> make_prompt(const BindingPtr& binding, std::string_view definition) {
    auto local = identity(definition, "name", max_local_name);
    if (!local) return std::move(local).error();
    Prompt prompt;
    prompt.binding = binding;
    prompt.local = std::move(*local);
    expose_as_name(prompt, definition);
    return prompt;
}

Result<Resource> make_resource(const BindingPtr& binding, std::string_view definition) {
    // A strict client refuses a whole list for one entry without a name.
    if (auto name = identity(definition, "name", max_local_uri); !name) return name.error();
    auto local = identity(definition, "uri", max_local_uri);
    if (!local) return std::move(local).error();
    Resource resource;
    resource.binding = binding;
    resource.local = std::move(*local);
    expose_as_uri(resource, definition, "uri");
    return resource;
}

Result<ResourceTemplate> make_template(const BindingPtr& binding, std::string_view definition) {
    if (auto name = identity(definition, "name", max_local_uri); !name) return name.error();
    auto local = identity(definition, "uriTemplate", max_local_uri);
    if (!local) return std::move(local).error();
    auto pattern = UriTemplate::compile(*local);
    if (!pattern) return in("uriTemplate", pattern.error());
    ResourceTemplate entry;
    entry.binding = binding;
    entry.local = std::move(*local);
    entry.pattern = std::move(*pattern);
    expose_as_uri(entry, definition, "uriTemplate");
    return entry;
}

std::string entry_title(std::string_view definition) {
    for (const auto* member : {"name", "uri", "uriTemplate"}) {
        if (!is_object(definition)) break;
        const auto value = json::member(definition, member);
        auto text = value.empty() ? std::nullopt : json::string_value(value);
        if (!text || text->empty()) continue;
        if (text->size() > max_title) {
            auto end = max_title;
            while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xC0) == 0x80)
                --end;
            text->resize(end);
            text->append("...");
        }
        return "'" + *text + "'";
    }
    return "without a name";
}

}  // namespace pb::catalog
