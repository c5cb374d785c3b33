// SPDX-License-Identifier: Apache-2.0
#include "exposed.h"

#include "json/parse.h"
#include "json/scan.h"

namespace pb::remote {
namespace {

std::string name_in(std::string_view definition) {
    return json::string_value(json::member(definition, "name")).value_or("");
}

std::string result(const char* member, const std::vector<std::string>& entries) {
    std::string out = std::string("{\"") + member + "\":[";
    for (const auto& entry : entries) {
        if (out.back() != '[') out += ',';
        out += entry;
    }
    return out + "]}";
}

bool has(const client::ServerInfo& info, std::string_view name) {
    return json::type_of(json::member(info.capabilities, name)) == json::Type::object &&
           !json::member(info.capabilities, name).empty();
}

// What the host hears is what it can have: changes of lists always, since we look ourselves.
std::string discovery(const client::ServerInfo& info) {
    std::string out = "{\"capabilities\":{\"tools\":{\"listChanged\":true}";
    if (has(info, "resources")) {
        const bool subscribe =
            info.modern() ||
            json::member(json::member(info.capabilities, "resources"), "subscribe") == "true";
        out += ",\"resources\":{\"listChanged\":true,\"subscribe\":";
        out += subscribe ? "true}" : "false}";
    }
    if (has(info, "prompts")) out += ",\"prompts\":{\"listChanged\":true}";
    if (has(info, "completions")) out += ",\"completions\":{}";
    out += '}';
    if (!info.instructions.empty()) out += ",\"instructions\":" + json::quote(info.instructions);
    return out + "}";
}

RemoteTool tool_of(const std::string& name, std::string_view definition) {
    RemoteTool out;
    out.name = name;
    out.structured = !json::member(definition, "outputSchema").empty();
    const auto schema = json::member(definition, "inputSchema");
    if (schema.find("x-mcp-header") == std::string_view::npos) return out;
    if (auto tree = json::parse(schema))
        if (auto params = json::header_params(*tree)) out.header_params = std::move(*params);
    return out;
}

}  // namespace

const std::string* Exposed::list(std::string_view method) const {
    if (method == "tools/list") return &tools;
    if (method == "resources/list") return &resources;
    if (method == "resources/templates/list") return &templates;
    if (method == "prompts/list") return &prompts;
    if (method == "server/discover") return &discover;
    return nullptr;
}

Tools tools_by_name(const client::ServerLists& lists) {
    Tools out;
    for (const auto& tool : lists.tools)
        out.emplace(name_in(tool), tool);
    return out;
}

ExposedPtr expose(const client::ServerInfo& info, const client::ServerLists& lists,
                  const Settings& settings, const std::set<std::string>& withheld) {
    auto out = std::make_shared<Exposed>();
    out->known = true;
    out->warnings = lists.warnings;
    std::vector<std::string> tools;
    for (const auto& definition : lists.tools) {
        const auto name = name_in(definition);
        if (!settings.rules.offers(name)) continue;
        const auto local = settings.rules.local_name(name);
        if (withheld.contains(name)) {
            out->withheld.insert(local);
            continue;
        }
        if (!out->by_name.emplace(local, tool_of(name, definition)).second) {
            out->warnings.push_back("two tools would be called '" + local +
                                    "'; only the first is offered");
            continue;
        }
        tools.push_back(settings.rules.rewrite(name, definition));
    }
    out->tool_count = tools.size();
    out->resource_count = lists.resources.size() + lists.templates.size();
    out->prompt_count = lists.prompts.size();
    std::erase_if(out->withheld, [&](const auto& name) { return out->by_name.contains(name); });
    out->tools = result("tools", tools);
    if (!out->withheld.empty())
        out->tools =
            json::with(out->tools, "_meta", json::dump(Json{{"patchbay/withheld", out->withheld}}));
    out->resources = result("resources", lists.resources);
    out->templates = result("resourceTemplates", lists.templates);
    out->prompts = result("prompts", lists.prompts);
    out->discover = discovery(info);
    return out;
}

}  // namespace pb::remote
