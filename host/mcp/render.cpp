// SPDX-License-Identifier: Apache-2.0
#include "mcp/render.h"

#include <vector>

#include "json/scan.h"

namespace pb::mcp {
namespace {

constexpr std::string_view server_info_key = "io.modelcontextprotocol/serverInfo";

bool mentions(std::string_view text, std::string_view what) {
    return text.find(what) != std::string_view::npos;
}

// Adds members (without a leading comma) at the end of an object.
void append_members(std::string& object, std::string_view members) {
    object.erase(object.rfind('}'));
    const auto last = object.find_last_not_of(" \t\r\n");
    const bool empty = object[last] == '{';
    object.resize(last + 1);
    if (!empty) object += ',';
    object += members;
    object += '}';
}

std::string meta_member(std::string_view server_info) {
    return "\"_meta\":{\"" + std::string(server_info_key) + "\":" + std::string(server_info) + "}";
}

// In the modern era every result says its type and who made it; reads say how long they keep.
std::string modern(std::string_view method, std::string_view result, std::string_view server_info) {
    std::string out(result);
    const bool has_type =
        mentions(result, "\"resultType\"") && !json::member(result, "resultType").empty();
    if (!has_type) append_members(out, "\"resultType\":\"complete\"");
    if (method == "resources/read" &&
        (!has_type || json::member(result, "resultType") == "\"complete\"")) {
        if (json::member(result, "ttlMs").empty()) append_members(out, "\"ttlMs\":0");
        if (json::member(result, "cacheScope").empty())
            append_members(out, "\"cacheScope\":\"private\"");
    }
    const auto meta = mentions(result, "\"_meta\"") ? json::member(result, "_meta") : "";
    if (meta.empty() || json::type_of(meta) != json::Type::object) {
        if (!meta.empty()) out = json::without(out, "_meta");
        append_members(out, meta_member(server_info));
    } else {
        out = json::with(out, "_meta", json::with(meta, server_info_key, server_info));
    }
    return out;
}

// 2025-03-26 knows text, images, audio and embedded resources; a link becomes its URI.
std::string plain_content(std::string_view content) {
    std::vector<std::string_view> blocks;
    if (!json::elements(content, blocks)) return std::string(content);
    std::string out = "[";
    for (const auto& block : blocks) {
        if (out.size() > 1) out += ',';
        if (json::member(block, "type") == "\"resource_link\"") {
            out += "{\"type\":\"text\",\"text\":";
            const auto uri = json::member(block, "uri");
            out += uri.empty() ? "\"\"" : uri;
            out += '}';
        } else {
            out += block;
        }
    }
    return out + "]";
}

void drop(std::string& object, std::string_view name) {
    if (mentions(object, name) && !json::member(object, name).empty())
        object = json::without(object, name);
}

std::string legacy(Version version, std::string_view result) {
    std::string out(result);
    drop(out, "resultType");
    drop(out, "ttlMs");
    drop(out, "cacheScope");
    if (mentions(out, server_info_key)) {
        const auto meta = json::member(out, "_meta");
        if (!meta.empty()) out = json::with(out, "_meta", json::without(meta, server_info_key));
    }
    // Only the modern era allows structuredContent to be something else than an object.
    if (auto structured = json::member(out, "structuredContent"); !structured.empty())
        if (version < Version::v2025_06_18 || json::type_of(structured) != json::Type::object)
            drop(out, "structuredContent");
    if (version < Version::v2025_06_18 && mentions(out, "\"resource_link\""))
        if (auto content = json::member(out, "content"); !content.empty())
            out = json::with(out, "content", plain_content(content));
    return out;
}

}  // namespace

std::string render_result(Version version, std::string_view method, std::string_view result,
                          std::string_view server_info) {
    return is_modern(version) ? modern(method, result, server_info) : legacy(version, result);
}

std::string render_own(Version version, std::string_view members, std::string_view server_info) {
    std::string out = "{";
    out += members;
    if (is_modern(version)) {
        if (!members.empty()) out += ',';
        out += "\"resultType\":\"complete\",";
        out += meta_member(server_info);
    }
    out += '}';
    return out;
}

std::string render_definition(Version version, Listed kind, std::string_view definition) {
    std::string out(definition);
    if (is_modern(version)) {
        if (kind == Listed::tool) drop(out, "execution");
        return out;
    }
    if (kind == Listed::tool) {
        const auto output = json::member(out, "outputSchema");
        const bool not_object = !output.empty() && json::member(output, "type") != "\"object\"";
        if (version < Version::v2025_06_18 || not_object) drop(out, "outputSchema");
        if (version < Version::v2025_11_25) drop(out, "execution");
    }
    if (version < Version::v2025_11_25) drop(out, "icons");
    if (version < Version::v2025_06_18) {
        drop(out, "title");
        drop(out, "_meta");
    }
    return out;
}

}  // namespace pb::mcp
