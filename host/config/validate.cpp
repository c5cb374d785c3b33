// SPDX-License-Identifier: Apache-2.0
// The schemas are compiled once; what they find wrong is put into a person's words here.
#include "config/validate.h"

#include <fstream>
#include <sstream>

#include "config/locate.h"
#include "config/read.h"
#include "json/parse.h"
#include "json/schema.h"

namespace pb::config {
namespace {

// A configuration is written by hand: what is longer is not one.
constexpr json::Limits file_limits{.size = 4U << 20U, .depth = 32, .values = 100'000};

struct Compiled {
    Json text;
    std::shared_ptr<const json::Schema> schema;
    std::string fault;  // why there is no schema
};

Compiled compile(std::string_view text) {
    Compiled out;
    auto parsed = json::parse(text);
    if (!parsed) {
        out.fault = parsed.error().message;
        return out;
    }
    out.text = std::move(*parsed);
    auto compiled = json::compile_schema(out.text);
    if (compiled) {
        out.schema = std::move(*compiled);
    } else {
        out.fault = compiled.error().message;
    }
    return out;
}

const Compiled& compiled(Kind kind) {
    static const Compiled host = compile(host_schema_text());
    static const Compiled org = compile(org_schema_text());
    return kind == Kind::host ? host : org;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

// The schema that a schema path leads to (through $ref); null if it leads nowhere.
const Json* schema_at(const Json& root, std::string_view path) {
    const Json* schema = &root;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::string token(path.substr(0, path.find('/')));
        path.remove_prefix(std::min(path.size(), path.find('/')));
        if (!schema->is_object() || !schema->contains(token)) return nullptr;
        schema = &schema->at(token);
        if (token == "$ref") {
            const auto target = schema->get<std::string>();
            schema = schema_at(root, std::string_view(target).substr(1));
            if (schema == nullptr) return nullptr;
        }
    }
    return schema;
}

// "; known here: address, port, ..." for a member that its object does not have.
std::string known_members(const Json& root, const std::string& schema_path) {
    constexpr std::string_view keyword = "/additionalProperties";
    const std::size_t at = schema_path.rfind(keyword);
    if (at == std::string::npos || at + keyword.size() != schema_path.size()) return "";
    const Json* parent = schema_at(root, std::string_view(schema_path).substr(0, at));
    if (parent == nullptr || !parent->contains("properties")) return "";
    std::string names;
    for (const auto& [name, schema] : parent->at("properties").items()) {
        if (name == "$schema") continue;
        names += (names.empty() ? "; known here: " : ", ") + name;
    }
    return names;
}

std::string described(const std::string& path, const Json& schema,
                      const std::vector<json::Violation>& violations) {
    const std::string text = text_of(path);
    std::string out;
    for (const json::Violation& violation : violations) {
        if (!out.empty()) out += '\n';
        out += path;
        const std::size_t line = line_of(text, violation.instance_path);
        if (line != 0) out += ":" + std::to_string(line);
        out += ": ";
        if (!violation.instance_path.empty()) out += violation.instance_path + ": ";
        out += violation.message + known_members(schema, violation.schema_path);
    }
    return out;
}

}  // namespace

Result<Json> read_validated(const std::string& path, Kind kind) {
    auto value = json::parse_file(path, file_limits);
    if (!value) return value.error();
    const Compiled& rules = compiled(kind);
    if (rules.schema == nullptr) return internal_error("built-in schema: " + rules.fault);
    const auto violations = rules.schema->validate(*value);
    if (!violations.empty()) return invalid(described(path, rules.text, violations));
    return std::move(*value);
}

}  // namespace pb::config
