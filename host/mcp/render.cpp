// SPDX-License-Identifier: Apache-2.0
#include "mcp/render.h"

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

// Caching hints are a provider's to give, but only as the schema has them.
void check_hints(std::string& out) {
    const auto ttl = json::integer_value(json::member(out, "ttlMs"));
    if (!ttl || *ttl < 0) out = json::with(out, "ttlMs", "0");
    const auto scope = json::member(out, "cacheScope");
    if (scope != "\"private\"" && scope != "\"public\"")
        out = json::with(out, "cacheScope", "\"private\"");
}

// In the modern era every result says its type and who made it; reads say how long they keep. What
// a provider completes is complete, whatever it says: only an answer with the status for it asks
// for input.
std::string modern(std::string_view method, std::string_view result, std::string_view server_info) {
    std::string out(result);
    const auto type = mentions(result, "\"resultType\"") ? json::member(result, "resultType")
                                                         : std::string_view();
    if (type.empty())
        append_members(out, "\"resultType\":\"complete\"");
    else if (type != "\"complete\"")
        out = json::with(out, "resultType", "\"complete\"");
    if (method == "resources/read") check_hints(out);
    const auto meta = mentions(result, "\"_meta\"") ? json::member(result, "_meta") : "";
    if (meta.empty() || json::type_of(meta) != json::Type::object) {
        if (!meta.empty()) out = json::without(out, "_meta");
        append_members(out, meta_member(server_info));
    } else {
        out = json::with(out, "_meta", json::with(meta, server_info_key, server_info));
    }
    return out;
}

// No version takes more than 100 values.
std::string bounded_completion(std::string_view result) {
    const auto completion = json::member(result, "completion");
    std::vector<std::string_view> values;
    if (!json::elements(json::member(completion, "values"), values) || values.size() <= 100)
        return std::string(result);
    std::string first = "[";
    for (std::size_t i = 0; i < 100; ++i)
        (first += i > 0 ? "," : "") += values[i];
    const auto bounded = json::with(completion, "values", first + "]");
    return json::with(result, "completion", json::with(bounded, "hasMore", "true"));
}

// 2025-03-26 knows text, images, audio and embedded resources; a link becomes its URI. `content`
// is one block (of a prompt) or an array of them.
std::string plain_content(std::string_view content) {
    if (json::member(content, "type") == "\"resource_link\"") {
        const auto uri = json::member(content, "uri");
        return "{\"type\":\"text\",\"text\":" + std::string(uri.empty() ? "\"\"" : uri) + "}";
    }
    return json::each_element(content, plain_content);
}

// The same in a result: of a tool, or of a prompt in each of its messages.
void make_content_plain(std::string& object) {
    if (const auto content = json::member(object, "content"); !content.empty())
        object = json::with(object, "content", plain_content(content));
    if (const auto messages = json::member(object, "messages"); !messages.empty())
        object = json::with(object, "messages", json::each_element(messages, [](auto message) {
                                std::string out(message);
                                make_content_plain(out);
                                return out;
                            }));
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
        make_content_plain(out);
    return out;
}

}  // namespace

std::string render_result(Version version, std::string_view method, std::string_view result,
                          std::string_view server_info) {
    std::string bounded;
    if (method == "completion/complete") result = bounded = bounded_completion(result);
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
